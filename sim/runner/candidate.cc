#include "sim/runner/candidate.h"

#include <algorithm>
#include <utility>

#include "policies/base/check.h"

namespace tidegate::sim {
namespace {

// "edge.yaml:3:1: ..." lines, without the last line's end.
Error ToError(const config::Problems& problems) {
  std::string text = problems.text();
  while (text.ends_with('\n')) text.pop_back();
  return {ErrorCode::kInvalid, std::move(text)};
}

Expected<config::CompiledConfig> Compile(const std::vector<std::string>& paths) {
  config::Compiled compiled = config::LoadAndCompile(paths, {});
  if (!compiled.problems.empty()) return Fail(ToError(compiled.problems));
  return std::move(compiled.config);
}

void FollowDaemon(const config::DaemonConfig& daemon, Scenario& scenario) {
  scenario.tick = daemon.tick;
  if (!daemon.prometheus) return;
  scenario.scrape_interval = daemon.prometheus->scrape_interval;
  scenario.metrics.window = daemon.prometheus->window;
  scenario.metrics.promql = daemon.prometheus->mode == config::PrometheusMode::kPromql;
}

Expected<std::vector<PoolId>> Wanted(const config::CompiledConfig& config,
                                     const std::vector<std::string>& names) {
  std::vector<PoolId> pools;
  for (const decision::PoolSpec& spec : config.pools) {
    const bool wanted = names.empty() || std::ranges::count(names, ToString(spec.id)) > 0;
    if (wanted) pools.push_back(spec.id);
  }
  for (const std::string& name : names) {
    const auto is_it = [&](const PoolId& id) { return ToString(id) == name; };
    if (std::ranges::none_of(pools, is_it)) {
      return Fail(ErrorCode::kInvalid, "the manifests declare no pool " + name +
                                           "; expected namespace/name of an IstioGateway");
    }
  }
  if (pools.empty()) {
    return Fail(ErrorCode::kInvalid,
                "the manifests declare no IstioGateway; there is nothing to simulate");
  }
  return pools;
}

}  // namespace

Expected<Candidate> LoadCandidate(const CandidateOptions& options) {
  Candidate candidate;
  std::vector<std::string> manifests = options.manifests;
  if (!options.scenario.empty()) {
    LoadedScenario loaded = LoadScenario(options.scenario);
    if (!loaded.problems.empty()) return Fail(ToError(loaded.problems));
    candidate.scenario = std::move(loaded.scenario);
    if (manifests.empty()) manifests = candidate.scenario.manifests;
  }
  if (manifests.empty() && options.config.empty()) {
    return Fail(ErrorCode::kInvalid,
                "nothing to try; expected manifests, a --scenario or a --config");
  }
  std::optional<config::DaemonConfig> daemon;
  if (!options.config.empty()) {
    TIDEGATE_TRY(config::CompiledConfig live, Compile({options.config}));
    daemon = live.daemon;
    if (manifests.empty()) candidate.config = std::move(live);
  }
  if (!manifests.empty()) {
    TIDEGATE_TRY(candidate.config, Compile(manifests));
    if (!daemon) daemon = candidate.config.daemon;
  }
  if (options.scenario.empty()) FollowDaemon(*daemon, candidate.scenario);
  candidate.prometheus = daemon->prometheus;
  TIDEGATE_TRY(candidate.pools, Wanted(candidate.config, options.pools));
  return candidate;
}

Scenario Alone(const Scenario& scenario, const PoolId& pool, Instant start, Duration wait) {
  Scenario alone = scenario;
  alone.start = start;
  alone.tail = Duration(0);
  alone.chain.clear();
  alone.service = ServiceOf(scenario, pool);
  alone.pools.clear();
  alone.objective.wait = std::min(wait, FromSeconds(alone.service.patience_seconds));
  alone.service.requests.objective_seconds =
      Seconds(*alone.objective.wait) + alone.service.service_seconds;
  return alone;
}

void ScrapeAsSeen(std::span<const traces::ScrapedReplica> scraped, Scenario& scenario) {
  if (!scenario.metrics.phases.empty()) return;
  const Duration interval = scenario.scrape_interval;
  for (const traces::ScrapedReplica& replica : scraped) {
    if (replica.last < scenario.start) continue;
    const Duration since = (replica.first - scenario.start) % interval;
    scenario.metrics.phases.push_back((since + interval) % interval);
  }
}

config::CompiledConfig OnlyPool(const config::CompiledConfig& config, const PoolId& pool) {
  const auto at = std::ranges::find(config.pools, pool, &decision::PoolSpec::id);
  TIDEGATE_CHECK(at != config.pools.end(), "the manifests declare the pool");
  config::CompiledConfig only = config;
  only.pools = {*at};
  only.manifests = {config.manifests[static_cast<std::size_t>(at - config.pools.begin())]};
  return only;
}

}  // namespace tidegate::sim
