#include "sim/runner/cmd_backtest.h"

#include <fstream>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "sim/runner/backtest.h"
#include "sim/runner/live_options.h"
#include "traces/format/trace_file.h"

namespace tidegate::sim {
namespace {

struct BacktestOptions : LiveOptions {
  Duration warm_up = std::chrono::minutes(10);
  std::optional<Duration> max_wait;
  std::string save_trace;
};

int Report(const Error& error, Streams streams) {
  streams.err << error.message << "\n";
  const bool bad_input = error.code == ErrorCode::kInvalid || error.code == ErrorCode::kNotFound ||
                         error.code == ErrorCode::kTooLarge;
  return bad_input ? kBadInput : kFailed;
}

Expected<void> SaveTrace(const PoolHistory& history, const std::string& path) {
  const std::string comment =
      fmt::format("tidesim backtest: demand of {} by {}\nfrom {}", ToString(history.pool),
                  history.demand_source, FormatInstant(history.begin));
  std::ofstream out(path, std::ios::binary);
  out << traces::FormatTraceFor(path, history.demand, comment) << std::flush;
  if (!out) return Fail(ErrorCode::kUnavailable, path + ": can't be written");
  return {};
}

Expected<void> RunAll(const BacktestOptions& options, Streams streams) {
  TIDEGATE_TRY(const Candidate candidate, LoadCandidate(options.candidate));
  if (!options.save_trace.empty() && candidate.pools.size() > 1) {
    return Fail(ErrorCode::kInvalid, "--save-trace holds one pool's demand; name it by --pool");
  }
  MinuteObjective objective = MinutesOf(candidate);
  if (options.max_wait) objective.wait_seconds = Seconds(*options.max_wait);
  TIDEGATE_TRY(auto histories, ReadHistories(options, candidate, streams.err));
  for (PoolHistory& history : histories) {
    if (!options.save_trace.empty()) {
      TIDEGATE_TRY_VOID(SaveTrace(history, options.save_trace));
    }
    TIDEGATE_TRY(const Backtest backtest,
                 RunBacktest(candidate, std::move(history), options.warm_up, objective));
    streams.out << (options.json ? ToJson(backtest) + "\n" : ToText(backtest));
  }
  if (!streams.out) return Fail(ErrorCode::kUnavailable, "the result can't be written");
  return {};
}

constexpr const char* kFooter =
    "The past demand of each pool is simulated with the candidate's manifests; what really ran is\n"
    "shown beside it. Demand is what the gateways counted: clients that a past overload turned "
    "away\n"
    "are in no counter. How long a replica starts and what it serves comes from the --scenario.\n"
    "Exit status: 0 done, 1 Prometheus or a file failed, 2 bad input.\n\n"
    "Example: would yesterday have gone well with a lower target?\n"
    "  tidesim backtest candidate/ --config /etc/tidegate/tidegate.yaml --scenario edge.yaml \\\n"
    "    --last 24h --save-trace yesterday.csv";

}  // namespace

RunCommand AddBacktest(CLI::App& app) {
  const auto options = std::make_shared<BacktestOptions>();
  CLI::App* backtest = app.add_subcommand(
      "backtest", "What would a configuration have done with a live pool's past?");
  AddCandidateOptions(*backtest, options);
  AddHistoryOptions(*backtest, options);
  AddDuration(*backtest, "--warm-up", &options->warm_up, Duration(0),
              "Simulated before the begin, at its demand, and not counted (10m)");
  AddDuration(*backtest, "--max-wait", &options->max_wait, Duration(0),
              "Requests that wait longer are bad; the scenario's objective, or 1s");
  backtest->add_option("--save-trace", options->save_trace,
                       "Write the demand: CSV, .csv.zst, .csv.gz or .tgtrace; for run and gate");
  backtest->footer(kFooter);
  return [options](Streams streams) {
    const auto done = RunAll(*options, streams);
    return done ? kDone : Report(done.error(), streams);
  };
}

}  // namespace tidegate::sim
