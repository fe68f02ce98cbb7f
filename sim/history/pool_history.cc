#include "sim/history/pool_history.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "policies/base/check.h"
#include "scheduler/adapters/prometheus/presets.h"
#include "scheduler/adapters/prometheus/query_client.h"
#include "scheduler/adapters/system_clock.h"
#include "traces/history/counters.h"
#include "traces/import/range_reader.h"

namespace tidegate::sim {
namespace {

using std::chrono::minutes;
using traces::RangeProgress;
using traces::RangeQuery;
using traces::RangeReader;
using traces::ResponseSeries;

// How far before the wanted time counters are read, so that a series that begins inside it is known
// to be new: as far as Prometheus's instant selectors look back.
constexpr Duration kLead = minutes(5);
constexpr double kLatestSeconds = 1e11;  // since 1970; no scrape is later than the year 5138

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

// Of the trace that a query makes.
Duration BinOf(const HistoryQuery& query) {
  constexpr Duration kShortest = std::chrono::seconds(1);
  if (!query.promql.empty()) return query.step;
  return std::max(kShortest, query.step / 5 / kShortest * kShortest);
}

class HistoryReader {
 public:
  HistoryReader(RangeReader reader, const config::PrometheusConfig& prometheus, const PoolId& pool,
                const HistoryQuery& query, const HistoryProgress& progress)
      : reader_(std::move(reader)),
        prometheus_(prometheus),
        pool_(pool),
        query_(query),
        bin_(BinOf(query)),
        progress_(progress) {}

  Expected<PoolHistory> Read(const config::PoolManifest& manifest) {
    PoolHistory history;
    history.pool = pool_;
    history.begin = query_.begin;
    TIDEGATE_TRY(traces::ObservedLoad load,
                 query_.promql.empty() ? Counters(manifest, history) : Rates(history));
    const double bins = static_cast<double>(load.trace.requests.size());
    if (static_cast<double>(load.guessed) > query_.most_guessed * bins) {
      return Fail(ErrorCode::kNotFound,
                  fmt::format("Prometheus has no data of {} for {} of {} bins, the longest gap {}; "
                              "at most {:.0f} % may be missing",
                              ToString(pool_), load.guessed, bins,
                              FormatDuration(bin_ * static_cast<Duration::rep>(load.longest_guess)),
                              query_.most_guessed * 100));
    }
    history.demand = std::move(load.trace);
    history.guessed = load.guessed;
    history.longest_guess = bin_ * static_cast<Duration::rep>(load.longest_guess);
    history.old_counters = load.old_counters;
    history.scraped = std::move(load.scraped);
    TIDEGATE_TRY_VOID(ReadReplicas(history));
    if (history.ready.empty() && !load.replicas.empty()) {
      history.ready = history.running = std::move(load.replicas);
      history.replicas_source = "replicas that were scraped";
    }
    return history;
  }

 private:
  Expected<std::vector<ResponseSeries>> Ask(std::string promql, Instant begin,
                                            std::vector<std::string> labels, const char* what) {
    return reader_.Read({.promql = std::move(promql),
                         .begin = begin,
                         .end = query_.end + query_.step,
                         .step = query_.step,
                         .labels = std::move(labels)},
                        [&](double share) {
                          if (progress_) progress_(ToString(pool_) + ": " + what, share);
                        });
  }

  traces::HistoryOptions Options() const {
    return {.begin = query_.begin,
            .end = query_.end,
            .bin = bin_,
            .scrape_interval = std::max(prometheus_.scrape_interval, query_.step),
            .asked_from = query_.begin - Lead(),
            .longest_gap = std::max(prometheus_.stale_after, query_.step * 5 / 2)};
  }

  // A whole number of steps.
  Duration Lead() const { return (kLead / query_.step + 1) * query_.step; }

  Expected<traces::ObservedLoad> Counters(const config::PoolManifest& manifest,
                                          PoolHistory& history) {
    const auto signal = std::ranges::find_if(manifest.signals, [](const auto& one) {
      return !one.preset.empty() && one.metric == config::SignalMetric::kRequests;
    });
    if (signal == manifest.signals.end()) {
      return Fail(ErrorCode::kInvalid,
                  fmt::format("{} has no signal of a preset that counts requests; say by --query "
                              "what its demand was",
                              ToString(pool_)));
    }
    history.demand_source = signal->preset;
    const std::string counters =
        RequestsOfPool(*adapters::FindPreset(signal->preset), pool_, prometheus_);
    TIDEGATE_TRY(const auto series, SamplesOfReplicas(counters));
    if (series.empty()) {
      return Fail(ErrorCode::kNotFound,
                  fmt::format("Prometheus has no series {} from {} to {}", counters,
                              FormatInstant(query_.begin), FormatInstant(query_.end)));
    }
    return traces::LoadFromCounters(series, Options());
  }

  // Each replica's count of requests at the times of its scrapes. All counters of one replica are
  // scraped at once and reset at once, so that their sum is a counter, and time and value of it can
  // be asked for apart.
  Expected<std::vector<signals::SampleSeries>> SamplesOfReplicas(const std::string& counters) {
    std::vector<std::string> labels{prometheus_.labels.replica, "pod", "instance"};
    const std::string by = fmt::format("{}, pod, instance", prometheus_.labels.replica);
    const Instant from = query_.begin - Lead();
    TIDEGATE_TRY(const auto values,
                 Ask(fmt::format("sum by ({}) ({})", by, counters), from, labels, "requests"));
    TIDEGATE_TRY(const auto times, Ask(fmt::format("max by ({}) (timestamp({}))", by, counters),
                                       from, labels, "scrape times"));
    std::vector<signals::SampleSeries> all;
    for (const ResponseSeries& one : values) {
      const auto scraped = std::ranges::lower_bound(times, one.labels, {}, &ResponseSeries::labels);
      if (scraped == times.end() || scraped->labels != one.labels) continue;  // appeared just now
      all.push_back({one.labels.front(), Join(one.samples, scraped->samples)});
    }
    return all;
  }

  // Samples at the times of their scrapes, each once.
  static std::vector<signals::Sample> Join(const std::vector<signals::Sample>& values,
                                           const std::vector<signals::Sample>& times) {
    std::vector<signals::Sample> samples;
    for (std::size_t v = 0, t = 0; v < values.size() && t < times.size();) {
      if (values[v].at != times[t].at) {
        ++(values[v].at < times[t].at ? v : t);
        continue;
      }
      const double seconds = times[t++].value;
      const double value = values[v++].value;
      if (!(std::abs(seconds) < kLatestSeconds)) continue;
      const Instant scraped(FromSeconds(seconds));
      if (!samples.empty() && samples.back().at >= scraped) continue;
      if (std::isfinite(value) && value >= 0) samples.push_back({scraped, value});
    }
    return samples;
  }

  Expected<traces::ObservedLoad> Rates(PoolHistory& history) {
    history.demand_source = "promql";
    const std::string promql = adapters::ExpandPromql(query_.promql, pool_, prometheus_.window);
    TIDEGATE_TRY(const auto series, Ask(promql, query_.begin + query_.step, {}, "demand"));
    if (series.empty()) {
      return Fail(ErrorCode::kNotFound,
                  fmt::format("Prometheus has no values of {} from {} to {}", promql,
                              FormatInstant(query_.begin), FormatInstant(query_.end)));
    }
    return traces::LoadFromRates(series[0].samples, Options());
  }

  // Adds what a gauge says of the bins of each step: the value at its end was scraped within it. A
  // bin without a value has that of the one before; the first ones have the first value there is.
  void Put(const std::vector<signals::Sample>& samples, std::vector<Replicas>& replicas) const {
    std::vector<std::optional<Replicas>> values(replicas.size());
    std::optional<Replicas> last;
    for (const signals::Sample& sample : samples) {
      if (sample.at <= query_.begin || !(sample.value >= 0)) continue;
      const Duration until = sample.at - query_.begin;
      const auto value = static_cast<Replicas>(std::min(sample.value, double{kMaxReplicas}));
      const auto first =
          static_cast<std::size_t>(std::max(until - query_.step, Duration(0)) / bin_);
      const auto behind = static_cast<std::size_t>((until + bin_ - Duration(1)) / bin_);
      for (std::size_t bin = first; bin < std::min(behind, values.size()); ++bin)
        values[bin] = value;
      if (!last) last = value;
    }
    for (std::size_t i = 0; i < replicas.size(); ++i) {
      if (values[i]) last = values[i];
      replicas[i] += last.value_or(0);
    }
  }

  Expected<void> ReadReplicas(PoolHistory& history) {
    const std::vector<Replicas> none(history.demand.requests.size(), 0);
    const std::string pool =
        fmt::format("{{namespace={},pool={}}}", Quoted(pool_.ns), Quoted(pool_.name));
    TIDEGATE_TRY(const auto phases, Ask("max by (phase) (tidegate_pool_replicas" + pool + ")",
                                        query_.begin, {"phase"}, "replicas"));
    if (!phases.empty()) {
      history.replicas_source = "tidegate_pool_replicas";
      history.ready = history.running = none;
      for (const ResponseSeries& phase : phases) {
        if (phase.labels[0] == "ready") Put(phase.samples, history.ready);
        if (phase.labels[0] != "failed") Put(phase.samples, history.running);
      }
      return {};
    }
    const std::string deployment = fmt::format("{{namespace={},deployment=~{}}}", Quoted(pool_.ns),
                                               Quoted(fmt::format("(istio-)?{}", pool_.name)));
    for (const auto& [metric, replicas] :
         {std::pair{"kube_deployment_status_replicas", &history.running},
          std::pair{"kube_deployment_status_replicas_ready", &history.ready}}) {
      TIDEGATE_TRY(const auto series,
                   Ask(fmt::format("max({}{})", metric, deployment), query_.begin, {}, "replicas"));
      if (series.empty()) {
        history.ready = history.running = {};
        return {};
      }
      *replicas = none;
      Put(series[0].samples, *replicas);
    }
    history.replicas_source = "kube_deployment_status_replicas";
    return {};
  }

  RangeReader reader_;
  const config::PrometheusConfig& prometheus_;
  const PoolId& pool_;
  const HistoryQuery& query_;
  const Duration bin_;
  const HistoryProgress& progress_;
};

}  // namespace

Expected<PoolHistory> ReadPoolHistory(const config::PrometheusConfig& prometheus,
                                      const PoolId& pool, const config::PoolManifest& manifest,
                                      const HistoryQuery& query, const HistoryProgress& progress) {
  HistoryQuery whole = query;
  if (whole.step == Duration(0)) whole.step = prometheus.scrape_interval;
  TIDEGATE_CHECK(whole.end > whole.begin && whole.step > Duration(0), "a stretch of time");
  if (whole.end - whole.begin < 2 * whole.step) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("the history is shorter than two steps of {}; ask for more time or a "
                            "shorter step",
                            FormatDuration(whole.step)));
  }
  if ((whole.end - whole.begin) / BinOf(whole) > static_cast<std::int64_t>(traces::kMaxTraceBins)) {
    return Fail(ErrorCode::kTooLarge,
                fmt::format("the history has more than {} bins; ask for less time or a longer step",
                            traces::kMaxTraceBins));
  }
  TIDEGATE_TRY(RangeReader reader, adapters::MakeRangeReader(prometheus));
  return HistoryReader(std::move(reader), prometheus, pool, whole, progress).Read(manifest);
}

Instant TimeOfDay() { return adapters::SystemClock().Now(); }

}  // namespace tidegate::sim
