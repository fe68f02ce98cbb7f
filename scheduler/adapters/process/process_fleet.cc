#include "scheduler/adapters/process/process_fleet.h"

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "scheduler/adapters/process/gateway_process.h"
#include "scheduler/adapters/process/pool_runner.h"
#include "scheduler/adapters/process/posix.h"
#include "scheduler/adapters/process/state_lock.h"
#include "scheduler/adapters/system_clock.h"

namespace tidegate::adapters {
namespace {

constexpr Duration kLockPatience{500};
constexpr Duration kSpawnPatience{2'000};  // with a process that a killed daemon was just starting
constexpr Duration kStopGrace{10'000};
constexpr std::size_t kMaxName = 200;

struct Command {
  std::optional<std::vector<PoolTemplate>> configure;  // else a step
  Instant now{};
  PoolId pool;
  rollout::Step step;
};

bool IsReplicaName(const std::string& name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  };
  return !name.empty() && name.size() <= kMaxName && name.front() != '.' && name.front() != '-' &&
         name.rfind("front.", 0) != 0 && std::all_of(name.begin(), name.end(), allowed);
}

// "<namespace>_<pool>"; neither part may hold '_', see Problems().
std::optional<PoolId> PoolOfDirectory(const std::string& name) {
  const std::size_t bar = name.find('_');
  if (bar == std::string::npos || bar == 0 || bar + 1 == name.size()) return std::nullopt;
  return PoolId{name.substr(0, bar), name.substr(bar + 1)};
}

// Shows accepted requests before the thread has begun with them.
void Overlay(const Command& command, const PoolId& pool,
             std::vector<signals::ReplicaView>& replicas) {
  if (command.configure || command.pool != pool) return;
  const auto found = std::find_if(
      replicas.begin(), replicas.end(),
      [&command](const signals::ReplicaView& r) { return r.name == command.step.replica; });
  if (command.step.kind == rollout::StepKind::kStart) {
    if (found != replicas.end()) return;
    replicas.push_back({command.step.replica, command.step.revision, signals::Phase::kStarting,
                        command.now, command.now, std::nullopt});
  } else if (found != replicas.end() && found->phase != signals::Phase::kDraining) {
    found->phase = signals::Phase::kDraining;
    found->since = command.now;
  }
}

}  // namespace

// What the thread works on (pools_, clock_) is touched by nobody else; what is shared is under
// mutex_. The thread holds it only to fetch commands and to publish reports.
class ProcessFleet::Core {
 public:
  explicit Core(ProcessFleetOptions options) : options_(std::move(options)) {}
  ~Core() { Stop(false); }

  Expected<void> Open();
  Expected<void> Configure(std::vector<PoolTemplate> pools);
  Expected<void> Request(Instant now, const PoolId& pool, const rollout::Step& step);
  Expected<void> CheckOwnership() const { return state_lock_->Check(); }
  std::vector<signals::ReplicaView> Observe(const PoolId& pool) const;
  std::vector<ScrapeTarget> Targets() const;
  void Stop(bool drain);

  std::optional<PoolReport> Find(const PoolId& pool) const {
    const std::lock_guard lock(mutex_);
    const auto found = reports_.find(pool);
    return found == reports_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  struct Pool {
    std::unique_ptr<PoolRunner> runner;
    SteadyTime due{};
  };

  void Run();
  bool Turn(const std::set<PoolId>& woken);
  void Push(Command command);
  std::vector<Command> FetchCommands();
  void Apply(const Command& command, Instant wall);
  void ApplyConfiguration(const std::vector<PoolTemplate>& pools, Instant wall);
  Pool& FindOrMake(const PoolId& id);
  void WarnIfFailed(const PoolId& pool, const Expected<void>& result) const;
  bool AdvancePools(const std::set<PoolId>& woken);
  void Publish();
  std::set<PoolId> WaitForEvents();
  Expected<void> RecoverPools();

  ProcessFleetOptions options_;          // constant once open
  std::optional<StateLock> state_lock_;  // set once open
  OwnedFd wake_;
  SystemClock clock_;
  std::map<PoolId, Pool> pools_;
  std::set<PoolId> touched_;  // reports to publish

  mutable std::mutex mutex_;
  std::condition_variable emptied_;
  std::vector<Command> inbox_;
  std::vector<Command> in_work_;
  std::map<PoolId, PoolReport> reports_;
  std::map<PoolId, Revision> configured_;
  Duration longest_drain_{0};
  bool stop_ = false;
  bool idle_ = false;   // no pools and no commands
  bool ended_ = false;  // the thread is done

  std::thread thread_;
};

Expected<void> ProcessFleet::Core::Open() {
  if (options_.state_dir.empty() || options_.state_dir.front() != '/') {
    return Fail(ErrorCode::kInvalid, fmt::format("the state directory '{}' is not an absolute path",
                                                 options_.state_dir));
  }
  if (options_.health_interval < Duration(10) || options_.command_timeout < Duration(10)) {
    return Fail(ErrorCode::kInvalid, "health interval and command timeout must be 10 ms or more");
  }
  TIDEGATE_TRY(options_.haproxy, FindProgram(options_.haproxy));
  TIDEGATE_TRY_VOID(MakeDirectory(options_.state_dir));
  // A process that is being started holds the lock until it stands in its folder: whoever has the
  // lock finds every process of an earlier fleet.
  TIDEGATE_TRY(state_lock_, StateLock::Take(options_.state_dir, kLockPatience));
  wake_ = OwnedFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_.valid()) return Fail(SystemError("make an eventfd"));
  TIDEGATE_TRY_VOID(RecoverPools());
  Publish();
  thread_ = std::thread([this] { Run(); });
  return {};
}

Expected<void> ProcessFleet::Core::RecoverPools() {
  const ProcessTable processes = FindAllGatewayProcesses(options_.state_dir, kSpawnPatience);
  for (const std::string& name : ListDirectory(options_.state_dir)) {
    const auto id = PoolOfDirectory(name);
    if (!id) continue;
    TIDEGATE_TRY_VOID(FindOrMake(*id).runner->Recover(processes, clock_.Now()));
    touched_.insert(*id);
  }
  for (const auto& [config, identity] : processes) {
    if (::access(config.c_str(), F_OK) == 0) continue;
    // Its files are gone, so nothing of ours can know of it any more.
    if (auto stray = GatewayProcess::Adopt(identity)) stray->Signal(SIGUSR1);
  }
  return {};
}

ProcessFleet::Core::Pool& ProcessFleet::Core::FindOrMake(const PoolId& id) {
  Pool& pool = pools_[id];
  if (!pool.runner) pool.runner = std::make_unique<PoolRunner>(id, options_);
  return pool;
}

Expected<void> ProcessFleet::Core::Configure(std::vector<PoolTemplate> pools) {
  std::string problems;
  std::map<PoolId, Revision> configured;
  Duration longest{0};
  for (const PoolTemplate& pool : pools) {
    for (const std::string& problem : Problems(pool)) {
      problems += fmt::format("{}{}: {}", problems.empty() ? "" : "; ", ToString(pool.id), problem);
    }
    if (!configured.emplace(pool.id, pool.revision).second) {
      problems +=
          fmt::format("{}{}: is there twice", problems.empty() ? "" : "; ", ToString(pool.id));
    }
    longest = std::max(longest, pool.drain_deadline);
  }
  if (!problems.empty()) return Fail(ErrorCode::kInvalid, problems);
  const std::lock_guard lock(mutex_);
  configured_ = std::move(configured);
  longest_drain_ = std::max(longest_drain_, longest);
  Command command;
  command.configure = std::move(pools);
  Push(std::move(command));
  return {};
}

void ProcessFleet::Core::Push(Command command) {
  inbox_.push_back(std::move(command));
  idle_ = false;
  const std::uint64_t one = 1;
  // Fails only if the counter is full, and then the thread is awake anyway.
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

Expected<void> ProcessFleet::Core::Request(Instant now, const PoolId& pool,
                                           const rollout::Step& step) {
  if (!IsReplicaName(step.replica)) {
    return Fail(ErrorCode::kInvalid, fmt::format("'{}' can't name a replica", step.replica));
  }
  TIDEGATE_TRY_VOID(CheckOwnership());
  const std::lock_guard lock(mutex_);
  const auto configured = configured_.find(pool);
  if (configured == configured_.end() && reports_.count(pool) == 0) {
    return Fail(ErrorCode::kNotFound, fmt::format("there is no pool {}", ToString(pool)));
  }
  if (step.kind == rollout::StepKind::kStart &&
      (configured == configured_.end() || configured->second != step.revision)) {
    return Fail(ErrorCode::kConflict, fmt::format("revision {} of {} is not the configured one",
                                                  step.revision, ToString(pool)));
  }
  Command command;
  command.now = now;
  command.pool = pool;
  command.step = step;
  Push(std::move(command));
  return {};
}

std::vector<signals::ReplicaView> ProcessFleet::Core::Observe(const PoolId& pool) const {
  const std::lock_guard lock(mutex_);
  std::vector<signals::ReplicaView> replicas;
  if (const auto found = reports_.find(pool); found != reports_.end()) {
    replicas = found->second.replicas;
  }
  for (const Command& command : in_work_) Overlay(command, pool, replicas);
  for (const Command& command : inbox_) Overlay(command, pool, replicas);
  std::sort(replicas.begin(), replicas.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return replicas;
}

std::vector<ScrapeTarget> ProcessFleet::Core::Targets() const {
  const std::lock_guard lock(mutex_);
  std::vector<ScrapeTarget> targets;
  for (const auto& [id, report] : reports_) {
    targets.insert(targets.end(), report.targets.begin(), report.targets.end());
  }
  return targets;
}

void ProcessFleet::Core::Stop(bool drain) {
  if (!thread_.joinable()) return;
  {
    std::unique_lock lock(mutex_);
    if (drain) {
      configured_.clear();
      Command command;
      command.configure.emplace();
      Push(std::move(command));
      emptied_.wait_for(lock, longest_drain_ * 2 + kStopGrace, [this] { return idle_ || ended_; });
    }
    stop_ = true;
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
  }
  thread_.join();
}

std::vector<Command> ProcessFleet::Core::FetchCommands() {
  const std::lock_guard lock(mutex_);
  in_work_ = std::move(inbox_);
  inbox_.clear();
  return in_work_;
}

void ProcessFleet::Core::WarnIfFailed(const PoolId& pool, const Expected<void>& result) const {
  if (!result && options_.on_warning) {
    options_.on_warning(ToString(pool) + ": " + result.error().message);
  }
}

void ProcessFleet::Core::ApplyConfiguration(const std::vector<PoolTemplate>& pools, Instant wall) {
  std::set<PoolId> wanted;
  for (const PoolTemplate& pool : pools) {
    wanted.insert(pool.id);
    Pool& kept = FindOrMake(pool.id);
    WarnIfFailed(pool.id, kept.runner->Configure(pool));
    kept.due = {};
  }
  for (auto& [id, pool] : pools_) {
    if (wanted.count(id) != 0) continue;
    pool.runner->Retire(wall);
    pool.due = {};
  }
}

void ProcessFleet::Core::Apply(const Command& command, Instant wall) {
  if (command.configure) return ApplyConfiguration(*command.configure, wall);
  const auto found = pools_.find(command.pool);
  if (found == pools_.end()) return;
  PoolRunner& runner = *found->second.runner;
  found->second.due = {};
  const rollout::Step& step = command.step;
  WarnIfFailed(command.pool, step.kind == rollout::StepKind::kStart
                                 ? runner.StartReplica(step.replica, step.revision, command.now)
                                 : runner.DrainReplica(step.replica, command.now));
}

bool ProcessFleet::Core::AdvancePools(const std::set<PoolId>& woken) {
  bool changed = false;
  for (auto& [id, pool] : pools_) {
    const SteadyTime now = std::chrono::steady_clock::now();
    if (now < pool.due && woken.count(id) == 0) continue;
    pool.due = pool.runner->Advance(now, clock_.Now());
    changed = pool.runner->TakeChanged() || changed;
    touched_.insert(id);
  }
  return changed;
}

void ProcessFleet::Core::Publish() {
  std::map<PoolId, PoolReport> fresh;
  for (const PoolId& id : touched_) {
    const PoolRunner& runner = *pools_.at(id).runner;
    if (!runner.gone()) fresh.emplace(id, runner.Report());
  }
  const std::lock_guard lock(mutex_);
  for (const PoolId& id : touched_) reports_.erase(id);
  reports_.merge(fresh);
  in_work_.clear();
  for (const PoolId& id : touched_) {
    if (pools_.at(id).runner->gone()) pools_.erase(id);
  }
  touched_.clear();
  idle_ = pools_.empty() && inbox_.empty();
  if (idle_) emptied_.notify_all();
}

std::set<PoolId> ProcessFleet::Core::WaitForEvents() {
  SteadyTime due = std::chrono::steady_clock::now() + std::chrono::hours(1);
  std::vector<pollfd> fds{{wake_.get(), POLLIN, 0}};
  std::vector<PoolId> owners{PoolId{}};
  std::vector<PoolRunner::Wait> waits;
  for (const auto& [id, pool] : pools_) {
    due = std::min(due, pool.due);
    waits.clear();
    pool.runner->CollectWaits(waits);
    for (const PoolRunner::Wait& wait : waits) {
      fds.push_back({wait.fd, wait.events, 0});
      owners.push_back(id);
    }
  }
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(due - std::chrono::steady_clock::now());
  const int timeout = static_cast<int>(std::max<std::int64_t>(left.count(), 0));
  std::set<PoolId> woken;
  if (::poll(fds.data(), static_cast<nfds_t>(fds.size()), timeout) <= 0) return woken;
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t n = ::read(wake_.get(), &count, sizeof count);
  for (std::size_t i = 1; i < fds.size(); ++i) {
    if (fds[i].revents != 0) woken.insert(owners[i]);
  }
  return woken;
}

// False once the state directory is another fleet's. This process may have stood still for any
// time before any of its instructions, so what it owned when it waited, or a command before, says
// nothing.
bool ProcessFleet::Core::Turn(const std::set<PoolId>& woken) {
  for (const Command& command : FetchCommands()) {
    if (!CheckOwnership()) return false;
    Apply(command, clock_.Now());
  }
  if (!CheckOwnership()) return false;
  const bool changed = AdvancePools(woken);
  Publish();
  if (changed && options_.on_change) options_.on_change();
  return true;
}

void ProcessFleet::Core::Run() {
  std::set<PoolId> woken;
  while (Turn(woken)) {
    {
      const std::lock_guard lock(mutex_);
      if (stop_) return;
    }
    woken = WaitForEvents();
  }
  if (options_.on_change) options_.on_change();
  const std::lock_guard lock(mutex_);
  ended_ = true;
  emptied_.notify_all();
}

Expected<std::unique_ptr<ProcessFleet>> ProcessFleet::Open(ProcessFleetOptions options) {
  auto core = std::make_unique<Core>(std::move(options));
  TIDEGATE_TRY_VOID(core->Open());
  return std::unique_ptr<ProcessFleet>(new ProcessFleet(std::move(core)));
}

ProcessFleet::ProcessFleet(std::unique_ptr<Core> core) : core_(std::move(core)) {}
ProcessFleet::~ProcessFleet() = default;

Expected<void> ProcessFleet::Configure(std::vector<PoolTemplate> pools) {
  return core_->Configure(std::move(pools));
}

Expected<void> ProcessFleet::CheckOwnership() const { return core_->CheckOwnership(); }

Expected<void> ProcessFleet::Request(Instant now, const PoolId& pool, const rollout::Step& step) {
  return core_->Request(now, pool, step);
}

std::vector<signals::ReplicaView> ProcessFleet::Observe(const PoolId& pool) const {
  return core_->Observe(pool);
}

std::string ProcessFleet::PoolError(const PoolId& pool) const {
  const auto report = core_->Find(pool);
  return report ? report->error : "";
}

Expected<std::string> ProcessFleet::FrontAddress(const PoolId& pool,
                                                 const std::string& port_name) const {
  const auto report = core_->Find(pool);
  if (!report || report->addresses.count(port_name) == 0) {
    return Fail(ErrorCode::kNotFound,
                fmt::format("{} has no port named {}", ToString(pool), port_name));
  }
  return report->addresses.at(port_name);
}

std::map<std::string, std::string> ProcessFleet::FrontAddresses(const PoolId& pool) const {
  const auto report = core_->Find(pool);
  if (!report) return {};
  return {report->addresses.begin(), report->addresses.end()};
}

std::vector<ScrapeTarget> ProcessFleet::Targets() const { return core_->Targets(); }
std::string ProcessFleet::TargetsJson() const { return TargetsToJson(core_->Targets()); }

std::map<std::string, int> ProcessFleet::Pids(const PoolId& pool) const {
  const auto report = core_->Find(pool);
  return report ? report->pids : std::map<std::string, int>{};
}

int ProcessFleet::FrontPid(const PoolId& pool) const {
  const auto report = core_->Find(pool);
  return report ? report->front_pid : 0;
}

void ProcessFleet::Stop(bool drain) { core_->Stop(drain); }

}  // namespace tidegate::adapters
