#include "scheduler/adapters/process/runtime_api.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "scheduler/adapters/process/posix.h"

namespace tidegate::adapters {
namespace {

constexpr std::size_t kMaxAnswer = 64 * 1024 * 1024;

std::vector<std::string_view> Split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(by);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

template <class Number>
bool ParseNumber(std::string_view text, Number& value) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

// Where a named column of a header line is, or nothing.
std::optional<std::size_t> Column(const std::vector<std::string_view>& header,
                                  std::string_view name) {
  const auto found = std::find(header.begin(), header.end(), name);
  if (found == header.end()) return std::nullopt;
  return static_cast<std::size_t>(found - header.begin());
}

tl::unexpected<Error> Unfit(std::string_view what, std::string_view line) {
  return Fail(ErrorCode::kInvalid,
              fmt::format("{}: unexpected line '{}'", what, line.substr(0, 120)));
}

int PollLeft(int fd, short events, SteadyTime deadline) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  pollfd look{fd, events, 0};
  return left.count() <= 0 ? 0 : ::poll(&look, 1, static_cast<int>(left.count()));
}

Expected<OwnedFd> Connect(const std::string& directory, const std::string& name) {
  const OwnedFd place(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!place.valid()) return Fail(SystemError("open " + directory));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = fmt::format("/proc/self/fd/{}/{}", place.get(), name);
  if (path.size() >= sizeof address.sun_path) {
    return Fail(ErrorCode::kInvalid, fmt::format("the socket name '{}' is too long", name));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  OwnedFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return Fail(SystemError("open a socket"));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return Fail(ErrorCode::kUnavailable, SystemError("reach " + directory + "/" + name).message);
  }
  return fd;
}

}  // namespace

Expected<std::vector<ServerState>> ParseServersState(std::string_view text) {
  std::vector<ServerState> servers;
  std::vector<std::string_view> header;
  for (std::string_view line : Split(text, '\n')) {
    if (line.empty() || line == "1") continue;  // the format's version stands alone
    if (line.substr(0, 2) == "# ") {
      header = Split(line.substr(2), ' ');
      continue;
    }
    const auto fields = Split(line, ' ');
    const auto backend = Column(header, "be_name");
    const auto name = Column(header, "srv_name");
    const auto operational = Column(header, "srv_op_state");
    const auto administrative = Column(header, "srv_admin_state");
    const auto port = Column(header, "srv_port");
    if (!backend || !name || !operational || !administrative || !port ||
        fields.size() < header.size()) {
      return Unfit("show servers state", line);
    }
    ServerState server;
    server.backend = fields[*backend];
    server.name = fields[*name];
    if (!ParseNumber(fields[*operational], server.operational) ||
        !ParseNumber(fields[*administrative], server.administrative) ||
        !ParseNumber(fields[*port], server.port)) {
      return Unfit("show servers state", line);
    }
    servers.push_back(std::move(server));
  }
  if (header.empty()) return Unfit("show servers state", text);
  return servers;
}

Expected<std::vector<StatRow>> ParseStat(std::string_view csv) {
  std::vector<StatRow> rows;
  std::vector<std::string_view> header;
  for (std::string_view line : Split(csv, '\n')) {
    if (line.empty()) continue;
    if (line.substr(0, 2) == "# ") {
      header = Split(line.substr(2), ',');
      continue;
    }
    // Text columns that could hold a quoted comma come after the ones that are read.
    const auto fields = Split(line, ',');
    const auto status = Column(header, "status");
    const auto sessions = Column(header, "scur");
    const auto queued = Column(header, "qcur");
    const auto total = Column(header, "stot");
    if (!status || !sessions || !queued || !total || fields.size() <= *status) {
      return Unfit("show stat", line);
    }
    StatRow row;
    row.proxy = fields[0];
    row.name = fields[1];
    row.status = fields[*status];
    ParseNumber(fields[*sessions], row.sessions);
    ParseNumber(fields[*queued], row.queued);
    ParseNumber(fields[*total], row.total);
    rows.push_back(std::move(row));
  }
  if (header.empty()) return Unfit("show stat", csv);
  return rows;
}

namespace {

std::string Settings(const ServerSetup& server) {
  return fmt::format("127.0.0.1:{} maxconn {} check port {} inter {}ms rise 1 fall 2", server.port,
                     server.maxconn, server.check_port, server.check_interval.count());
}

}  // namespace

std::string AddServerCommand(const ServerSetup& server) {
  return fmt::format("add server {0} {1}; enable health {0}; enable server {0}",
                     server.backend + "/" + server.name, Settings(server));
}

std::string ServerLine(const ServerSetup& server) {
  return fmt::format("    server {} {}\n", server.name, Settings(server));
}

std::vector<std::string> SplitAnswers(std::string_view text) {
  std::vector<std::string> answers;
  std::string current;
  for (std::string_view line : Split(text, '\n')) {
    if (!line.empty()) {
      current += current.empty() ? std::string(line) : "\n" + std::string(line);
    } else if (!current.empty()) {
      answers.push_back(std::exchange(current, {}));
    }
  }
  if (!current.empty()) answers.push_back(std::move(current));
  return answers;
}

RuntimeApi::RuntimeApi(std::string directory, std::string name, Duration timeout)
    : directory_(std::move(directory)), name_(std::move(name)), timeout_(timeout) {}

Expected<std::string> RuntimeApi::Run(const std::string& command) const {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout_;
  TIDEGATE_TRY(const OwnedFd fd, Connect(directory_, name_));
  const std::string line = command + "\n";
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t n = ::send(fd.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (n > 0) {
      rest.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno != EAGAIN && errno != EINTR) {
      return Fail(ErrorCode::kUnavailable, SystemError("write to the runtime API").message);
    } else if (PollLeft(fd.get(), POLLOUT, deadline) == 0) {
      return Fail(ErrorCode::kTimeout, "the runtime API takes no command");
    }
  }
  std::string answer;
  char buffer[16 * 1024];
  while (answer.size() <= kMaxAnswer) {
    const ssize_t n = ::recv(fd.get(), buffer, sizeof buffer, 0);
    if (n == 0) return answer;
    if (n > 0) {
      answer.append(buffer, static_cast<std::size_t>(n));
    } else if (errno != EAGAIN && errno != EINTR) {
      return Fail(ErrorCode::kUnavailable, SystemError("read from the runtime API").message);
    } else if (PollLeft(fd.get(), POLLIN, deadline) == 0) {
      return Fail(ErrorCode::kTimeout, "the runtime API does not answer");
    }
  }
  return Fail(ErrorCode::kTooLarge, "the runtime API's answer is too large");
}

}  // namespace tidegate::adapters
