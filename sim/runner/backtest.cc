#include "sim/runner/backtest.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "sim/report/bars.h"
#include "sim/report/oracle.h"
#include "sim/runner/simulate.h"
#include "sim/runner/yardstick.h"
#include "traces/history/spikes.h"

namespace tidegate::sim {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostRows = 7'200;

std::size_t BinsARow(std::size_t bins) { return (bins + kMostRows - 1) / kMostRows; }

// What is read off a run while it goes on, from the history's begin.
class Tally {
 public:
  Tally(Backtest& result, const MinuteObjective& objective)
      : result_(result),
        begin_(result.history.begin),
        check_({}, objective, begin_, begin_ + traces::Length(result.history.demand)) {}

  void Decide(const decision::Decision& decision) {
    check_.Decide(decision);
    if (decision.at < begin_) return;
    for (const rollout::Step& step : decision.plan.steps) {
      ++(step.kind == rollout::StepKind::kStart ? result_.starts : result_.drains);
    }
  }

  void Look(Instant at, const Moment& moment, const Flow& total) {
    check_.Look(at, moment, total);
    const double lost = total.lost - lost_;
    lost_ = total.lost;
    if (at <= begin_) return;
    const Duration since = at - std::max(looked_, begin_);
    looked_ = at;
    ReplicaUse& use = result_.candidate;
    const Replicas running = moment.starting + moment.ready + moment.draining;
    use.replica_hours += running * Seconds(since) / 3'600;
    use.peak = std::max(use.peak, running);
    use.least_ready = first_ ? moment.ready : std::min(use.least_ready, moment.ready);
    first_ = false;
    if (moment.demand > moment.capacity) use.short_of_capacity += since;
    result_.lost += lost;
    if (moment.capacity > 0) {
      result_.longest_wait_seconds =
          std::max(result_.longest_wait_seconds, moment.backlog / moment.capacity);
    }
    // A look stands for the time before it.
    const auto row = static_cast<std::size_t>((at - begin_ - Duration(1)) / result_.row);
    if (row < result_.rows.size()) Add(moment, running, result_.rows[row]);
  }

  void Finish() {
    result_.verdict = check_.Finish();
    const double hours = Seconds(traces::Length(result_.history.demand)) / 3'600;
    result_.candidate.mean = result_.candidate.replica_hours / hours;
  }

 private:
  void Add(const Moment& moment, Replicas running, BacktestRow& row) {
    const bool fresh = &row != row_;
    row_ = &row;
    row.ready = fresh ? moment.ready : std::min(row.ready, moment.ready);
    row.running = std::max(row.running, running);
    row.desired = std::max(row.desired, moment.desired);
    row.backlog = std::max(row.backlog, moment.backlog);
  }

  Backtest& result_;
  Instant begin_;
  LimitCheck check_;
  Instant looked_{};
  double lost_ = 0;
  bool first_ = true;
  const BacktestRow* row_ = nullptr;
};

// Demand and what really ran, in the rows.
void FillHistory(Backtest& result) {
  const PoolHistory& history = result.history;
  const std::size_t stride = BinsARow(history.demand.requests.size());
  for (std::size_t i = 0; i < history.demand.requests.size(); ++i) {
    BacktestRow& row = result.rows[i / stride];
    row.demand = std::max(row.demand, history.demand.requests[i] / Seconds(history.demand.bin));
    if (history.ready.empty()) continue;
    row.really_running = std::max(row.really_running, history.running[i]);
    row.really_ready =
        i % stride == 0 ? history.ready[i] : std::min(row.really_ready, history.ready[i]);
  }
}

std::optional<ReplicaUse> RealUse(const PoolHistory& history, const ServiceModel& service) {
  if (history.ready.empty()) return std::nullopt;
  ReplicaUse use;
  const Duration bin = history.demand.bin;
  use.least_ready = *std::ranges::min_element(history.ready);
  for (std::size_t i = 0; i < history.ready.size(); ++i) {
    use.replica_hours += history.running[i] * Seconds(bin) / 3'600;
    use.peak = std::max(use.peak, history.running[i]);
    const Rate demand = history.demand.requests[i] / Seconds(bin);
    if (demand > history.ready[i] * service.capacity()) use.short_of_capacity += bin;
  }
  use.mean = use.replica_hours / (Seconds(traces::Length(history.demand)) / 3'600);
  return use;
}

void AddRow(std::string& text, const char* what, const std::string& real,
            const std::string& candidate) {
  fmt::format_to(std::back_inserter(text), "  {:<23} {:>13} {:>14}\n", what, real, candidate);
}

void AddUse(std::string& text, const Backtest& backtest) {
  const ReplicaUse& mine = backtest.candidate;
  const ReplicaUse real = backtest.real.value_or(ReplicaUse{});
  const auto row = [&](const char* what, const std::string& left, const std::string& right) {
    AddRow(text, what, backtest.real ? left : "-", right);
  };
  AddRow(text, "", "really ran", "candidate");
  row("replica-hours", fmt::format("{:.3f}", real.replica_hours),
      fmt::format("{:.3f}", mine.replica_hours));
  row("mean replicas", fmt::format("{:.2f}", real.mean), fmt::format("{:.2f}", mine.mean));
  row("peak replicas", fmt::format("{}", real.peak), fmt::format("{}", mine.peak));
  row("least ready", fmt::format("{}", real.least_ready), fmt::format("{}", mine.least_ready));
  row("short of capacity", FormatDuration(real.short_of_capacity),
      FormatDuration(mine.short_of_capacity));
  AddRow(text, "times the oracle's cost", "-",
         backtest.cost_multiple ? fmt::format("{:.3f}", *backtest.cost_multiple)
                                : "none: no policy keeps the scenario's objective here");
  AddRow(text, "bad minutes", "-", fmt::format("{}", backtest.verdict.bad_minutes));
  AddRow(text, "requests lost", "-", fmt::format("{:.0f}", backtest.lost));
  AddRow(text, "longest wait", "-", fmt::format("{:.1f} s", backtest.longest_wait_seconds));
  AddRow(text, "starts, drains", "-", fmt::format("{}, {}", backtest.starts, backtest.drains));
}

std::string BarsOf(const Backtest& backtest, double (*value)(const BacktestRow&)) {
  std::vector<double> values;
  for (const BacktestRow& row : backtest.rows) values.push_back(value(row));
  return Bars(values);
}

json::object UseJson(const ReplicaUse& use) {
  return {{"replicaHours", use.replica_hours},
          {"meanReplicas", use.mean},
          {"peakReplicas", use.peak},
          {"leastReady", use.least_ready},
          {"shortOfCapacitySeconds", Seconds(use.short_of_capacity)}};
}

json::array RowsJson(const Backtest& backtest) {
  json::array rows;
  double seconds = 0;
  for (const BacktestRow& row : backtest.rows) {
    json::object one{{"seconds", seconds},     {"demand", row.demand},   {"ready", row.ready},
                     {"running", row.running}, {"desired", row.desired}, {"backlog", row.backlog}};
    if (backtest.real) {
      one["reallyReady"] = row.really_ready;
      one["reallyRunning"] = row.really_running;
    }
    rows.push_back(std::move(one));
    seconds += Seconds(backtest.row);
  }
  return rows;
}

}  // namespace

Expected<Backtest> RunBacktest(const Candidate& candidate, PoolHistory history, Duration warm_up,
                               const MinuteObjective& objective) {
  Backtest result;
  result.history = std::move(history);
  const traces::Trace& demand = result.history.demand;
  const std::size_t bins = demand.requests.size();
  const std::size_t stride = BinsARow(bins);
  result.row = demand.bin * static_cast<Duration::rep>(stride);
  result.rows.resize((bins + stride - 1) / stride);
  FillHistory(result);
  result.real = RealUse(result.history, ServiceOf(candidate.scenario, result.history.pool));
  const Rate first = demand.requests.front() / Seconds(demand.bin);
  // The warm-up is a whole number of bins, so that demand does not move against the clock.
  const Duration before = (warm_up + demand.bin - Duration(1)) / demand.bin * demand.bin;
  const traces::Trace whole = traces::Window(demand, -before, traces::Length(demand), first);
  Scenario scenario = Alone(candidate.scenario, result.history.pool, result.history.begin - before,
                            FromSeconds(objective.wait_seconds));
  ScrapeAsSeen(result.history.scraped, scenario);
  Tally tally(result, objective);
  Recorder recorder;
  recorder.decision = [&](const decision::Decision& decision) { tally.Decide(decision); };
  recorder.look = [&](const PoolId&, Instant at, const Moment& moment, const Flow& total) {
    tally.Look(at, moment, total);
  };
  const config::CompiledConfig config = OnlyPool(candidate.config, result.history.pool);
  TIDEGATE_TRY(RunResult run, Simulate(scenario, config, whole, recorder));
  tally.Finish();
  AddYardsticks(run.summary, scenario, config, whole);
  const PoolResult& pool = run.summary.pools.front();
  if (pool.yardstick->oracle.reachable && pool.yardstick->oracle.replica_seconds > 0)
    result.cost_multiple = pool.replica_seconds / pool.yardstick->oracle.replica_seconds;
  return result;
}

std::string ToText(const Backtest& backtest) {
  const PoolHistory& history = backtest.history;
  const Duration length = traces::Length(history.demand);
  std::string text = fmt::format(
      "{}   {} to {} ({})\n  demand by {}: {} bins of {}, {} of them guessed; mean {:.1f} rps, "
      "peak "
      "{:.1f} rps\n",
      ToString(history.pool), FormatInstant(history.begin), FormatInstant(history.begin + length),
      FormatDuration(length), history.demand_source, history.demand.requests.size(),
      FormatDuration(history.demand.bin), history.guessed,
      traces::TotalRequests(history.demand) / Seconds(length), traces::PeakRate(history.demand));
  if (history.old_counters > 0) {
    text += fmt::format("  {} counters appeared with an old count; what came before is left out\n",
                        history.old_counters);
  }
  text += backtest.real ? fmt::format("  what really ran: {}\n\n", history.replicas_source)
                        : "  what really ran is in no metric that was looked for\n\n";
  AddUse(text, backtest);
  text += "\n  demand     " + BarsOf(backtest, [](const BacktestRow& r) { return r.demand; });
  if (backtest.real) {
    text += "\n  was ready  " +
            BarsOf(backtest, [](const BacktestRow& r) { return double{1} * r.really_ready; });
  }
  text += "\n  ready      " +
          BarsOf(backtest, [](const BacktestRow& r) { return double{1} * r.ready; });
  text += "\n  backlog    " + BarsOf(backtest, [](const BacktestRow& r) { return r.backlog; });
  return text + "\n";
}

std::string ToJson(const Backtest& backtest) {
  const PoolHistory& history = backtest.history;
  const Duration length = traces::Length(history.demand);
  json::object candidate = UseJson(backtest.candidate);
  candidate["costMultiple"] =
      backtest.cost_multiple ? json::value(*backtest.cost_multiple) : json::value();
  candidate["badMinutes"] = backtest.verdict.bad_minutes;
  candidate["badRequests"] = backtest.verdict.bad;
  candidate["lostRequests"] = backtest.lost;
  candidate["longestWaitSeconds"] = backtest.longest_wait_seconds;
  candidate["starts"] = backtest.starts;
  candidate["drains"] = backtest.drains;
  json::object demand{{"source", history.demand_source},
                      {"binSeconds", Seconds(history.demand.bin)},
                      {"bins", history.demand.requests.size()},
                      {"guessedBins", history.guessed},
                      {"longestGuessSeconds", Seconds(history.longest_guess)},
                      {"oldCounters", history.old_counters},
                      {"requests", traces::TotalRequests(history.demand)},
                      {"peakRate", traces::PeakRate(history.demand)}};
  json::object real;
  if (backtest.real) {
    real = UseJson(*backtest.real);
    real["source"] = history.replicas_source;
  }
  return json::serialize(
      json::object{{"namespace", history.pool.ns},
                   {"name", history.pool.name},
                   {"from", FormatInstant(history.begin)},
                   {"to", FormatInstant(history.begin + length)},
                   {"demand", std::move(demand)},
                   {"real", backtest.real ? json::value(std::move(real)) : json::value(nullptr)},
                   {"candidate", std::move(candidate)},
                   {"rowSeconds", Seconds(backtest.row)},
                   {"rows", RowsJson(backtest)}});
}

}  // namespace tidegate::sim
