#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "policies/base/expected.h"
#include "policies/base/instant.h"

namespace tidegate::testing {

// A directory of its own below $TMPDIR, removed with everything in it at the end. The path is
// short, since UNIX sockets are put there.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::filesystem::path& path() const { return path_; }
  // Writes a file below it and returns its path.
  std::filesystem::path Write(const std::string& name, const std::string& text) const;

 private:
  std::filesystem::path path_;
};

// The whole file; empty where there is none.
std::string ReadFile(const std::filesystem::path& path);

// A loopback TCP port that nothing listens on just now.
int FreePort();

// Polls `condition` about every 20 ms until it holds. False once `deadline` has passed.
bool WaitUntil(Duration deadline, const std::function<bool()>& condition);

// A program started without a shell, in a process group of its own, with stdout and stderr going to
// files. Killed with its group at the end of the object's life.
class ChildProcess {
 public:
  struct Options {
    std::filesystem::path output;  // stdout and stderr are appended here; empty: /dev/null
    bool die_with_parent = true;   // the kernel kills it should this process die
    bool share_stdout = false;     // stdout stays this process's, stderr too
  };
  // kNotFound where there is no such program.
  static Expected<ChildProcess> Start(const std::vector<std::string>& argv, const Options& options);
  ~ChildProcess();
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;

  pid_t pid() const { return pid_; }
  bool Running();
  void Signal(int signal);
  // Exit status as a shell gives it (128 + signal); nothing if it still runs at the deadline.
  std::optional<int> Wait(Duration deadline);

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}
  void Reap();

  pid_t pid_ = -1;
  std::optional<int> status_;
};

struct ProgramResult {
  int status = 0;
  std::string output;  // stdout and stderr
};
// Runs a program to its end; kTimeout kills it.
Expected<ProgramResult> RunProgram(const std::vector<std::string>& argv, Duration deadline);

}  // namespace tidegate::testing
