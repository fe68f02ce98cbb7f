#include "scheduler/daemon/daemon.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "scheduler/daemon/fault_actuator.h"
#include "scheduler/daemon/pool_templates.h"
#include "scheduler/telemetry/log.h"

namespace tidegate::daemon {
namespace {

using std::chrono::steady_clock;
using telemetry::LogError;
using telemetry::LogInfo;
using telemetry::LogWarn;

constexpr Duration kLookEvery{1'000};    // at the configuration's files
constexpr Duration kStandstill{60'000};  // a loop that has not turned for so long is not alive
constexpr std::size_t kFewPools = 200;   // up to so many, every decision is worth a record

std::int64_t SteadyMillis() {
  return std::chrono::duration_cast<Duration>(steady_clock::now().time_since_epoch()).count();
}

std::string JournalPath(const config::DaemonConfig& config) {
  return (std::filesystem::path(config.state_dir) / "journal.db").string();
}

// What a reload can't change in a daemon that runs.
std::vector<std::string> NeedsRestart(const config::DaemonConfig& now,
                                      const config::DaemonConfig& next) {
  std::vector<std::string> notes;
  const auto add = [&](bool differs, const char* field) {
    if (differs) notes.push_back(std::string(field) + " has changed; it acts after a restart");
  };
  add(now.listen_host != next.listen_host || now.listen_port != next.listen_port, "spec.listen");
  add(now.state_dir != next.state_dir, "spec.stateDir");
  add(now.tick != next.tick, "spec.tick");
  add(now.process.haproxy != next.process.haproxy ||
          now.process.exact_ports != next.process.exact_ports ||
          now.process.bind != next.process.bind,
      "spec.process.{haproxy,exactPorts,bind}");
  add(now.journal.max_age != next.journal.max_age ||
          now.journal.max_bytes != next.journal.max_bytes,
      "spec.journal");
  return notes;
}

void WarnOfManifests(const config::CompiledConfig& config) {
  for (std::size_t i = 0; i < config.pools.size(); ++i) {
    for (const config::AcceptedField& field : config.manifests[i].gateway.warnings) {
      LogWarn(
          "manifest",
          {{"pool", ToString(config.pools[i].id)}, {"field", field.path}, {"what", field.remark}});
    }
  }
}

}  // namespace

Daemon::Daemon(config::CompiledConfig config, RunOptions options, Waker& waker)
    : config_(std::make_unique<config::CompiledConfig>(std::move(config))),
      options_(std::move(options)),
      waker_(waker),
      exporter_({.version = TIDEGATE_VERSION, .revision = TIDEGATE_REVISION}) {}

Daemon::~Daemon() = default;

Expected<std::unique_ptr<Daemon>> Daemon::Start(config::CompiledConfig config, RunOptions options,
                                                Waker& waker) {
  std::unique_ptr<Daemon> daemon(new Daemon(std::move(config), std::move(options), waker));
  TIDEGATE_TRY_VOID(daemon->Open());
  return daemon;
}

loop::Options Daemon::LoopOptions() const {
  loop::Options options;
  options.period = config_->daemon.tick;
  if (config_->pools.size() <= kFewPools) options.record_every = Duration(0);
  return options;
}

Expected<void> Daemon::Open() {
  TIDEGATE_TRY(adapters::ProcessFleetOptions fleet, FleetOptions(config_->daemon));
  if (options_.break_for_test == "drain-order") fleet.fault = adapters::ProcessFault::kDrainOrder;
  fleet.on_change = [this] { waker_.Notify(); };
  fleet.on_warning = [](const std::string& text) { LogWarn("process fleet", {{"what", text}}); };
  TIDEGATE_TRY(fleet_, adapters::ProcessFleet::Open(std::move(fleet)));
  source_ = std::make_unique<LiveSource>(*fleet_);
  ports::Actuator* actuator = fleet_.get();
  if (options_.break_for_test == "overshoot") {
    fault_ = std::make_unique<OvershootActuator>(*fleet_);
    actuator = fault_.get();
  }
  if (!options_.break_for_test.empty()) {
    LogWarn("a promise is broken on purpose, for a test", {{"what", options_.break_for_test}});
  }
  TIDEGATE_TRY_VOID(OpenJournal());
  loop_ =
      std::make_unique<loop::ControlLoop>(clock_, *source_, *actuator, *journal_, LoopOptions());
  std::vector<std::string> lost;
  TIDEGATE_TRY(decision::DecisionState state, journal_->Restore(&lost));
  for (const std::string& problem : lost)
    LogWarn("a part of the state is not readable", {{"what", problem}});
  LogInfo("state restored", {{"pools", static_cast<std::int64_t>(state.pools.size())}});
  loop_->Restore(std::move(state));
  auto config = std::move(config_);
  config_ = std::make_unique<config::CompiledConfig>();
  config_->daemon = config->daemon;
  TIDEGATE_TRY_VOID(Apply(std::move(config)));
  return OpenServer();
}

Expected<void> Daemon::OpenJournal() {
  const config::JournalConfig& journal = config_->daemon.journal;
  TIDEGATE_TRY(journal_, adapters::SqliteJournal::Open({.path = JournalPath(config_->daemon),
                                                        .max_age = journal.max_age,
                                                        .max_bytes = journal.max_bytes}));
  return {};
}

ApiContext Daemon::MakeApi() {
  ApiContext api;
  api.published = &published_;
  api.metrics = [this] { return exporter_.Serialize(); };
  api.targets = [this] { return fleet_->TargetsJson(); };
  api.fronts = [this](const PoolId& pool) {
    std::vector<FrontAddress> addresses;
    for (const auto& [port, address] : fleet_->FrontAddresses(pool))
      addresses.push_back({port, address});
    return addresses;
  };
  api.alive = [this] {
    return SteadyMillis() - turned_ < (config_->daemon.tick * 3 + kStandstill).count();
  };
  api.journal_path = JournalPath(config_->daemon);
  api.version = TIDEGATE_VERSION;
  return api;
}

Expected<void> Daemon::OpenServer() {
  net::HttpServerOptions server;
  server.host = config_->daemon.listen_host;
  server.port = static_cast<std::uint16_t>(config_->daemon.listen_port);
  const ApiContext api = MakeApi();
  turned_ = SteadyMillis();
  TIDEGATE_TRY(server_, net::HttpServer::Start(server, [api](const net::HttpRequest& request) {
                 return Answer(request, api);
               }));
  LogInfo("serving",
          {{"url", server_->url()}, {"pools", static_cast<std::int64_t>(config_->pools.size())}});
  return {};
}

Expected<void> Daemon::Apply(std::unique_ptr<config::CompiledConfig> next) {
  TIDEGATE_TRY_VOID(fleet_->Configure(PoolTemplates(*next)));
  TIDEGATE_TRY_VOID(source_->Configure(*next));
  status_.notes = NeedsRestart(config_->daemon, next->daemon);
  for (const std::string& note : status_.notes) LogWarn("reload", {{"what", note}});
  WarnOfManifests(*next);
  next->daemon.tick = config_->daemon.tick;
  loop_->Configure(next->pools);
  config_ = std::move(next);
  watch_.Watch(config_->files, config_->folders);
  status_.ok = true;
  status_.problems.clear();
  status_.loaded = status_.checked = clock_.Now();
  exporter_.RecordReload(
      {.at = status_.checked, .ok = true, .problems = 0, .version = config_->Version()});
  return {};
}

void Daemon::Reload() {
  config::Compiled compiled = config::LoadAndCompile(options_.config, {});
  status_.checked = clock_.Now();
  if (compiled.problems.empty()) {
    auto applied = Apply(std::make_unique<config::CompiledConfig>(std::move(compiled.config)));
    if (applied) {
      LogInfo("configuration reloaded", {{"version", config_->Version()}});
      return;
    }
    status_.problems = {applied.error().message};
  } else {
    status_.problems.clear();
    for (const config::Problem& problem : compiled.problems.list())
      status_.problems.push_back(ToString(problem));
  }
  status_.ok = false;
  for (const std::string& problem : status_.problems) {
    LogError("bad configuration; the last good one stays in use", {{"problem", problem}});
  }
  exporter_.RecordReload({.at = status_.checked,
                          .ok = false,
                          .problems = static_cast<int>(status_.problems.size()),
                          .version = config_->Version()});
}

void Daemon::Tell(const loop::Tick& tick) {
  for (const decision::Decision& decision : tick.decisions) {
    const bool quiet = decision.plan.steps.empty() && decision.desired.replicas == decision.current;
    if (!quiet)
      LogInfo("decision",
              {{"pool", ToString(decision.pool)}, {"what", decision::Summary(decision)}});
  }
  for (const loop::StepFailure& failure : tick.failures) {
    LogWarn("step failed", {{"pool", ToString(failure.pool)},
                            {"replica", failure.step.replica},
                            {"error", failure.error.message}});
  }
  for (const loop::PastFailure& failure : tick.past_failures) {
    LogWarn("a pool's past can't be had; forecasts learn without it",
            {{"pool", ToString(failure.pool)}, {"error", failure.error}});
  }
  if (!tick.observe_error.empty())
    LogWarn("nothing could be observed", {{"error", tick.observe_error}});
  if (!tick.journal_error.empty()) LogError("journal", {{"error", tick.journal_error}});
}

void Daemon::Publish() {
  published_.Set({.tick = loop_->last(), .config = status_, .period = config_->daemon.tick});
}

void Daemon::Tick() {
  const auto begin = steady_clock::now();
  const Instant was_due = next_tick_.due();
  const Duration late =
      was_due == Instant{} ? Duration(0) : std::max(Duration(0), clock_.Now() - was_due);
  const Instant due = loop_->Step();
  const auto took = std::chrono::duration_cast<Duration>(steady_clock::now() - begin);
  const auto tick = loop_->last();
  exporter_.RecordTick({.tick = tick.get(),
                        .state = &loop_->state(),
                        .pools = loop_->pools(),
                        .took = took,
                        .late = late,
                        .period = config_->daemon.tick});
  for (const adapters::QueryStats& query : source_->query_stats()) {
    exporter_.RecordQuery(
        {.query = query.query, .took = query.took, .error = query.error, .empty = query.empty});
  }
  exporter_.RecordJournal({.bytes = journal_->bytes(), .records = journal_->records()});
  for (const decision::PoolSpec& pool : loop_->pools()) {
    exporter_.RecordFront(pool.id, fleet_->PoolError(pool.id).empty());
  }
  Tell(*tick);
  Publish();
  next_tick_.Ticked(clock_.Now(), due);
}

Expected<void> Daemon::Run() {
  Instant looked = clock_.Now();
  for (;;) {
    turned_ = SteadyMillis();
    const Instant now = clock_.Now();
    const Instant next = next_tick_.At();
    TIDEGATE_TRY_VOID(fleet_->CheckOwnership());
    if (now >= next) {
      Tick();
      continue;
    }
    const Wakeup wakeup = waker_.Wait(std::min(next - now, kLookEvery));
    if (wakeup == Wakeup::kStop) return fleet_->CheckOwnership();
    if (wakeup == Wakeup::kEvent) next_tick_.Happened();
    const bool look = clock_.Now() - looked >= kLookEvery;
    if (look) looked = clock_.Now();
    if (wakeup == Wakeup::kReload || (look && watch_.Changed())) {
      Reload();
      Publish();
      next_tick_.Happened();
    }
  }
}

void Daemon::Stop() {
  LogInfo("stopping", {{"pools", options_.drain_on_exit ? "drained" : "left serving"}});
  server_->Stop();
  if (auto saved = loop_->Checkpoint(); !saved)
    LogError("journal", {{"error", saved.error().message}});
  fleet_->Stop(options_.drain_on_exit);
  LogInfo("stopped");
}

}  // namespace tidegate::daemon
