#include "sim/runner/league.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "policies/base/check.h"
#include "sim/report/lag_free.h"
#include "sim/report/league_duel.h"
#include "sim/report/league_result.h"
#include "sim/report/oracle.h"
#include "sim/runner/contestants.h"
#include "sim/runner/interrupt.h"
#include "sim/runner/knob_search.h"
#include "sim/runner/league_load.h"
#include "sim/runner/progress.h"
#include "sim/runner/simulate.h"
#include "sim/runner/whole_file.h"
#include "sim/runner/workers.h"
#include "traces/format/trace_file.h"

namespace tidegate::sim {
namespace {

constexpr double kObjective = 0.001;
// The headroom of the pool without lag, and how long it remembers the highest rate.
constexpr double kLeastHeadroom = 1, kMostHeadroom = 64;
constexpr std::array<Duration, 6> kHeld{Duration(0),
                                        std::chrono::minutes(6),
                                        std::chrono::minutes(30),
                                        std::chrono::minutes(90),
                                        std::chrono::hours(6),
                                        std::chrono::hours(24)};

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

KnobSearch SearchOf(const Contestant& contestant, Duration scrape, const LeagueLoad& load) {
  const bool whole = contestant.spec == nullptr;
  return {.least = contestant.least,
          .most = contestant.most,
          .by_default = contestant.by_default,
          .more_is_cheaper = contestant.more_is_cheaper,
          .run = [&contestant, &load, scrape, whole](double knob) {
            return Play(contestant, whole ? std::round(knob) : knob, scrape, load);
          }};
}

// At its default, and at the cheapest settings with each of these shares of bad requests.
Expected<LeagueCurve> Explore(const KnobSearch& search, const std::vector<double>& shares) {
  TIDEGATE_TRY(LeagueCurve curve, PlayDefault(search, kObjective));
  for (const double share : shares) TIDEGATE_TRY_VOID(Approach(search, share, kObjective, curve));
  return curve;
}

double BestSeconds(const LeagueCurve& curve) { return curve.runs[*curve.best].replica_seconds; }

// The pool and its load, as both bounds are told of them.
template <class Bound>
Bound BoundOn(const LeagueLoad& load) {
  const Scenario scenario = LeagueScenario(Contestant{}, Duration(15'000));
  Bound bound;
  bound.capacity = kLeagueCapacity;
  bound.startup = scenario.service.startup;
  bound.drain = scenario.service.drain;
  bound.wait = LongestGoodWait(scenario);
  bound.initial = InitialOf(load);
  bound.end = traces::Length(load.trace);
  bound.counted_from = scenario.service.startup + Duration(1);
  return bound;
}

// The curve of the memory with which the objective is cheapest to keep; where none keeps it, that
// of the shortest.
Expected<LeagueCurve> CompeteWithoutLag(const LeagueLoad& load, Duration seen_late,
                                        const std::vector<double>& shares) {
  LagFreePool pool = BoundOn<LagFreePool>(load);
  pool.seen_late = seen_late;
  std::optional<LeagueCurve> cheapest;
  for (const Duration held : kHeld) {
    if (cheapest && (shares.empty() || held > pool.end)) break;
    const KnobSearch search{
        kLeastHeadroom, kMostHeadroom, 1.25, false, [&](double headroom) -> Expected<LeagueRun> {
          const LagFreeRun run = FollowWithoutLag(load.trace, pool, headroom, held);
          return LeagueRun{.knob = headroom,
                           .bad = run.bad_fraction,
                           .worst_minute = run.worst_minute,
                           .replica_seconds = run.replica_seconds,
                           .moves = run.moves,
                           .short_seconds = run.short_seconds};
        }};
    TIDEGATE_TRY(LeagueCurve curve, Explore(search, shares));
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
  OracleInput input = BoundOn<OracleInput>(load);
  input.least = 1;
  input.most = 8 * kLeaguePeak;
  input.bad_fraction = kObjective;
  return LeastReplicaSeconds(load.trace, input);
}

// One piece of work on one trace.
struct Job {
  enum class Kind {
    kOracle,
    kContestant,  // its default, and the objective
    kRival,       // a contestant again, at as many bad requests as tide has
    kLagFree,     // both
  };
  std::size_t league, trace;
  Kind kind;
  std::size_t contestant = 0;
};

class LeagueRunner {
 public:
  LeagueRunner(const LeagueOptions& options, std::vector<LeagueLoad> loads)
      : options_(options), loads_(std::move(loads)) {
    for (const Contestant& contestant : Contestants()) {
      if (!options.only.empty() && std::ranges::count(options.only, contestant.name) == 0) continue;
      if (contestant.name == kTide) tide_ = contestants_.size();
      contestants_.push_back(&contestant);
    }
    for (const Duration scrape : options.scrapes) leagues_.push_back(Empty(scrape));
    for (std::size_t i = 0; i < loads_.size(); ++i) AddJobs(i);
  }

  std::size_t jobs() const { return alone_.size() + compared_.size(); }

  // True where everything was done.
  Expected<bool> Go(const std::function<bool()>& stopped, Progress& progress) {
    TIDEGATE_TRY(const bool alone, Work(alone_, stopped, progress));
    if (!alone) return false;
    Share();
    return Work(compared_, stopped, progress);
  }

  const std::vector<League>& leagues() const { return leagues_; }

 private:
  // Whether others are to be compared with tide at its share of bad requests.
  bool Duels() const { return tide_.has_value() && !options_.defaults_only; }

  void AddJobs(std::size_t trace) {
    alone_.push_back({0, trace, Job::Kind::kOracle});
    for (std::size_t l = 0; l < leagues_.size(); ++l) {
      for (std::size_t c = 0; c < contestants_.size(); ++c) {
        // Who has scrapes of its own does the same in every league.
        if (l == 0 || contestants_[c]->scrape == Duration(0))
          alone_.push_back({l, trace, Job::Kind::kContestant, c});
        if (Duels() && std::ranges::count(kRivals, contestants_[c]->name) > 0)
          compared_.push_back({l, trace, Job::Kind::kRival, c});
      }
      compared_.push_back({l, trace, Job::Kind::kLagFree});
    }
  }

  Expected<bool> Work(std::vector<Job>& jobs, const std::function<bool()>& stopped,
                      Progress& progress) {
    // Long ones first, so that no thread is left with one at the end.
    std::ranges::stable_sort(jobs, std::greater<>(), [&](const Job& job) {
      return loads_[job.trace].trace.requests.size();
    });
    std::vector<Expected<void>> outcomes(jobs.size());
    std::atomic<bool> failed = false;
    const int threads = options_.threads > 0 ? options_.threads : Processors();
    const bool complete = ForEach(
        jobs.size(), threads, [&] { return stopped() || failed; },
        [&](std::size_t i) {
          outcomes[i] = Do(jobs[i]);
          if (!outcomes[i]) failed = true;
          progress.Done();
        });
    for (auto& outcome : outcomes) TIDEGATE_TRY_VOID(std::move(outcome));
    return complete;
  }

  League Empty(Duration scrape) const {
    League league{.objective = kObjective,
                  .scrape = scrape,
                  .seen_late = options_.seen_late,
                  .contestants = {},
                  .traces = {}};
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
    League& league = leagues_[job.league];
    LeagueTrace& trace = league.traces[job.trace];
    std::vector<double> shares;
    if (!options_.defaults_only) shares.push_back(kObjective);
    switch (job.kind) {
      case Job::Kind::kOracle: {
        const OracleBound oracle = OracleOf(load);
        trace.oracle_seconds = oracle.replica_seconds;
        trace.reachable = oracle.reachable;
        return {};
      }
      case Job::Kind::kContestant: {
        const Contestant& contestant = *contestants_[job.contestant];
        TIDEGATE_TRY(LeagueCurve curve, Explore(SearchOf(contestant, league.scrape, load), shares));
        curve.contestant = contestant.name;
        curve.knob = contestant.knob;
        trace.curves[job.contestant] = std::move(curve);
        return {};
      }
      case Job::Kind::kRival:
        return Approach(SearchOf(*contestants_[job.contestant], league.scrape, load),
                        ShareToBeat(trace.curves[*tide_]), kObjective,
                        trace.curves[job.contestant]);
      case Job::Kind::kLagFree:
        if (Duels()) shares.push_back(ShareToBeat(trace.curves[*tide_]));
        TIDEGATE_TRY(trace.curves.back(), CompeteWithoutLag(load, options_.seen_late, shares));
        return {};
    }
    TIDEGATE_CHECK(false, "a kind of job");
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
  std::optional<std::size_t> tide_;  // its place among the contestants
  std::vector<Job> alone_;           // what needs no other's result
  std::vector<Job> compared_;        // what needs tide's
};

bool IsWanted(const LeagueOptions& options, const std::string& name) {
  return options.names.empty() || std::ranges::any_of(options.names, [&](const std::string& part) {
           return name.find(part) != std::string::npos;
         });
}

bool IsAnyPartWanted(const LeagueOptions& options, const std::string& trace) {
  for (int part = 1; part <= options.parts; ++part) {
    if (IsWanted(options, PartName(trace, part))) return true;
  }
  return false;
}

std::string NoSuchName(const LeagueOptions& options, const std::vector<TraceFile>& files) {
  constexpr std::size_t kMostListed = 10;
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < std::min(files.size(), kMostListed); ++i)
    names.push_back(files[i].name);
  const std::size_t more = files.size() - names.size();
  return fmt::format("no trace has such a name: --trace {}; there are: {}{}",
                     fmt::join(options.names, " "), fmt::join(names, ", "),
                     more > 0 ? fmt::format(" and {} more", more) : "");
}

Expected<std::vector<LeagueLoad>> LoadsOf(const LeagueOptions& options) {
  TIDEGATE_TRY(const std::vector<TraceFile> files, TraceFiles(options.traces));
  const LeagueParts parts{options.part, options.parts};
  std::vector<LeagueLoad> loads;
  for (const TraceFile& file : files) {
    // What nobody wants need not be readable.
    if (!IsAnyPartWanted(options, file.name)) continue;
    TIDEGATE_TRY(const traces::Trace trace, traces::ReadTrace(file.path));
    for (LeagueLoad& load : PrepareLoads(file.name, trace, parts, kLeagueCapacity * kLeaguePeak)) {
      if (IsWanted(options, load.name)) loads.push_back(std::move(load));
    }
  }
  if (loads.empty()) return Fail(ErrorCode::kInvalid, NoSuchName(options, files));
  std::set<std::string_view> names;
  for (const LeagueLoad& load : loads) {
    if (names.insert(load.name).second) continue;
    return Fail(ErrorCode::kInvalid, fmt::format("a file and a part of another are both called "
                                                 "{}; rename the file",
                                                 load.name));
  }
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
