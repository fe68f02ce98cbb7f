#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "policies/base/expected.h"
#include "scheduler/adapters/process/posix.h"

namespace tidegate::adapters {

// Names one process for good: a pid may be given again, with another start time.
struct ProcessIdentity {
  int pid = 0;                    // 0: none
  std::uint64_t start_ticks = 0;  // clock ticks after boot, field 22 of /proc/PID/stat
  bool operator==(const ProcessIdentity&) const = default;
};

// The start time of a process that runs; nothing for one that is gone or a zombie.
std::optional<std::uint64_t> StartTicks(int pid);

// Field 22 and the state letter of a line of /proc/PID/stat, whose second field may hold blanks and
// parentheses.
struct StatLine {
  char state = '?';
  std::uint64_t start_ticks = 0;
};
std::optional<StatLine> ParseStatLine(const std::string& line);

// Running processes by the configuration file that they were started with (`-f FILE`), for files
// below `directory`. More than one process may have the same.
using ProcessTable = std::multimap<std::string, ProcessIdentity>;
ProcessTable FindGatewayProcesses(const std::string& directory);
// The same for who takes over from a daemon that was killed: a process that it was just starting
// has let go of the state's lock and does not run its program yet, but stands in its folder below
// `directory`. It is waited for, for `patience` at most: whatever else stands there is not ours.
ProcessTable FindAllGatewayProcesses(const std::string& directory, Duration patience);

// One HAProxy process: started by us, or adopted from an earlier run of the daemon. The object is a
// handle: when it goes, the process stays.
class GatewayProcess {
 public:
  struct Command {
    std::string program;
    std::string config;     // `-f`; absolute, so that the process can be found by it
    std::string directory;  // working directory, also where relative socket paths begin
    std::string output;     // stdout goes to this file, which no other process may share
    std::string errors;     // the same for stderr
    // A socket in `directory` of a process whose listeners the new one takes over (`-x`); empty:
    // none.
    std::string listeners_from = {};
    std::vector<int> successor_of = {};  // told to finish (`-sf`) once the new one listens
  };

  GatewayProcess() = default;
  // In a session of its own, with no descriptor but 0..2 and with default signal handling, so that
  // it outlives the daemon.
  static Expected<GatewayProcess> Start(const Command& command);
  // kNotFound if that process is gone.
  static Expected<GatewayProcess> Adopt(ProcessIdentity identity);

  bool running() const { return pidfd_.valid(); }
  const ProcessIdentity& identity() const { return identity_; }
  // Readable once the process has died; -1 if it isn't running.
  int wait_fd() const { return pidfd_.get(); }
  // True exactly once, when the process has died since the last call; reaps a child.
  bool TakeExit();
  // Nothing if it is not running.
  void Signal(int signal) const;

 private:
  ProcessIdentity identity_;
  OwnedFd pidfd_;
};

}  // namespace tidegate::adapters
