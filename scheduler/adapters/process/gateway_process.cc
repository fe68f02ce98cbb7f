#include "scheduler/adapters/process/gateway_process.h"

#include <cctype>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tidegate::adapters {
namespace {

constexpr std::size_t kMaxProcFile = 64 * 1024;

// waitid()'s P_PIDFD, missing in older headers.
constexpr idtype_t kByPidfd = static_cast<idtype_t>(3);

int OpenPidfd(int pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

class SpawnSetup {
 public:
  SpawnSetup() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  ~SpawnSetup() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

void Prepare(SpawnSetup& setup, const GatewayProcess::Command& command) {
  const int append = O_WRONLY | O_CREAT | O_APPEND;
  ::posix_spawn_file_actions_addopen(&setup.actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&setup.actions, 1, command.output.c_str(), append, 0600);
  ::posix_spawn_file_actions_addopen(&setup.actions, 2, command.errors.c_str(), append, 0600);
  ::posix_spawn_file_actions_addchdir_np(&setup.actions, command.directory.c_str());
  ::posix_spawn_file_actions_addclosefrom_np(&setup.actions, 3);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  ::posix_spawnattr_setsigmask(&setup.attributes, &none);
  ::posix_spawnattr_setsigdefault(&setup.attributes, &all);
  const int flags = POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  ::posix_spawnattr_setflags(&setup.attributes, static_cast<short>(flags));
}

std::vector<std::string> Arguments(const GatewayProcess::Command& command) {
  std::vector<std::string> arguments{command.program, "-db", "-f", command.config};
  if (!command.listeners_from.empty()) {
    arguments.insert(arguments.end(), {"-x", command.listeners_from});
  }
  if (!command.successor_of.empty()) arguments.push_back("-sf");  // takes all that follows
  for (const int pid : command.successor_of) arguments.push_back(std::to_string(pid));
  return arguments;
}

// The argument after "-f" of /proc/PID/cmdline.
std::string ConfigArgument(const std::string& cmdline) {
  bool next = false;
  for (std::size_t begin = 0; begin < cmdline.size();) {
    const std::size_t end = std::min(cmdline.find('\0', begin), cmdline.size());
    const std::string argument = cmdline.substr(begin, end - begin);
    if (next) return argument;
    next = argument == "-f";
    begin = end + 1;
  }
  return {};
}

}  // namespace

std::optional<StatLine> ParseStatLine(const std::string& line) {
  const std::size_t close = line.rfind(')');
  if (close == std::string::npos || close + 2 >= line.size()) return std::nullopt;
  StatLine result;
  result.state = line[close + 2];
  // The state is field 3; 19 blanks further on begins field 22.
  std::size_t at = close + 2;
  for (int field = 3; field < 22; ++field) {
    at = line.find(' ', at);
    if (at == std::string::npos) return std::nullopt;
    ++at;
  }
  const char* end = line.data() + line.size();
  const auto parsed = std::from_chars(line.data() + at, end, result.start_ticks);
  if (parsed.ec != std::errc()) return std::nullopt;
  return result;
}

std::optional<std::uint64_t> StartTicks(int pid) {
  const auto text = ReadFileBounded(fmt::format("/proc/{}/stat", pid), kMaxProcFile);
  if (!text) return std::nullopt;
  const auto stat = ParseStatLine(*text);
  if (!stat || stat->state == 'Z' || stat->state == 'X') return std::nullopt;
  return stat->start_ticks;
}

namespace {

struct Found {
  ProcessTable table;
  bool more_to_come = false;
};

bool StandsBelow(const std::string& process, const std::string& prefix) {
  std::error_code error;
  const auto where = std::filesystem::read_symlink("/proc/" + process + "/cwd", error);
  return !error && where.string().starts_with(prefix);
}

Found Find(const std::string& directory) {
  Found found;
  const std::string prefix = directory + "/";
  std::error_code error;
  const std::string real = std::filesystem::canonical(directory, error).string() + "/";
  for (const std::string& name : ListDirectory("/proc")) {
    if (std::isdigit(static_cast<unsigned char>(name[0])) == 0) continue;
    const auto cmdline = ReadFileBounded("/proc/" + name + "/cmdline", kMaxProcFile);
    if (!cmdline) continue;
    const std::string config = ConfigArgument(*cmdline);
    if (!config.starts_with(prefix)) {
      found.more_to_come = found.more_to_come || StandsBelow(name, real);
      continue;
    }
    const int pid = std::stoi(name);
    if (const auto ticks = StartTicks(pid))
      found.table.emplace(config, ProcessIdentity{pid, *ticks});
  }
  return found;
}

}  // namespace

ProcessTable FindGatewayProcesses(const std::string& directory) { return Find(directory).table; }

ProcessTable FindAllGatewayProcesses(const std::string& directory, Duration patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  Found found = Find(directory);
  while (found.more_to_come && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    found = Find(directory);
  }
  return std::move(found.table);
}

Expected<GatewayProcess> GatewayProcess::Start(const Command& command) {
  SpawnSetup setup;
  Prepare(setup, command);
  std::vector<std::string> arguments = Arguments(command);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  char* environment[] = {nullptr};
  pid_t pid = 0;
  const int failed = ::posix_spawn(&pid, command.program.c_str(), &setup.actions, &setup.attributes,
                                   argv.data(), environment);
  if (failed != 0) {
    errno = failed;
    return Fail(SystemError("start " + command.program));
  }
  GatewayProcess process;
  process.identity_ = {pid, 0};
  process.pidfd_ = OwnedFd(OpenPidfd(pid));
  if (!process.pidfd_.valid()) {
    // Without it we could not tell when it dies, and would rather not have it at all.
    const Error error = SystemError("watch the new process");
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return Fail(error);
  }
  process.identity_.start_ticks = StartTicks(pid).value_or(0);
  return process;
}

Expected<GatewayProcess> GatewayProcess::Adopt(ProcessIdentity identity) {
  GatewayProcess process;
  process.identity_ = identity;
  process.pidfd_ = OwnedFd(OpenPidfd(identity.pid));
  // Looked at after the descriptor is open: from here on the pid can't be given to another one.
  if (!process.pidfd_.valid() || StartTicks(identity.pid) != identity.start_ticks) {
    return Fail(ErrorCode::kNotFound, fmt::format("process {} is gone", identity.pid));
  }
  return process;
}

bool GatewayProcess::TakeExit() {
  if (!running()) return false;
  pollfd look{pidfd_.get(), POLLIN, 0};
  if (::poll(&look, 1, 0) <= 0) return false;
  siginfo_t info{};
  // Fails with ECHILD for an adopted process, which its own parent reaps.
  ::waitid(kByPidfd, static_cast<id_t>(pidfd_.get()), &info, WEXITED | WNOHANG);
  pidfd_.reset();
  return true;
}

void GatewayProcess::Signal(int signal) const {
  if (running()) ::syscall(SYS_pidfd_send_signal, pidfd_.get(), signal, nullptr, 0);
}

}  // namespace tidegate::adapters
