#include "scheduler/adapters/process/front.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include <fmt/format.h>

namespace tidegate::adapters {
namespace {

constexpr std::size_t kMaxRecord = 256 * 1024;
constexpr std::size_t kMaxLog = 1024 * 1024;
constexpr Duration kBackoffMin{50};
constexpr Duration kBackoffMax{5'000};
constexpr Duration kStable{10'000};  // a front that ran this long starts again at once
constexpr int kMaxTakeovers = 4;     // then a predecessor that gives nothing away is passed over

bool Succeeded(const std::string& answer) {
  return answer.find("New server registered") != std::string::npos ||
         answer.find("Already exists a server") != std::string::npos;
}

}  // namespace

Front::Front(std::string directory, const ProcessFleetOptions& options)
    : directory_(std::move(directory)),
      options_(options),
      api_(directory_, "front.sock", options.command_timeout) {}

Expected<void> Front::Save() {
  return WriteFileAtomic(directory_ + "/front.json", ToJson(record_));
}

Expected<void> Front::Recover(const ProcessTable& processes) {
  auto text = ReadFileBounded(directory_ + "/front.json", kMaxRecord);
  if (text) {
    TIDEGATE_TRY(record_, ParseFrontRecord(*text));
  } else if (text.error().code != ErrorCode::kNotFound) {
    return Fail(text.error());
  }
  const auto range = processes.equal_range(directory_ + "/front.cfg");
  for (auto it = range.first; it != range.second; ++it) {
    auto process = GatewayProcess::Adopt(it->second);
    if (!process) continue;
    // With pid 0 the record was written, and the crash came before the process was recorded.
    const bool ours = it->second == record_.process ||
                      (record_.process.pid == 0 && it->second != record_.replaces);
    if (ours && configured() && !process_.running()) {
      process_ = std::move(*process);
      record_.process = process_.identity();
    } else {
      // It serves until its successor tells it to finish.
      predecessors_.push_back(std::move(*process));
    }
  }
  if (!configured()) Stop(SIGUSR1);
  if (!predecessors_.empty()) takeovers_ = 1;
  return {};
}

Expected<std::vector<PortBinding>> Front::Bind(const PoolTemplate& pool) {
  std::vector<PortBinding> bindings;
  for (const PortTemplate& port : pool.ports) {
    if (options_.exact_ports) {
      bindings.push_back({port.name, port.port});
      continue;
    }
    const auto same = std::find_if(record_.ports.begin(), record_.ports.end(),
                                   [&port](const PortBinding& b) { return b.name == port.name; });
    if (same != record_.ports.end()) {
      bindings.push_back(*same);
      continue;
    }
    TIDEGATE_TRY(ReservedPort reserved, ReservePort(options_.bind_address));
    bindings.push_back({port.name, reserved.port});
    reserved_.push_back(std::move(reserved));
  }
  return bindings;
}

Expected<void> Front::Configure(const PoolTemplate& pool) {
  FrontRecord wanted = record_;
  wanted.pool = pool.id;
  TIDEGATE_TRY(wanted.ports, Bind(pool));
  wanted.hard_stop = pool.drain_deadline;
  wanted.export_cluster = pool.export_cluster;
  if (wanted == record_) return {};
  if (process_.running() && wanted.ports != record_.ports) {
    replace_ = true;
    wanted.replaces = process_.identity();
    wanted.process = {};
  }
  record_ = std::move(wanted);
  return Save();
}

Expected<void> Front::Keep(SteadyTime now, const Serving& serving) {
  if (!configured() || now < retry_at_) return {};
  // HAProxy notes each change of a server there; nobody rotates it.
  TruncateIfLarger(directory_ + "/front.log", kMaxLog);
  // One that does not answer yet has no listeners to take over.
  if (process_.running() && (!replace_ || !Answers())) return {};
  if (process_.running()) {
    predecessors_.push_back(std::exchange(process_, GatewayProcess()));
    takeovers_ = 1;
  }
  replace_ = false;
  if (now - started_ > kStable) backoff_ = Duration(0);
  backoff_ = std::clamp(backoff_ * 2, kBackoffMin, kBackoffMax);
  retry_at_ = now + backoff_;
  started_ = now;
  return Start(serving);
}

Expected<void> Front::Start(const Serving& serving) {
  answered_ = false;
  FrontSetup setup{record_.ports, record_.hard_stop, AffordableMaxconn(options_.front_maxconn)};
  for (const ReplicaRecord& replica : serving()) {
    const auto servers = ServersOf(replica);
    setup.servers.insert(setup.servers.end(), servers.begin(), servers.end());
  }
  const std::string config = directory_ + "/front.cfg";
  TIDEGATE_TRY_VOID(WriteFileAtomic(config, FrontConfig(setup, options_)));
  record_.process = {};
  TIDEGATE_TRY_VOID(Save());
  GatewayProcess::Command command{
      options_.haproxy,          config, directory_, directory_ + "/front.log",
      directory_ + "/front.log", "",     {}};
  for (const GatewayProcess& old : predecessors_) {
    command.successor_of.push_back(old.identity().pid);
  }
  if (!predecessors_.empty() && takeovers_ > 0 && takeovers_ < kMaxTakeovers) {
    ++takeovers_;
    command.listeners_from = "front.sock";
  }
  TIDEGATE_TRY(process_, GatewayProcess::Start(command));
  record_.process = process_.identity();
  return Save();
}

bool Front::Answers() {
  if (!process_.running()) return false;
  if (answered_) return true;
  // A predecessor's socket is replaced when the new process is up, so ask for the pid.
  const auto info = api_.Run("show info");
  const std::string mine = fmt::format("\nPid: {}\n", process_.identity().pid);
  answered_ = info.has_value() && info->find(mine) != std::string::npos;
  if (answered_ && !replace_) {
    reserved_.clear();
    takeovers_ = 0;
    // It has told those that it knew of; a second time does no harm.
    for (const GatewayProcess& old : predecessors_) old.Signal(SIGUSR1);
  }
  return answered_;
}

Expected<std::vector<ServerState>> Front::Servers() const {
  TIDEGATE_TRY(const std::string text, api_.Run("show servers state"));
  return ParseServersState(text);
}

bool Front::HasPort(const std::string& port_name) const {
  return std::any_of(record_.ports.begin(), record_.ports.end(),
                     [&port_name](const PortBinding& port) { return port.name == port_name; });
}

std::vector<ServerSetup> Front::ServersOf(const ReplicaRecord& replica) const {
  std::vector<ServerSetup> servers;
  for (const PortBinding& port : replica.ports) {
    if (!HasPort(port.name)) continue;
    servers.push_back({BackendName(port.name), replica.name, port.port, replica.metrics_port,
                       replica.maxconn, options_.health_interval});
  }
  return servers;
}

Expected<void> Front::Add(const ReplicaRecord& replica) {
  for (const ServerSetup& server : ServersOf(replica)) {
    TIDEGATE_TRY(const std::string answer, api_.Run(AddServerCommand(server)));
    if (!Succeeded(answer)) {
      return Fail(ErrorCode::kUnavailable,
                  fmt::format("the front does not take {}: {}", replica.name,
                              answer.substr(0, answer.find('\n', 1))));
    }
  }
  return {};
}

Expected<void> Front::Remove(const std::vector<ServerState>& servers) {
  for (const ServerState& server : servers) {
    const std::string name = server.backend + "/" + server.name;
    // Maintenance in every backend first: deletion may have to wait in one of them.
    if (!server.in_maintenance()) {
      TIDEGATE_TRY(const std::string answer, api_.Run("set server " + name + " state maint"));
    }
  }
  for (const ServerState& server : servers) {
    // The refusal while requests are in progress is no error; the next call tries again.
    const std::string name = server.backend + "/" + server.name;
    TIDEGATE_TRY(const std::string answer, api_.Run("del server " + name));
  }
  return {};
}

void Front::Stop(int signal) {
  process_.Signal(signal);
  for (const GatewayProcess& process : predecessors_) process.Signal(signal);
}

bool Front::TakeExits() {
  bool any = false;
  if (process_.TakeExit()) {
    any = true;
    answered_ = false;
  }
  for (GatewayProcess& process : predecessors_) any = process.TakeExit() || any;
  std::erase_if(predecessors_, [](const GatewayProcess& p) { return !p.running(); });
  return any;
}

void Front::CollectWaitFds(std::vector<int>& fds) const {
  if (process_.running()) fds.push_back(process_.wait_fd());
  for (const GatewayProcess& process : predecessors_) fds.push_back(process.wait_fd());
}

FrontMember MemberOf(const ReplicaRecord& replica, const Front& front,
                     const std::vector<ServerState>& servers) {
  FrontMember member;
  for (const PortBinding& port : replica.ports) {
    if (!front.HasPort(port.name)) continue;
    const std::string backend = BackendName(port.name);
    const auto found = std::find_if(servers.begin(), servers.end(), [&](const ServerState& s) {
      return s.name == replica.name && s.backend == backend;
    });
    const bool here = found != servers.end();
    member.anywhere = member.anywhere || here;
    member.everywhere = member.everywhere && here;
    member.up = member.up && here && found->up();
    member.maintenance = member.maintenance || (here && found->in_maintenance());
  }
  return member;
}

}  // namespace tidegate::adapters
