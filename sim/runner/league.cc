#include "sim/runner/league.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <utility>

#include <fmt/format.h>

#include "sim/report/lag_free.h"
#include "sim/report/league_result.h"
#include "sim/report/oracle.h"
#include "sim/runner/contestants.h"
#include "sim/runner/interrupt.h"
#include "sim/runner/league_load.h"
#include "sim/runner/progress.h"
#include "sim/runner/simulate.h"
#include "sim/runner/whole_file.h"
#include "sim/runner/workers.h"
#include "traces/format/trace_file.h"

namespace tidegate::sim {
namespace {

constexpr double kObjective = 0.001;
// Of a search on the knob: its range is halved so often.
constexpr int kHalvings = 7;
// The headroom of the pool without lag, and how long it remembers the highest rate.
constexpr double kLeastHeadroom = 1, kMostHeadroom = 64;
constexpr std::array<Duration, 6> kHeld{Duration(0),
                                        std::chrono::minutes(6),
                                        std::chrono::minutes(30),
                                        std::chrono::minutes(90),
                                        std::chrono::hours(6),
                                        std::chrono::hours(24)};
constexpr const char* kLagFree = "no lag";

Replicas InitialOf(const LeagueLoad& load) {
  const double rate = traces::RateAt(load.trace, Duration(0));
  return std::clamp(static_cast<Replicas>(std::ceil(1.5 * rate / kLeagueCapacity)), 1, kLeaguePeak);
}

Expected<LeagueRun> Play(const Contestant& contestant, double knob, Duration scrape,
                         const LeagueLoad& load) {
  TIDEGATE_TRY(const config::CompiledConfig manifests,
               LeagueManifests(contestant, knob, InitialOf(load)));
  const Scenario scenario = LeagueScenario(contestant, scrape);
  TIDEGATE_TRY(const RunResult result, Simulate(scenario, manifests, load.trace));
  const PoolResult& pool = result.summary.pools.front();
  LeagueRun run;
  run.knob = knob;
  run.bad = pool.counted_arrived > 0 ? pool.counted_bad / pool.counted_arrived : 0;
  run.worst_minute = pool.worst_minute;
  run.replica_seconds = pool.replica_seconds;
  run.moves = pool.starts + pool.drains;
  run.short_seconds = Seconds(pool.short_of_capacity);
  return run;
}

// Runs of one contestant on one load at the settings that a search asks for.
struct Search {
  double least = 0, most = 0, by_default = 0;
  bool more_is_cheaper = true;
  std::function<Expected<LeagueRun>(double)> run;
};

// By bisection in logarithms: the dearest setting that is known to keep the objective and the
// cheapest that is known not to move towards each other. Whether it is kept need not be monotone in
// the setting; what counts at the end is the cheapest of all runs that kept it.
Expected<LeagueCurve> Find(const Search& search, bool defaults_only) {
  LeagueCurve curve;
  TIDEGATE_TRY(LeagueRun first, search.run(search.by_default));
  curve.runs.push_back(first);
  double good = std::log(search.more_is_cheaper ? search.least : search.most);
  double bad = std::log(search.more_is_cheaper ? search.most : search.least);
  (first.bad <= kObjective ? good : bad) = std::log(search.by_default);
  for (int i = 0; i < kHalvings && !defaults_only; ++i) {
    const double middle = (good + bad) / 2;
    TIDEGATE_TRY(const LeagueRun run, search.run(std::exp(middle)));
    curve.runs.push_back(run);
    (run.bad <= kObjective ? good : bad) = middle;
  }
  std::ranges::stable_sort(curve.runs, {}, &LeagueRun::knob);
  const auto same = [](const LeagueRun& a, const LeagueRun& b) { return a.knob == b.knob; };
  curve.runs.erase(std::unique(curve.runs.begin(), curve.runs.end(), same), curve.runs.end());
  for (std::size_t i = 0; i < curve.runs.size(); ++i) {
    const LeagueRun& run = curve.runs[i];
    if (run.knob == first.knob) curve.at_default = i;
    if (run.bad > kObjective) continue;
    if (!curve.best || run.replica_seconds < curve.runs[*curve.best].replica_seconds)
      curve.best = i;
  }
  return curve;
}

Expected<LeagueCurve> Compete(const Contestant& contestant, Duration scrape, const LeagueLoad& load,
                              bool defaults_only) {
  const bool whole = contestant.spec == nullptr;
  const Search search{
      contestant.least, contestant.most, contestant.by_default, contestant.more_is_cheaper,
      [&](double knob) { return Play(contestant, whole ? std::round(knob) : knob, scrape, load); }};
  TIDEGATE_TRY(LeagueCurve curve, Find(search, defaults_only));
  curve.contestant = contestant.name;
  curve.knob = contestant.knob;
  return curve;
}

double BestSeconds(const LeagueCurve& curve) { return curve.runs[*curve.best].replica_seconds; }

// The curve of the memory with which the objective is cheapest to keep; where none keeps it, that
// of the shortest.
Expected<LeagueCurve> CompeteWithoutLag(const LeagueLoad& load, bool defaults_only) {
  const Scenario scenario = LeagueScenario(Contestant{}, Duration(15'000));
  const LagFreePool pool{.capacity = kLeagueCapacity,
                         .startup = scenario.service.startup,
                         .drain = scenario.service.drain,
                         .wait = LongestGoodWait(scenario),
                         .initial = InitialOf(load),
                         .end = traces::Length(load.trace),
                         .counted_from = scenario.service.startup + Duration(1)};
  std::optional<LeagueCurve> cheapest;
  for (const Duration held : kHeld) {
    if (cheapest && (defaults_only || held > pool.end)) break;
    const Search search{
        kLeastHeadroom, kMostHeadroom, 1.25, false, [&](double headroom) -> Expected<LeagueRun> {
          const LagFreeRun run = FollowWithoutLag(load.trace, pool, headroom, held);
          return LeagueRun{
              .knob = headroom, .bad = run.bad_fraction, .replica_seconds = run.replica_seconds};
        }};
    TIDEGATE_TRY(LeagueCurve curve, Find(search, defaults_only));
    if (cheapest &&
        (!curve.best || (cheapest->best && BestSeconds(*cheapest) <= BestSeconds(curve))))
      continue;
    curve.knob =
        held > Duration(0) ? fmt::format("headroom over {}", FormatDuration(held)) : "headroom";
    cheapest = std::move(curve);
  }
  cheapest->contestant = kLagFree;
  return *std::move(cheapest);
}

OracleBound OracleOf(const LeagueLoad& load) {
  const Scenario scenario = LeagueScenario(Contestant{}, Duration(15'000));
  OracleInput input;
  input.capacity = kLeagueCapacity;
  input.startup = scenario.service.startup;
  input.drain = scenario.service.drain;
  input.wait = LongestGoodWait(scenario);
  input.initial = InitialOf(load);
  input.least = 1;
  input.most = 8 * kLeaguePeak;
  input.end = traces::Length(load.trace);
  input.counted_from = scenario.service.startup + Duration(1);
  input.bad_fraction = kObjective;
  return LeastReplicaSeconds(load.trace, input);
}

// One piece of work: everything of one contestant on one trace, or a trace's oracle.
struct Job {
  std::size_t league, trace;
  std::optional<std::size_t> contestant;  // unset: what does not depend on scrapes
};

class LeagueRunner {
 public:
  LeagueRunner(const LeagueOptions& options, std::vector<LeagueLoad> loads)
      : options_(options), loads_(std::move(loads)) {
    for (const Contestant& contestant : Contestants()) {
      if (options.only.empty() || std::ranges::count(options.only, contestant.name) > 0)
        contestants_.push_back(&contestant);
    }
    for (const Duration scrape : options.scrapes) leagues_.push_back(Empty(scrape));
    for (std::size_t i = 0; i < loads_.size(); ++i) {
      jobs_.push_back({0, i, std::nullopt});
      for (std::size_t l = 0; l < leagues_.size(); ++l) {
        for (std::size_t c = 0; c < contestants_.size(); ++c) {
          // Who has scrapes of its own does the same in every league.
          if (l == 0 || contestants_[c]->scrape == Duration(0)) jobs_.push_back({l, i, c});
        }
      }
    }
    // Long ones first, so that no thread is left with one at the end.
    std::ranges::stable_sort(jobs_, std::greater<>(), [&](const Job& job) {
      return loads_[job.trace].trace.requests.size();
    });
    outcomes_.resize(jobs_.size());
  }

  std::size_t jobs() const { return jobs_.size(); }

  // True where everything was done.
  Expected<bool> Go(const std::function<bool()>& stopped, Progress& progress) {
    std::atomic<bool> failed = false;
    const int threads = options_.threads > 0 ? options_.threads : Processors();
    const bool complete = ForEach(
        jobs_.size(), threads, [&] { return stopped() || failed; },
        [&](std::size_t i) {
          outcomes_[i] = Do(jobs_[i]);
          if (!outcomes_[i]) failed = true;
          progress.Done();
        });
    for (auto& outcome : outcomes_) TIDEGATE_TRY_VOID(std::move(outcome));
    if (complete) Share();
    return complete;
  }

  const std::vector<League>& leagues() const { return leagues_; }

 private:
  League Empty(Duration scrape) const {
    League league{.objective = kObjective, .scrape = scrape, .contestants = {}, .traces = {}};
    for (const Contestant* contestant : contestants_)
      league.contestants.emplace_back(contestant->name);
    league.contestants.emplace_back(kLagFree);
    for (const LeagueLoad& load : loads_) {
      LeagueTrace trace;
      trace.name = load.name;
      trace.length = traces::Length(load.trace);
      trace.bin = load.trace.bin;
      trace.whole_days = load.whole_days;
      trace.smoothed = load.smoothed;
      trace.curves.resize(league.contestants.size());
      league.traces.push_back(std::move(trace));
    }
    return league;
  }

  Expected<void> Do(const Job& job) {
    const LeagueLoad& load = loads_[job.trace];
    LeagueTrace& trace = leagues_[job.league].traces[job.trace];
    if (!job.contestant) {
      const OracleBound oracle = OracleOf(load);
      trace.oracle_seconds = oracle.replica_seconds;
      trace.reachable = oracle.reachable;
      TIDEGATE_TRY(trace.curves.back(), CompeteWithoutLag(load, options_.defaults_only));
      return {};
    }
    TIDEGATE_TRY(trace.curves[*job.contestant],
                 Compete(*contestants_[*job.contestant], leagues_[job.league].scrape, load,
                         options_.defaults_only));
    return {};
  }

  // What does not depend on the league's scrapes was done for the first one.
  void Share() {
    for (std::size_t l = 1; l < leagues_.size(); ++l) {
      for (std::size_t i = 0; i < loads_.size(); ++i) {
        const LeagueTrace& from = leagues_[0].traces[i];
        LeagueTrace& to = leagues_[l].traces[i];
        to.oracle_seconds = from.oracle_seconds;
        to.reachable = from.reachable;
        for (std::size_t c = 0; c < to.curves.size(); ++c)
          if (to.curves[c].runs.empty()) to.curves[c] = from.curves[c];
      }
    }
  }

  const LeagueOptions& options_;
  std::vector<LeagueLoad> loads_;
  std::vector<const Contestant*> contestants_;
  std::vector<League> leagues_;
  std::vector<Job> jobs_;
  std::vector<Expected<void>> outcomes_;
};

std::string NameOf(const std::string& file) {
  const std::size_t slash = file.rfind('/');
  const std::string base = slash == std::string::npos ? file : file.substr(slash + 1);
  return base.substr(0, base.find('.'));
}

Expected<std::vector<LeagueLoad>> LoadsOf(const LeagueOptions& options) {
  TIDEGATE_TRY(const std::vector<std::string> files, TraceFiles(options.traces));
  std::vector<LeagueLoad> loads;
  for (const std::string& file : files) {
    const std::string name = NameOf(file);
    const bool wanted =
        options.files.empty() || std::ranges::any_of(options.files, [&](const std::string& part) {
          return name.find(part) != std::string::npos;
        });
    if (!wanted) continue;
    TIDEGATE_TRY(const traces::Trace trace, traces::ReadTrace(file));
    loads.push_back(PrepareLoad(name, trace, options.window, kLeagueCapacity * kLeaguePeak));
  }
  if (loads.empty()) return Fail(ErrorCode::kInvalid, "no trace has such a name");
  return loads;
}

}  // namespace

int RunLeague(const LeagueOptions& options, Streams streams) {
  auto loads = LoadsOf(options);
  if (!loads) {
    streams.err << loads.error().message << "\n";
    return kBadInput;
  }
  LeagueRunner runner(options, *std::move(loads));
  const Interrupt interrupt;
  Expected<bool> complete = true;
  {
    Progress progress(streams.err, "courses", runner.jobs(), 0);
    complete = runner.Go([&] { return interrupt.Asked(); }, progress);
  }
  if (!complete || !*complete) {
    streams.err << (complete ? "stopped" : complete.error().message) << "\n";
    return kFailed;
  }
  if (!options.page.empty()) {
    const std::string page = ToHtml(runner.leagues());
    const auto written = WriteWhole(options.page, [&](std::ostream& out) { out << page; });
    if (!written) {
      streams.err << written.error().message << "\n";
      return kFailed;
    }
  }
  streams.out << (options.json ? ToJson(runner.leagues()) + "\n" : ToTable(runner.leagues()));
  return streams.out ? kDone : kFailed;
}

}  // namespace tidegate::sim
