#include "tests/testing/front_watcher.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <sstream>
#include <utility>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/testing/child_process.h"

namespace tidegate::testing {
namespace {

constexpr std::chrono::milliseconds kEvery{50};

std::vector<std::string> Split(const std::string& line, char separator) {
  std::vector<std::string> fields;
  std::istringstream in(line);
  for (std::string field; std::getline(in, field, separator);) fields.push_back(field);
  return fields;
}

// One command on a runtime socket; empty where nobody listens there. Nothing where somebody does
// and does not answer within a second: on a machine that is starved that says nothing about the
// servers.
std::optional<std::string> Ask(const std::filesystem::path& socket, const std::string& command) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket.c_str(), sizeof(address.sun_path) - 1);
  const timeval second{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
  std::string answer;
  bool silent = false;
  const std::string line = command + "\n";
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
      ::send(fd, line.data(), line.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(line.size())) {
    char buffer[16384];
    ssize_t size = 0;
    while ((size = ::read(fd, buffer, sizeof(buffer))) > 0) {
      answer.append(buffer, static_cast<std::size_t>(size));
    }
    silent = size < 0 && errno == EAGAIN;
  }
  ::close(fd);
  if (silent) return std::nullopt;
  return answer;
}

Instant UtcNow() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return Instant(std::chrono::duration_cast<Duration>(since));
}

bool IsUp(const std::string& status) { return status.starts_with("UP"); }

}  // namespace

std::map<std::string, FrontServer> ParseFrontStat(const std::string& csv) {
  std::istringstream in(csv);
  std::string line;
  std::getline(in, line);
  const auto header = Split(line, ',');
  const auto column = [&](const char* name) {
    return static_cast<std::size_t>(std::ranges::find(header, name) - header.begin());
  };
  const std::size_t server = column("svname"), status = column("status"), sessions = column("stot");
  std::map<std::string, FrontServer> servers;
  while (std::getline(in, line)) {
    const auto fields = Split(line, ',');
    if (fields.size() <= std::max({server, status, sessions})) continue;
    if (fields[server] == "FRONTEND" || fields[server] == "BACKEND") continue;
    FrontServer& entry = servers[fields[server]];
    if (entry.status.empty() || IsUp(entry.status)) entry.status = fields[status];
    entry.sessions += std::atoll(fields[sessions].c_str());
  }
  return servers;
}

namespace {

// Of each HAProxy process: its pid and what its command line has after `prefix`, up to the
// argument's end.
std::map<int, std::string> FindProcesses(const std::string& prefix) {
  std::map<int, std::string> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const int pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 0) continue;
    const std::string command = ReadFile(entry.path() / "cmdline");
    const auto at = command.find(prefix);
    if (at == std::string::npos || command.find("haproxy") == std::string::npos) continue;
    const auto begin = at + prefix.size();
    found[pid] = command.substr(begin, command.find('\0', begin) - begin);
  }
  return found;
}

}  // namespace

std::vector<int> ProcessesBelow(const std::filesystem::path& dir) {
  std::vector<int> pids;
  for (const auto& [pid, rest] : FindProcesses(dir.string() + "/")) pids.push_back(pid);
  return pids;
}

std::map<std::string, int> ReplicaProcesses(const std::filesystem::path& pool_dir) {
  std::map<std::string, int> found;
  for (const auto& [pid, rest] : FindProcesses(pool_dir.string() + "/")) {
    const auto slash = rest.find('/');
    if (slash != std::string::npos) found[rest.substr(0, slash)] = pid;
  }
  return found;
}

FrontWatcher::FrontWatcher(std::filesystem::path pool_dir)
    : pool_dir_(std::move(pool_dir)), thread_([this] { Run(); }) {}

FrontWatcher::~FrontWatcher() { Stop(); }

void FrontWatcher::Stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

std::vector<PoolSight> FrontWatcher::Sights() const {
  const std::lock_guard lock(mutex_);
  return sights_;
}

PoolSight FrontWatcher::Latest() const {
  const std::lock_guard lock(mutex_);
  return latest_;
}

void FrontWatcher::Run() {
  while (!stop_) {
    PoolSight sight;
    sight.processes = ReplicaProcesses(pool_dir_);
    const auto answer = Ask(pool_dir_ / "front.sock", "show stat");
    if (!answer) continue;
    sight.front = ParseFrontStat(*answer);
    sight.at = UtcNow();
    {
      const std::lock_guard lock(mutex_);
      latest_ = sight;
      sights_.push_back(std::move(sight));
    }
    std::this_thread::sleep_for(kEvery);
  }
}

}  // namespace tidegate::testing
