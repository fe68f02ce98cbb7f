#include "sim/runner/knob_search.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>

namespace tidegate::sim {
namespace {

constexpr int kMostTries = 8;
constexpr double kClose = 0.005;
// Shares below are as good as none.
constexpr double kLeastShare = 1e-7;

void Enter(const LeagueRun& run, double objective, LeagueCurve& curve) {
  const double by_default = curve.runs.empty() ? run.knob : curve.runs[curve.at_default].knob;
  curve.runs.insert(std::ranges::upper_bound(curve.runs, run.knob, {}, &LeagueRun::knob), run);
  curve.best.reset();
  for (std::size_t i = 0; i < curve.runs.size(); ++i) {
    const LeagueRun& one = curve.runs[i];
    if (one.knob == by_default) curve.at_default = i;
    if (one.bad > objective) continue;
    if (!curve.best || one.replica_seconds < curve.runs[*curve.best].replica_seconds)
      curve.best = i;
  }
}

// The runs that a setting lies between: `good` is the cheapest one that keeps the share, `bad` the
// next less generous one that does not.
struct Bracket {
  std::optional<LeagueRun> good, bad;
};

Bracket BracketOf(const KnobSearch& search, double share, const LeagueCurve& curve) {
  Bracket bracket;
  for (const LeagueRun& run : curve.runs) {
    if (run.bad > share) continue;
    if (!bracket.good || run.replica_seconds < bracket.good->replica_seconds) bracket.good = run;
  }
  const double sign = search.more_is_cheaper ? 1 : -1;
  for (const LeagueRun& run : curve.runs) {
    if (run.bad <= share) continue;
    if (bracket.good && sign * (run.knob - bracket.good->knob) < 0) continue;
    if (!bracket.bad || sign * (run.knob - bracket.bad->knob) < 0) bracket.bad = run;
  }
  return bracket;
}

bool IsClose(const Bracket& bracket) {
  return bracket.good && bracket.bad &&
         bracket.good->replica_seconds * (1 - kClose) <= bracket.bad->replica_seconds;
}

// Between both, in logarithms: in turns the middle, and where the share would be met were its
// logarithm straight between them, which is near where failures grow by a power of the setting.
double Next(const Bracket& bracket, double sparing, double share, bool straight) {
  const double good = std::log(bracket.good->knob);
  const double bad = std::log(bracket.bad ? bracket.bad->knob : sparing);
  double part = 0.5;
  if (straight && bracket.bad) {
    const double low = std::log(std::max(bracket.good->bad, kLeastShare));
    const double high = std::log(std::max(bracket.bad->bad, kLeastShare));
    if (high > low)
      part = std::clamp((std::log(std::max(share, kLeastShare)) - low) / (high - low), 0.05, 0.95);
  }
  return std::exp(good + part * (bad - good));
}

bool WasPlayed(const LeagueCurve& curve, double knob) {
  return std::ranges::any_of(curve.runs, [knob](const LeagueRun& run) { return run.knob == knob; });
}

}  // namespace

Expected<LeagueCurve> PlayDefault(const KnobSearch& search, double objective) {
  LeagueCurve curve;
  TIDEGATE_TRY(const LeagueRun run, search.run(search.by_default));
  Enter(run, objective, curve);
  return curve;
}

Expected<void> Approach(const KnobSearch& search, double share, double objective,
                        LeagueCurve& curve) {
  const double generous = search.more_is_cheaper ? search.least : search.most;
  const double sparing = search.more_is_cheaper ? search.most : search.least;
  if (!BracketOf(search, share, curve).good && !WasPlayed(curve, generous)) {
    TIDEGATE_TRY(const LeagueRun run, search.run(generous));
    Enter(run, objective, curve);
  }
  for (int i = 0; i < kMostTries; ++i) {
    const Bracket bracket = BracketOf(search, share, curve);
    if (!bracket.good || IsClose(bracket)) return {};
    TIDEGATE_TRY(const LeagueRun run, search.run(Next(bracket, sparing, share, i % 2 == 0)));
    if (WasPlayed(curve, run.knob)) return {};
    Enter(run, objective, curve);
  }
  return {};
}

}  // namespace tidegate::sim
