#include "scheduler/adapters/process/pool_runner.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include <fmt/format.h>

namespace tidegate::adapters {
namespace {

using signals::Phase;

constexpr std::size_t kMaxRecord = 64 * 1024;
constexpr int kSpawnsAtOnce = 4;  // then other pools get their turn
constexpr Duration kTransitionStep{25};
constexpr Duration kProbeEvery{25};
constexpr Duration kProbeDeadline{1'000};
constexpr Duration kFrontDrain{30'000};
constexpr Duration kBrokenDeregistration{1'000};

// The first complaint of a process that did not get as far as to serve.
std::string LastWords(const std::string& path) {
  const auto text = ReadFileBounded(path, kMaxRecord);
  if (!text) return "";
  std::size_t begin = text->find("[ALERT]");
  if (begin == std::string::npos) begin = 0;
  return ": " + text->substr(begin, std::min<std::size_t>(text->find('\n', begin) - begin, 300));
}

}  // namespace

PoolRunner::PoolRunner(PoolId id, const ProcessFleetOptions& options)
    : id_(std::move(id)),
      options_(options),
      directory_(Directory(options, id_)),
      front_(directory_, options) {}

std::string PoolRunner::Directory(const ProcessFleetOptions& options, const PoolId& id) {
  return fmt::format("{}/{}_{}", options.state_dir, id.ns, id.name);
}

std::string PoolRunner::ReplicaDirectory(const std::string& name) const {
  return directory_ + "/" + name;
}

void PoolRunner::Warn(const std::string& text) {
  // The same thing again, 40 times a second, would help nobody.
  if (std::exchange(last_warning_, text) == text) return;
  if (options_.on_warning) options_.on_warning(ToString(id_) + ": " + text);
}

bool PoolRunner::WarnIfFailed(const Expected<void>& result) {
  if (!result) Warn(result.error().message);
  return !result;
}

Expected<void> PoolRunner::Save(const Replica& replica) const {
  return WriteFileAtomic(ReplicaDirectory(replica.record.name) + "/replica.json",
                         ToJson(replica.record));
}

void PoolRunner::SetPhase(Replica& replica, Phase phase, Instant wall) {
  if (replica.record.phase == phase) return;
  replica.record.phase = phase;
  replica.record.since = wall;
  if (phase == Phase::kReady && !replica.record.ready_at) replica.record.ready_at = wall;
  WarnIfFailed(Save(replica));
  changed_ = true;
}

Expected<void> PoolRunner::Recover(const ProcessTable& processes, Instant wall) {
  TIDEGATE_TRY_VOID(front_.Recover(processes));
  for (const std::string& name : ListDirectory(directory_)) {
    if (name.rfind("front.", 0) == 0) continue;
    TIDEGATE_TRY_VOID(RecoverReplica(name, processes, wall));
  }
  return {};
}

Expected<void> PoolRunner::RecoverReplica(const std::string& name, const ProcessTable& processes,
                                          Instant wall) {
  const std::string directory = ReplicaDirectory(name);
  Replica replica;
  auto text = ReadFileBounded(directory + "/replica.json", kMaxRecord);
  if (!text && text.error().code != ErrorCode::kNotFound) return Fail(text.error());
  auto record = text ? ParseReplicaRecord(*text) : Expected<ReplicaRecord>(Fail(text.error()));
  const bool known = record.has_value() && record->name == name;
  if (known) replica.record = std::move(*record);
  const auto range = processes.equal_range(directory + "/haproxy.cfg");
  for (auto it = range.first; it != range.second; ++it) {
    auto process = GatewayProcess::Adopt(it->second);
    if (!process) continue;
    const ProcessIdentity& recorded = replica.record.process;
    if (known && !replica.process.running() && (recorded.pid == 0 || it->second == recorded)) {
      replica.process = std::move(*process);
    } else {
      process->Signal(SIGUSR1);  // no record speaks of it; it ends by itself, by its hard stop
    }
  }
  if (!known) {
    // The crash came before the start was written down: it never was accepted.
    if (text) Warn(fmt::format("dropped {}: {}", name, record.error().message));
    return RemoveTree(directory);
  }
  replica.healthy = replica.record.ready_at.has_value();
  const bool ran = replica.record.process.pid != 0;
  if (replica.process.running()) replica.record.process = replica.process.identity();
  const bool died = ran && !replica.process.running();
  OpenAccessLog(replica);
  auto& kept = replicas_[name] = std::move(replica);
  if (died && kept.record.phase != Phase::kDraining) SetPhase(kept, Phase::kFailed, wall);
  return {};
}

Expected<void> PoolRunner::Configure(PoolTemplate pool) {
  TIDEGATE_TRY_VOID(MakeDirectory(directory_));
  const std::vector<PortBinding> before = front_.record().ports;
  TIDEGATE_TRY_VOID(front_.Configure(pool));
  for (const PortBinding& port : before) {
    const auto& now = front_.record().ports;
    if (std::find(now.begin(), now.end(), port) != now.end()) continue;
    Warn(
        fmt::format("closes port {} ({}): requests in progress are finished, a connection that "
                    "arrives as it closes is reset",
                    port.name, port.port));
  }
  template_ = std::move(pool);
  retiring_ = false;
  front_deadline_.reset();
  next_look_ = {};
  return {};
}

void PoolRunner::Retire(Instant wall) {
  if (std::exchange(retiring_, true)) return;
  for (const auto& [name, replica] : replicas_) WarnIfFailed(DrainReplica(name, wall));
}

Expected<void> PoolRunner::StartReplica(const std::string& name, const Revision& revision,
                                        Instant wall) {
  if (replicas_.count(name) != 0) return {};
  if (retiring_ || !template_ || template_->revision != revision) {
    return Fail(ErrorCode::kConflict,
                fmt::format("{} was to run revision {}, which is not configured", name, revision));
  }
  Replica replica;
  replica.record.name = name;
  replica.record.revision = revision;
  replica.record.since = wall;
  replica.record.started = wall;
  replica.record.drain_period = template_->drain_deadline;
  replica.record.access_log_project = template_->access_log_project;
  replica.record.maxconn = MaxconnOf(*template_);
  TIDEGATE_TRY_VOID(MakeDirectory(ReplicaDirectory(name)));
  TIDEGATE_TRY_VOID(Save(replica));
  replicas_[name] = std::move(replica);
  changed_ = true;
  return {};
}

Expected<void> PoolRunner::DrainReplica(const std::string& name, Instant wall) {
  const auto found = replicas_.find(name);
  if (found == replicas_.end() || found->second.record.phase == Phase::kDraining) return {};
  Replica& replica = found->second;
  replica.record.drain_deadline = wall + replica.record.drain_period;
  replica.probe.reset();
  SetPhase(replica, Phase::kDraining, wall);
  next_look_ = {};
  return {};
}

void PoolRunner::OpenAccessLog(Replica& replica) const {
  if (replica.record.access_log_project.empty()) return;
  replica.log.emplace(
      ReplicaDirectory(replica.record.name) + "/access.log",
      fmt::format("{}/logs/{}.log", options_.state_dir, replica.record.access_log_project));
}

void PoolRunner::MoveAccessLogs() {
  for (auto& [name, replica] : replicas_) {
    if (replica.log) WarnIfFailed(replica.log->Move());
  }
}

Expected<void> PoolRunner::Spawn(Replica& replica) {
  ReplicaRecord& record = replica.record;
  record.ports.clear();
  replica.reserved.clear();
  TIDEGATE_TRY(ReservedPort metrics, ReservePort("127.0.0.1"));
  record.metrics_port = metrics.port;
  replica.reserved.push_back(std::move(metrics));
  for (const PortTemplate& port : template_->ports) {
    TIDEGATE_TRY(ReservedPort reserved, ReservePort("127.0.0.1"));
    record.ports.push_back({port.name, reserved.port});
    replica.reserved.push_back(std::move(reserved));
  }
  const std::string directory = ReplicaDirectory(record.name);
  const std::string config = directory + "/haproxy.cfg";
  TIDEGATE_TRY_VOID(
      WriteFileAtomic(config, ReplicaConfig(*template_, record.ports, record.metrics_port)));
  TIDEGATE_TRY_VOID(Save(replica));
  if (!record.access_log_project.empty()) {
    TIDEGATE_TRY_VOID(MakeDirectory(options_.state_dir + "/logs"));
  }
  OpenAccessLog(replica);
  TIDEGATE_TRY(replica.process,
               GatewayProcess::Start({options_.haproxy, config, directory,
                                      directory + "/access.log", directory + "/stderr.log"}));
  record.process = replica.process.identity();
  return Save(replica);
}

void PoolRunner::AdvanceStarts(Instant wall) {
  int spawned = 0;
  for (auto& [name, replica] : replicas_) {
    if (replica.record.phase != Phase::kStarting) continue;
    if (replica.process.running()) {
      if (!replica.healthy) Probe(replica);
      continue;
    }
    if (!template_ || spawned == kSpawnsAtOnce) continue;
    const bool current = template_->revision == replica.record.revision;
    if (!current || WarnIfFailed(Spawn(replica))) SetPhase(replica, Phase::kFailed, wall);
    ++spawned;
  }
}

void PoolRunner::Probe(Replica& replica) {
  if (!replica.probe) {
    if (now_ < replica.next_probe) return;
    replica.probe.emplace(replica.record.metrics_port, now_ + kProbeDeadline);
    replica.next_probe = now_ + kProbeEvery;
  }
  const HealthProbe::Result result = replica.probe->Step(now_);
  if (result == HealthProbe::Result::kPending) return;
  replica.probe.reset();
  if (result == HealthProbe::Result::kFailed) return;
  replica.healthy = true;
  replica.reserved.clear();
  next_look_ = {};
}

void PoolRunner::TakeExits(Instant wall) {
  if (front_.TakeExits()) {
    next_look_ = {};
    changed_ = true;
  }
  for (auto& [name, replica] : replicas_) {
    if (!replica.process.TakeExit()) continue;
    replica.probe.reset();
    replica.reserved.clear();
    replica.broken_since = now_;
    next_look_ = {};
    if (replica.record.phase == Phase::kDraining) continue;
    Warn(fmt::format("{} died (process {}){}", name, replica.record.process.pid,
                     replica.healthy ? "" : LastWords(ReplicaDirectory(name) + "/stderr.log")));
    SetPhase(replica, Phase::kFailed, wall);
  }
}

bool PoolRunner::MayServe(const Replica& replica) const {
  if (replica.record.phase != Phase::kDraining) {
    return replica.healthy && replica.process.running();
  }
  return options_.fault == ProcessFault::kDrainOrder &&
         (replica.process.running() ||
          (replica.broken_since && now_ - *replica.broken_since < kBrokenDeregistration));
}

void PoolRunner::ReconcileOne(Replica& replica, const std::vector<ServerState>& servers,
                              Instant wall) {
  const FrontMember member = MemberOf(replica.record, front_, servers);
  if (!MayServe(replica)) {
    std::vector<ServerState> mine;
    std::copy_if(servers.begin(), servers.end(), std::back_inserter(mine),
                 [&replica](const ServerState& s) { return s.name == replica.record.name; });
    NoteFront(front_.Remove(mine));
    replica.deregistered = mine.empty() && !front_.has_predecessors();
    return;
  }
  if (replica.record.phase == Phase::kDraining) return;
  if (!member.everywhere || member.maintenance) {
    NoteFront(front_.Add(replica.record));
  } else if (member.up) {
    SetPhase(replica, Phase::kReady, wall);
  } else if (replica.record.phase == Phase::kReady) {
    Warn(replica.record.name + " does not answer its health checks");
    SetPhase(replica, Phase::kFailed, wall);
  }
}

void PoolRunner::RemoveStrangers(const std::vector<ServerState>& servers) {
  std::vector<ServerState> strangers;
  for (const ServerState& server : servers) {
    if (replicas_.count(server.name) == 0) strangers.push_back(server);
  }
  NoteFront(front_.Remove(strangers));
}

void PoolRunner::Reconcile(const std::vector<ServerState>& servers, Instant wall) {
  for (auto& [name, replica] : replicas_) {
    ReconcileOne(replica, servers, wall);
    if (front_stuck_) return;  // each further command could take as long
  }
  RemoveStrangers(servers);
}

std::vector<ReplicaRecord> PoolRunner::Serving() const {
  std::vector<ReplicaRecord> serving;
  for (const auto& [name, replica] : replicas_) {
    if (replica.record.phase == Phase::kReady && MayServe(replica)) {
      serving.push_back(replica.record);
    }
  }
  return serving;
}

void PoolRunner::AdvanceFront(Instant wall) {
  if (front_deadline_) return;  // being stopped
  if (auto kept = front_.Keep(now_, [this] { return Serving(); }); !kept) {
    front_error_ = kept.error().message;
    Warn(front_error_);
  }
  if (!front_.running()) {
    // Nothing is sent to anybody; a new front starts empty.
    for (auto& [name, replica] : replicas_) {
      replica.deregistered = replica.record.phase == Phase::kDraining && !front_.has_predecessors();
    }
    return;
  }
  if (now_ >= next_look_) LookAtFront(wall);
}

void PoolRunner::NoteFront(const Expected<void>& result) {
  if (result) return;
  front_stuck_ = front_stuck_ || result.error().code == ErrorCode::kTimeout;
  WarnIfFailed(result);
}

void PoolRunner::LookAtFront(Instant wall) {
  front_stuck_ = false;
  auto servers = front_.Answers() ? front_.Servers()
                                  : Expected<std::vector<ServerState>>(Fail(
                                        ErrorCode::kUnavailable, "the front does not answer yet"));
  front_error_ = servers ? "" : servers.error().message;
  if (servers) {
    front_silent_since_.reset();
    return Reconcile(*servers, wall);
  }
  front_stuck_ = true;
  if (!front_silent_since_) front_silent_since_ = now_;
  const bool waited = now_ - *front_silent_since_ > options_.command_timeout;
  if (waited) Warn(front_error_);
  if (now_ - *front_silent_since_ < options_.front_patience) return;
  Warn("restarts a front that does not answer");
  front_.Kill();
  front_silent_since_.reset();
}

void PoolRunner::AdvanceDrain(Replica& replica, Instant wall) {
  if (replica.record.phase != Phase::kDraining || !replica.process.running()) return;
  if (options_.fault == ProcessFault::kDrainOrder && !std::exchange(replica.stopping, true)) {
    replica.process.Signal(SIGTERM);
  }
  if (replica.deregistered && !std::exchange(replica.stopping, true)) {
    replica.process.Signal(SIGUSR1);
  }
  const bool late = replica.record.drain_deadline && wall >= *replica.record.drain_deadline;
  if (late && !std::exchange(replica.killed, true)) replica.process.Signal(SIGKILL);
}

void PoolRunner::RemoveFinished() {
  for (auto it = replicas_.begin(); it != replicas_.end();) {
    const Replica& replica = it->second;
    const bool over = replica.record.phase == Phase::kDraining && !replica.process.running() &&
                      replica.deregistered;
    if (!over) {
      ++it;
      continue;
    }
    if (it->second.log) WarnIfFailed(it->second.log->Finish());
    WarnIfFailed(RemoveTree(ReplicaDirectory(it->first)));
    it = replicas_.erase(it);
    changed_ = true;
  }
}

void PoolRunner::AdvanceRetirement(Instant wall) {
  if (!retiring_ || !replicas_.empty()) return;
  if (!front_deadline_) {
    front_deadline_ = wall + (template_ ? template_->drain_deadline : kFrontDrain);
    front_.Stop(SIGUSR1);
  }
  if (wall >= *front_deadline_) front_.Stop(SIGKILL);
  if (!front_.gone()) return;
  WarnIfFailed(RemoveTree(directory_));
  gone_ = true;
  changed_ = true;
}

bool PoolRunner::InTransition() const {
  if (front_.unsettled() || front_.has_predecessors() || retiring_) return true;
  return std::any_of(replicas_.begin(), replicas_.end(), [](const auto& entry) {
    const Phase phase = entry.second.record.phase;
    return phase == Phase::kStarting || phase == Phase::kDraining;
  });
}

SteadyTime PoolRunner::Advance(SteadyTime now, Instant wall) {
  now_ = now;
  TakeExits(wall);
  AdvanceStarts(wall);
  const bool look = now_ >= next_look_;
  AdvanceFront(wall);
  for (auto& [name, replica] : replicas_) AdvanceDrain(replica, wall);
  RemoveFinished();
  AdvanceRetirement(wall);
  if (look) {
    MoveAccessLogs();
    // A front that answers slowly holds up this thread, and so the other pools, at each look.
    const SteadyTime after = std::chrono::steady_clock::now();
    const bool slow = after - now_ >= options_.command_timeout / 2;
    next_look_ = after + (InTransition() && !slow ? kTransitionStep : options_.health_interval);
  }
  return NextDue(wall);
}

SteadyTime PoolRunner::NextDue(Instant wall) const {
  SteadyTime due = next_look_;
  for (const auto& [name, replica] : replicas_) {
    const ReplicaRecord& record = replica.record;
    if (record.phase == Phase::kStarting && !replica.healthy) {
      due = std::min(due, now_ + kProbeEvery);
    }
    if (record.drain_deadline && *record.drain_deadline > wall) {
      due = std::min(due, now_ + (*record.drain_deadline - wall));
    }
  }
  return due;
}

void PoolRunner::CollectWaits(std::vector<Wait>& waits) const {
  constexpr short kReadable = 1;  // POLLIN
  std::vector<int> fronts;
  front_.CollectWaitFds(fronts);
  for (const int fd : fronts) waits.push_back({fd, kReadable});
  for (const auto& [name, replica] : replicas_) {
    if (replica.process.running()) waits.push_back({replica.process.wait_fd(), kReadable});
    if (replica.probe) waits.push_back({replica.probe->wait_fd(), replica.probe->wait_events()});
  }
}

PoolReport PoolRunner::Report() const {
  PoolReport report;
  report.error = front_error_;
  report.front_pid = front_.pid();
  for (const PortBinding& port : front_.record().ports) {
    report.addresses[port.name] = fmt::format("{}:{}", options_.bind_address, port.port);
  }
  const std::string& cluster = front_.record().export_cluster;
  for (const auto& [name, replica] : replicas_) {
    const ReplicaRecord& record = replica.record;
    report.replicas.push_back({record.name, record.revision, record.phase, record.since,
                               record.started, record.ready_at});
    if (!replica.process.running()) continue;
    report.pids[name] = replica.process.identity().pid;
    if (!replica.healthy || cluster.empty()) continue;
    report.targets.push_back(
        {id_, name, fmt::format("127.0.0.1:{}", record.metrics_port), cluster,
         template_ ? template_->labels : std::map<std::string, std::string>{}});
  }
  return report;
}

bool PoolRunner::TakeChanged() { return std::exchange(changed_, false); }

}  // namespace tidegate::adapters
