#include "sim/runner/cmd_gate.h"

#include <memory>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "sim/runner/gate.h"
#include "sim/runner/limits_file.h"
#include "sim/runner/live_options.h"
#include "sim/runner/progress.h"
#include "traces/format/trace_file.h"

namespace tidegate::sim {
namespace {

struct GateCommand : LiveOptions {
  std::vector<std::string> traces;
  std::string trace_start;
  std::string limits_file;
  Limits flags;  // stronger than the file
  std::optional<Duration> max_wait;
  GateOptions gate;
};

Expected<void> ReadLimits(const GateCommand& command, GateOptions* gate) {
  if (!command.limits_file.empty()) {
    const config::Problems problems =
        LoadLimits(command.limits_file, &gate->limits, &gate->objective);
    if (!problems.empty()) {
      std::string text = problems.text();
      if (text.ends_with('\n')) text.pop_back();
      return Fail(ErrorCode::kInvalid, std::move(text));
    }
  }
  Limits& limits = gate->limits;
  if (command.flags.bad_minutes) limits.bad_minutes = command.flags.bad_minutes;
  if (command.flags.replicas) limits.replicas = command.flags.replicas;
  if (command.flags.replica_hours) limits.replica_hours = command.flags.replica_hours;
  if (command.flags.cost_multiple) limits.cost_multiple = command.flags.cost_multiple;
  if (command.max_wait) gate->objective.wait_seconds = Seconds(*command.max_wait);
  if (limits.bad_minutes || limits.replicas || limits.replica_hours || limits.cost_multiple)
    return {};
  return Fail(ErrorCode::kInvalid,
              "no limit is given, so nothing could fail; expected --max-bad-minutes, "
              "--max-replicas, --max-cost, --max-cost-multiple or a --limits file");
}

// When a trace begins by the clock, where a comment line of it says so: "from <instant>", as
// tidetrace import and tidesim backtest write it.
std::optional<Instant> StartIn(const std::string& comment) {
  std::istringstream lines(comment);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("from ")) continue;
    if (const auto at = ParseInstant(line.substr(5))) return *at;
  }
  return std::nullopt;
}

// Of files, every trace is every pool's load, as in `tidesim run`.
Expected<std::vector<SpikeSource>> FromFiles(const GateCommand& command, const Candidate& candidate,
                                             const std::vector<std::string>& files, double scale) {
  std::optional<Instant> given;
  if (!command.trace_start.empty()) {
    TIDEGATE_TRY(given, ParseInstant(command.trace_start));
  }
  std::vector<SpikeSource> sources;
  for (const std::string& file : files) {
    std::string comment;
    TIDEGATE_TRY(traces::Trace trace, traces::ReadTrace(file, &comment));
    const Instant start = given.value_or(StartIn(comment).value_or(candidate.scenario.start));
    trace = traces::Scaled(std::move(trace), scale);
    for (const PoolId& pool : candidate.pools) sources.push_back({pool, file, trace, start});
  }
  return sources;
}

Expected<std::vector<SpikeSource>> SourcesOf(const GateCommand& command, const Candidate& candidate,
                                             std::ostream& err) {
  const bool history_wanted = !command.from.empty() || command.last > Duration(0);
  if (!command.traces.empty() && (history_wanted || !command.prometheus.url.empty())) {
    return Fail(ErrorCode::kInvalid, "expected spikes from --trace files or from a Prometheus");
  }
  if (!command.traces.empty()) {
    return FromFiles(command, candidate, command.traces, command.scale);
  }
  if (NamesPrometheus(command, candidate)) {
    TIDEGATE_TRY(auto histories, ReadHistories(command, candidate, err));
    std::vector<SpikeSource> sources;
    for (PoolHistory& history : histories) {
      sources.push_back({history.pool, "the history", std::move(history.demand), history.begin,
                         std::move(history.scraped)});
    }
    return sources;
  }
  if (candidate.scenario.trace.empty()) {
    return Fail(ErrorCode::kInvalid,
                "expected --trace files, a --prometheus or a --scenario, to take spikes from");
  }
  const double scale = command.scale * candidate.scenario.scale;
  TIDEGATE_TRY(auto sources, FromFiles(command, candidate, {candidate.scenario.trace}, scale));
  for (SpikeSource& source : sources) {
    const auto own = candidate.scenario.pools.find(source.pool);
    if (own == candidate.scenario.pools.end() || !own->second.trace) continue;
    source.name = own->second.trace_file;
    source.trace = traces::Scaled(*own->second.trace, scale);
  }
  return sources;
}

Expected<GateResult> Judge(const GateCommand& command, std::ostream& err) {
  GateOptions options = command.gate;
  TIDEGATE_TRY(const Candidate candidate, LoadCandidate(command.candidate));
  options.objective = MinutesOf(candidate);
  TIDEGATE_TRY_VOID(ReadLimits(command, &options));
  TIDEGATE_TRY(const auto sources, SourcesOf(command, candidate, err));
  std::unique_ptr<Progress> progress;
  return RunGate(candidate, sources, options, [&](std::size_t, std::size_t all) {
    if (!progress) progress = std::make_unique<Progress>(err, "spikes", all, 0);
    progress->Done();
  });
}

int RunCommandGate(const GateCommand& command, Streams streams) {
  const auto result = Judge(command, streams.err);
  if (!result) {
    streams.err << result.error().message << "\n";
    return kBadInput;
  }
  streams.out << (command.json ? ToJson(*result) + "\n" : ToText(*result));
  if (!result->passed() || !streams.out) return kFailed;
  if (result->unjudged() == 0) return kDone;
  streams.err << fmt::format(
      "the cost of {} of {} spikes could not be judged: no policy keeps the scenario's objective "
      "there; expected an objective that can be kept, or no --max-cost-multiple\n",
      result->unjudged(), result->spikes.size());
  return kBadInput;
}

void AddSpikeOptions(CLI::App& gate, GateCommand& command) {
  gate.add_option("--trace", command.traces, "Look for spikes in these files");
  gate.add_option(
          "--trace-start", command.trace_start,
          "When they begin, by the clock; else as a file's comment says, or 2026-01-01T00:00:00Z")
      ->check([](const std::string& text) {
        const auto at = ParseInstant(text);
        return at ? std::string() : at.error().message;
      });
  GateOptions& options = command.gate;
  gate.add_option("--spikes", options.last, "Replay so many of the last ones of each pool")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  gate.add_option("--replications", options.replications,
                  "Runs of each spike, seed by seed; every limit holds for each of them")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  gate.add_flag("--whole", options.whole, "Don't look for spikes: judge all of it");
  gate.add_option("--factor", options.rule.factor,
                  "A spike is a rise to this many times the median before it")
      ->check(CLI::Range(1.01, 1000.0))
      ->capture_default_str();
  AddDuration(gate, "--baseline", &options.rule.baseline, Duration(1'000),
              "That the median is taken over (30m)");
  AddDuration(gate, "--calm", &options.rule.calm, Duration(0),
              "A spike is over after so long at less than half its rise (1m)");
  AddDuration(gate, "--lead", &options.lead, Duration(0),
              "Simulated before each spike and not judged (10m)");
  AddDuration(gate, "--after", &options.after, Duration(0), "Judged after each spike (5m)");
}

void AddLimitOptions(CLI::App& gate, GateCommand& command) {
  gate.add_option("--max-bad-minutes", command.flags.bad_minutes,
                  "Minutes in which more than 1 % of requests are bad")
      ->check(CLI::NonNegativeNumber);
  gate.add_option("--max-replicas", command.flags.replicas,
                  "The quota: starting, ready and draining at once")
      ->check(CLI::NonNegativeNumber);
  gate.add_option("--max-cost", command.flags.replica_hours, "Replica-hours of a spike")
      ->check(CLI::NonNegativeNumber);
  gate.add_option("--max-cost-multiple", command.flags.cost_multiple,
                  "Cost over that of a clairvoyant who keeps the scenario's objective")
      ->check(CLI::NonNegativeNumber);
  AddDuration(gate, "--max-wait", &command.max_wait, Duration(0),
              "Requests that wait longer are bad; the scenario's objective, or 1s");
  gate.add_option("--limits", command.limits_file, "The limits as a YAML file; flags are stronger")
      ->check(CLI::ExistingFile);
}

constexpr const char* kFooter =
    "A spike begins where the rate, averaged over 5 s, is --factor times the median of the\n"
    "--baseline before it and higher by a tenth of the highest rate. Each of the last --spikes is\n"
    "simulated with the candidate in charge, and every limit holds for each of them.\n"
    "Exit status: 0 all within the limits, 1 a limit was passed (the message says which, when and\n"
    "why), 2 bad input, or a limit could not be judged: no history, no spike, no measure of "
    "cost.\n\n"
    "A limits file:\n"
    "  limits: {badMinutes: 2, replicas: 20, replicaHours: 3.5}\n"
    "  objective: {wait: 1s, badFraction: 0.01}\n\n"
    "Examples: in CI, with traces that are kept beside the manifests; against last week\n"
    "  tidesim gate manifests/ --scenario edge.yaml --trace spikes/*.csv --limits limits.yaml\n"
    "  tidesim gate manifests/ --scenario edge.yaml --prometheus http://prometheus:9090 \\\n"
    "    --last 7d --max-bad-minutes 1 --max-replicas 40";

}  // namespace

RunCommand AddGate(CLI::App& app) {
  const auto command = std::make_shared<GateCommand>();
  CLI::App* gate = app.add_subcommand(
      "gate", "May a configuration go live? Replays spikes and exits 1 where a limit is passed");
  AddCandidateOptions(*gate, command);
  AddLimitOptions(*gate, *command);
  AddSpikeOptions(*gate, *command);
  AddHistoryOptions(*gate, command);
  gate->footer(kFooter);
  return [command](Streams streams) { return RunCommandGate(*command, streams); };
}

}  // namespace tidegate::sim
