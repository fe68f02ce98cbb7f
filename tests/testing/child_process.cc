#include "tests/testing/child_process.h"

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tidegate::testing {

TempDir::TempDir() {
  std::string name = (std::filesystem::temp_directory_path() / "tg-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) std::abort();
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path TempDir::Write(const std::string& name, const std::string& text) const {
  const auto path = path_ / name;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

int FreePort() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound = ::bind(fd, generic, size) == 0 && ::getsockname(fd, generic, &size) == 0;
  ::close(fd);
  return bound ? ntohs(address.sin_port) : 0;
}

bool WaitUntil(Duration deadline, const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

namespace {

// Between fork and exec: async-signal-safe calls only.
[[noreturn]] void Exec(char* const* argv, const char* output,
                       const ChildProcess::Options& options) {
  ::setpgid(0, 0);
  if (options.die_with_parent) ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (!options.share_stdout) {
    const int fd = ::open(output, O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(fd, STDOUT_FILENO);
    ::dup2(fd, STDERR_FILENO);
  }
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, STDIN_FILENO);
  ::execvp(argv[0], argv);
  ::_exit(127);
}

}  // namespace

Expected<ChildProcess> ChildProcess::Start(const std::vector<std::string>& argv,
                                           const Options& options) {
  std::vector<std::string> copy = argv;
  std::vector<char*> pointers;
  for (std::string& word : copy) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const std::string output = options.output.empty() ? "/dev/null" : options.output.string();
  const pid_t pid = ::fork();
  if (pid < 0) return Fail(ErrorCode::kInternal, std::string("fork: ") + std::strerror(errno));
  if (pid == 0) Exec(pointers.data(), output.c_str(), options);
  ::setpgid(pid, pid);  // here as well, so that a signal right away reaches the group
  return ChildProcess(pid);
}

ChildProcess::~ChildProcess() { Reap(); }

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), status_(other.status_) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this != &other) {
    Reap();
    pid_ = std::exchange(other.pid_, -1);
    status_ = other.status_;
  }
  return *this;
}

void ChildProcess::Reap() {
  if (pid_ <= 0) return;
  ::kill(-pid_, SIGKILL);
  if (!status_) ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

bool ChildProcess::Running() {
  if (pid_ <= 0 || status_) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return true;
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return false;
}

void ChildProcess::Signal(int signal) {
  if (Running()) ::kill(pid_, signal);
}

std::optional<int> ChildProcess::Wait(Duration deadline) {
  WaitUntil(deadline, [&] { return !Running(); });
  return status_;
}

Expected<ProgramResult> RunProgram(const std::vector<std::string>& argv, Duration deadline) {
  const TempDir dir;
  const auto output = dir.path() / "output";
  TIDEGATE_TRY(ChildProcess child,
               ChildProcess::Start(argv, {.output = output, .die_with_parent = true}));
  const auto status = child.Wait(deadline);
  if (!status) return Fail(ErrorCode::kTimeout, argv[0] + " did not end in time");
  if (*status == 127) return Fail(ErrorCode::kNotFound, argv[0] + " is not installed");
  return ProgramResult{*status, ReadFile(output)};
}

}  // namespace tidegate::testing
