#include "sim/runner/gate.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "sim/report/oracle.h"
#include "sim/runner/simulate.h"
#include "sim/runner/yardstick.h"

namespace tidegate::sim {
namespace {

namespace json = boost::json;
using traces::Spike;

struct Found {
  const SpikeSource* source;
  Spike spike;
};

std::vector<Spike> SpikesOf(const SpikeSource& source, const GateOptions& options) {
  if (!options.whole) return FindSpikes(source.trace, options.rule);
  if (source.trace.requests.empty()) return {};
  const traces::TraceStatistics all = traces::Describe(source.trace);
  return {{.begin = Duration(0),
           .end = all.length,
           .baseline = source.trace.requests.front() / Seconds(all.bin),
           .peak = all.peak,
           .peak_at = all.peak_at}};
}

std::vector<Found> LastSpikes(const Candidate& candidate, const std::vector<SpikeSource>& sources,
                              const GateOptions& options) {
  std::vector<Found> all;
  for (const PoolId& pool : candidate.pools) {
    std::vector<Found> mine;
    for (const SpikeSource& source : sources) {
      if (source.pool != pool) continue;
      for (const Spike& spike : SpikesOf(source, options)) mine.push_back({&source, spike});
    }
    const std::size_t skipped = mine.size() - std::min(mine.size(), options.last);
    all.insert(all.end(), mine.begin() + static_cast<std::ptrdiff_t>(skipped), mine.end());
  }
  return all;
}

// One run of a spike.
struct Run {
  Verdict verdict;
  std::optional<double> cost_multiple;
};

struct Stretch {
  Instant from{};
  Instant until{};
};

void JudgeCost(const PoolResult& pool, Instant end, const Limits& limits, Run& run) {
  const OracleBound& oracle = pool.yardstick->oracle;
  if (!oracle.reachable || oracle.replica_seconds <= 0) return;
  run.cost_multiple = pool.replica_seconds / oracle.replica_seconds;
  if (!limits.cost_multiple || *run.cost_multiple <= *limits.cost_multiple) return;
  LimitBreach breach;
  breach.kind = LimitKind::kCostMultiple;
  breach.allowed = *limits.cost_multiple;
  breach.reached = *run.cost_multiple;
  breach.at = end;
  breach.why = fmt::format(
      "{:.3f} replica-hours from the lead on, where a clairvoyant pays {:.3f} and lets at most "
      "{:g} "
      "% of requests wait over {}",
      pool.replica_seconds / 3'600, oracle.replica_seconds / 3'600, pool.yardstick->objective * 100,
      FormatDuration(pool.yardstick->wait));
  run.verdict.breaches.push_back(std::move(breach));
}

bool IsWorse(const Verdict& a, const Verdict& b) {
  return std::tuple(a.breaches.size(), a.bad, a.replica_hours) >
         std::tuple(b.breaches.size(), b.bad, b.replica_hours);
}

Expected<Run> RunOnce(const Scenario& scenario, const config::CompiledConfig& config,
                      const traces::Trace& trace, const Stretch& judged,
                      const GateOptions& options) {
  LimitCheck check(options.limits, options.objective, judged.from, judged.until);
  Recorder recorder;
  recorder.decision = [&](const decision::Decision& decision) { check.Decide(decision); };
  recorder.look = [&](const PoolId&, Instant at, const Moment& moment, const Flow& total) {
    check.Look(at, moment, total);
  };
  TIDEGATE_TRY(RunResult result, Simulate(scenario, config, trace, recorder));
  Run run{.verdict = check.Finish(), .cost_multiple = std::nullopt};
  AddYardsticks(result.summary, scenario, config, trace);
  JudgeCost(result.summary.pools.front(), judged.until, options.limits, run);
  return run;
}

Expected<ReplayedSpike> Replay(const Candidate& candidate, const Found& found,
                               const GateOptions& options) {
  const SpikeSource& source = *found.source;
  const Spike& spike = found.spike;
  const Duration bin = source.trace.bin;
  const Duration lead = (options.lead + bin - Duration(1)) / bin * bin;
  const Duration until = std::min(spike.end + options.after, traces::Length(source.trace));
  const traces::Trace trace =
      traces::Window(source.trace, spike.begin - lead, until, spike.baseline);
  const config::CompiledConfig config = OnlyPool(candidate.config, source.pool);
  Scenario scenario = Alone(candidate.scenario, source.pool, source.start + spike.begin - lead,
                            FromSeconds(options.objective.wait_seconds));
  ScrapeAsSeen(source.scraped, scenario);
  ReplayedSpike replayed;
  replayed.pool = source.pool;
  replayed.source = source.name;
  replayed.source_start = source.start;
  replayed.spike = spike;
  replayed.judged_until = until;
  for (; replayed.runs < options.replications; ++replayed.runs, ++scenario.seed) {
    TIDEGATE_TRY(Run run, RunOnce(scenario, config, trace,
                                  {source.start + spike.begin, source.start + until}, options));
    replayed.failed_runs += run.verdict.breaches.empty() ? 0 : 1;
    if (replayed.runs > 0 && !IsWorse(run.verdict, replayed.verdict)) continue;
    replayed.verdict = std::move(run.verdict);
    replayed.cost_multiple = run.cost_multiple;
    replayed.seed = scenario.seed;
  }
  return replayed;
}

std::string Number(LimitKind kind, double value) {
  const bool exact = kind == LimitKind::kReplicaHours || kind == LimitKind::kCostMultiple;
  return exact ? fmt::format("{:.3f}", value) : fmt::format("{:g}", value);
}

// "1m30s into it, 2026-11-25T10:00:00Z".
std::string When(const ReplayedSpike& spike, Instant at) {
  return fmt::format("{}, {} into {}", FormatInstant(at), FormatDuration(at - spike.source_start),
                     spike.source);
}

void AddBreach(std::string& text, const ReplayedSpike& spike, const LimitBreach& breach) {
  const auto out = std::back_inserter(text);
  fmt::format_to(out, "      {}: {}, at most {} allowed\n", Name(breach.kind),
                 Number(breach.kind, breach.reached), Number(breach.kind, breach.allowed));
  fmt::format_to(out, "        when  {}\n", When(spike, breach.at));
  fmt::format_to(out, "        why   {}\n", breach.why);
  if (breach.decision.empty()) return;
  text += "        the decision before that:\n";
  for (std::size_t at = 0; at < breach.decision.size();) {
    const std::size_t end = std::min(breach.decision.find('\n', at), breach.decision.size());
    fmt::format_to(out, "          {}\n", breach.decision.substr(at, end - at));
    at = end + 1;
  }
}

// The cost against the oracle's, or why there is none: a limit that wasn't judged isn't kept.
std::string CostOf(const ReplayedSpike& spike, const Limits& limits) {
  if (spike.cost_multiple) return fmt::format(" ({:.2f} x the oracle)", *spike.cost_multiple);
  return fmt::format(
      " (no policy keeps the scenario's objective here: nothing to measure the cost "
      "by{})",
      limits.cost_multiple ? ", its limit is not judged" : "");
}

void AddSpike(std::string& text, const ReplayedSpike& spike, const Limits& limits) {
  const Verdict& verdict = spike.verdict;
  const auto out = std::back_inserter(text);
  fmt::format_to(out, "{}  {}  {}: {:.0f} -> {:.0f} rps for {}\n",
                 verdict.breaches.empty() ? "ok  " : "FAIL", ToString(spike.pool),
                 When(spike, spike.source_start + spike.spike.begin), spike.spike.baseline,
                 spike.spike.peak, FormatDuration(spike.spike.end - spike.spike.begin));
  fmt::format_to(out,
                 "      {} bad minutes, {} replicas at most, {:.3f} replica-hours{}; {:.0f} of "
                 "{:.0f} requests bad\n",
                 verdict.bad_minutes, verdict.peak_replicas, verdict.replica_hours,
                 CostOf(spike, limits), verdict.bad, verdict.arrived);
  if (spike.runs > 1) {
    fmt::format_to(out, "      {} of {} runs pass a limit; the worst is shown, seed {}\n",
                   spike.failed_runs, spike.runs, spike.seed);
  }
  for (const LimitBreach& breach : verdict.breaches) AddBreach(text, spike, breach);
}

json::object BreachJson(const ReplayedSpike& spike, const LimitBreach& breach) {
  return {{"limit", Name(breach.kind)},
          {"allowed", breach.allowed},
          {"reached", breach.reached},
          {"at", FormatInstant(breach.at)},
          {"seconds", Seconds(breach.at - spike.source_start)},
          {"why", breach.why},
          {"decision", breach.decision}};
}

json::object SpikeJson(const ReplayedSpike& spike) {
  const Verdict& verdict = spike.verdict;
  json::array breaches;
  for (const LimitBreach& breach : verdict.breaches) breaches.push_back(BreachJson(spike, breach));
  return {{"namespace", spike.pool.ns},
          {"name", spike.pool.name},
          {"source", spike.source},
          {"at", FormatInstant(spike.source_start + spike.spike.begin)},
          {"beginSeconds", Seconds(spike.spike.begin)},
          {"endSeconds", Seconds(spike.spike.end)},
          {"judgedUntilSeconds", Seconds(spike.judged_until)},
          {"baselineRate", spike.spike.baseline},
          {"peakRate", spike.spike.peak},
          {"runs", spike.runs},
          {"failedRuns", spike.failed_runs},
          {"seed", spike.seed},
          {"badMinutes", verdict.bad_minutes},
          {"peakReplicas", verdict.peak_replicas},
          {"replicaHours", verdict.replica_hours},
          {"costMultiple", spike.cost_multiple ? json::value(*spike.cost_multiple) : json::value()},
          {"requests", verdict.arrived},
          {"badRequests", verdict.bad},
          {"breaches", std::move(breaches)}};
}

json::object LimitsJson(const Limits& limits) {
  json::object object;
  if (limits.bad_minutes) object["badMinutes"] = *limits.bad_minutes;
  if (limits.replicas) object["replicas"] = *limits.replicas;
  if (limits.replica_hours) object["replicaHours"] = *limits.replica_hours;
  if (limits.cost_multiple) object["costMultiple"] = *limits.cost_multiple;
  return object;
}

std::size_t FailedSpikes(const GateResult& result) {
  return static_cast<std::size_t>(std::ranges::count_if(
      result.spikes, [](const ReplayedSpike& one) { return !one.verdict.breaches.empty(); }));
}

}  // namespace

bool GateResult::passed() const { return FailedSpikes(*this) == 0; }

std::size_t GateResult::unjudged() const {
  if (!limits.cost_multiple) return 0;
  return static_cast<std::size_t>(
      std::ranges::count_if(spikes, [](const ReplayedSpike& one) { return !one.cost_multiple; }));
}

Expected<GateResult> RunGate(const Candidate& candidate, const std::vector<SpikeSource>& sources,
                             const GateOptions& options, const GateProgress& progress) {
  const std::vector<Found> spikes = LastSpikes(candidate, sources, options);
  if (spikes.empty()) {
    return Fail(
        ErrorCode::kNotFound,
        fmt::format("no spike was found (a rise to {:g} times the median of the {} before), "
                    "so nothing was tried; look back further, lower --factor, or judge all "
                    "of it by --whole",
                    options.rule.factor, FormatDuration(options.rule.baseline)));
  }
  GateResult result{.spikes = {}, .limits = options.limits, .objective = options.objective};
  for (const Found& found : spikes) {
    TIDEGATE_TRY(ReplayedSpike replayed, Replay(candidate, found, options));
    result.spikes.push_back(std::move(replayed));
    if (progress) progress(result.spikes.size(), spikes.size());
  }
  return result;
}

std::string ToText(const GateResult& result) {
  std::string text;
  for (const ReplayedSpike& spike : result.spikes) AddSpike(text, spike, result.limits);
  const std::size_t failed = FailedSpikes(result);
  return text +
         fmt::format(
             "\n{}: {} of {} spikes within the limits; a bad request is lost or waits longer "
             "than {:g} s, a bad minute has more than {:g} % of them\n",
             failed == 0 ? "passed" : "FAILED", result.spikes.size() - failed, result.spikes.size(),
             result.objective.wait_seconds, result.objective.bad_fraction * 100);
}

std::string ToJson(const GateResult& result) {
  json::array spikes;
  for (const ReplayedSpike& spike : result.spikes) spikes.push_back(SpikeJson(spike));
  return json::serialize(json::object{{"passed", result.passed()},
                                      {"unjudgedSpikes", result.unjudged()},
                                      {"limits", LimitsJson(result.limits)},
                                      {"objective",
                                       {{"waitSeconds", result.objective.wait_seconds},
                                        {"badFraction", result.objective.bad_fraction}}},
                                      {"spikes", std::move(spikes)}});
}

}  // namespace tidegate::sim
