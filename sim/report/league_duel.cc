#include "sim/report/league_duel.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace tidegate::sim {
namespace {

std::vector<const LeagueCurve*> RivalsOf(const LeagueTrace& trace) {
  std::vector<const LeagueCurve*> rivals;
  for (const std::string_view name : kRivals) {
    const LeagueCurve* const rival = Find(trace, name);
    if (rival != nullptr) rivals.push_back(rival);
  }
  return rivals;
}

// Keeps sums of savings.
void Count(LeagueDuel& duel, std::optional<double> cost, std::optional<double> rivals) {
  if (!cost && !rivals) return;
  ++duel.traces;
  if (!rivals) ++duel.unmatched;
  if (!cost) ++duel.unpriced;
  if (!cost) return;
  if (!rivals || *cost < *rivals) ++duel.won;
  if (!rivals) return;
  const double saving = 1 - *cost / *rivals;
  duel.saving += saving;
  duel.saving_where_won += std::max(0.0, saving);
}

LeagueDuel Mean(LeagueDuel duel) {
  if (duel.traces > 0) duel.saving /= duel.traces;
  if (duel.won > duel.unmatched) duel.saving_where_won /= duel.won - duel.unmatched;
  return duel;
}

// The cheapest of its runs that has no larger share of bad requests; replica-seconds.
std::optional<double> UnmixedCostAt(const LeagueCurve& curve, double bad) {
  std::optional<double> cheapest;
  for (const LeagueRun& run : curve.runs) {
    if (run.bad > bad || (cheapest && *cheapest <= run.replica_seconds)) continue;
    cheapest = run.replica_seconds;
  }
  return cheapest;
}

}  // namespace

double ShareToBeat(const LeagueCurve& curve) {
  return std::max(curve.runs[curve.at_default].bad, kLeastTold);
}

std::vector<EqualShare> AtEqualShares(const League& league) {
  std::vector<EqualShare> shares;
  for (const LeagueTrace& trace : league.traces) {
    const LeagueCurve* const tide = Find(trace, kTide);
    const std::vector<const LeagueCurve*> rivals = RivalsOf(trace);
    if (tide == nullptr || rivals.empty()) continue;
    EqualShare share{.trace = trace.name,
                     .bad = ShareToBeat(*tide),
                     .oracle = trace.oracle_seconds,
                     .tide = tide->runs[tide->at_default].replica_seconds};
    for (const LeagueCurve* const rival : rivals) {
      const std::optional<double> unmixed = UnmixedCostAt(*rival, share.bad);
      if (unmixed && (!share.unmixed || *unmixed < *share.unmixed)) share.unmixed = unmixed;
      const std::optional<double> cost = CostAt(*rival, share.bad);
      if (!cost || (share.rivals && *share.rivals <= *cost)) continue;
      share.rivals = cost;
      share.rival = rival->contestant;
    }
    const LeagueCurve* const lag_free = Find(trace, kLagFree);
    if (lag_free != nullptr) share.lag_free = CostAt(*lag_free, share.bad);
    shares.push_back(std::move(share));
  }
  return shares;
}

LeagueDuel DuelAtDefault(const std::vector<EqualShare>& shares) {
  LeagueDuel duel;
  for (const EqualShare& share : shares) Count(duel, share.tide, share.rivals);
  return Mean(duel);
}

LeagueDuel DuelUnmixed(const std::vector<EqualShare>& shares) {
  LeagueDuel duel;
  for (const EqualShare& share : shares) Count(duel, share.tide, share.unmixed);
  return Mean(duel);
}

LeagueDuel DuelWithoutLag(const std::vector<EqualShare>& shares) {
  LeagueDuel duel;
  for (const EqualShare& share : shares) Count(duel, share.lag_free, share.rivals);
  return Mean(duel);
}

LeagueDuel DuelAtBest(const League& league) {
  LeagueDuel duel;
  for (const LeagueTrace& trace : league.traces) {
    const LeagueCurve* const tide = Find(trace, kTide);
    const std::vector<const LeagueCurve*> rivals = RivalsOf(trace);
    if (tide == nullptr || rivals.empty()) continue;
    std::optional<double> cheapest;
    for (const LeagueCurve* const rival : rivals) {
      const std::optional<double> cost = BestCost(*rival);
      if (cost && (!cheapest || *cost < *cheapest)) cheapest = cost;
    }
    Count(duel, BestCost(*tide), cheapest);
  }
  return Mean(duel);
}

std::string ToTable(const std::vector<EqualShare>& shares) {
  std::size_t width = kNameWidth;
  for (const EqualShare& share : shares) width = std::max(width, share.trace.size());
  std::string text = fmt::format("{:<{}} {:>9} {:>8} {:>15} {:>8} {:>8}\n", "trace", width, "bad",
                                 "tide", "cheapest rival", "no lag", "saving");
  for (const EqualShare& share : shares) {
    const std::string rival = share.rival + " " + CostText(share.rivals, share.oracle);
    const std::string saving =
        share.rivals ? fmt::format("{:.1f} %", 100 * (1 - share.tide / *share.rivals)) : "-";
    text += fmt::format("{:<{}} {:>7.3f} % {:>8} {:>15} {:>8} {:>8}\n", share.trace, width,
                        share.bad * 100, CostText(share.tide, share.oracle), rival,
                        CostText(share.lag_free, share.oracle), saving);
  }
  return text;
}

}  // namespace tidegate::sim
