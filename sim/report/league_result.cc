#include "sim/report/league_result.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "sim/report/league_duel.h"

namespace tidegate::sim {
namespace {

namespace json = boost::json;

json::object RunJson(const LeagueRun& run, double oracle) {
  return {{"knob", run.knob},
          {"badPercent", run.bad * 100},
          {"worstMinutePercent", run.worst_minute * 100},
          {"costMultiple", run.replica_seconds / oracle},
          {"replicaHours", run.replica_seconds / 3'600},
          {"moves", run.moves},
          {"shortOfCapacitySeconds", run.short_seconds}};
}

json::object CurveJson(const LeagueCurve& curve, double oracle) {
  json::array runs;
  for (const LeagueRun& run : curve.runs) runs.push_back(RunJson(run, oracle));
  json::object object{{"contestant", curve.contestant},
                      {"knob", curve.knob},
                      {"default", RunJson(curve.runs[curve.at_default], oracle)}};
  object["best"] = nullptr;
  if (curve.best) object["best"] = RunJson(curve.runs[*curve.best], oracle);
  object["runs"] = std::move(runs);
  return object;
}

json::object DuelJson(const LeagueDuel& duel) {
  return {{"traces", duel.traces},
          {"won", duel.won},
          {"unmatched", duel.unmatched},
          {"meanSavingPercent", duel.saving * 100},
          {"meanSavingPercentWhereWon", duel.saving_where_won * 100}};
}

std::string TraceLines(const League& league) {
  std::size_t width = kNameWidth;
  for (const LeagueTrace& trace : league.traces) width = std::max(width, trace.name.size());
  std::string text = fmt::format("{:<{}}", "trace", width);
  for (const std::string& name : league.contestants) text += fmt::format(" {:>22}", name);
  text += "\n";
  for (const LeagueTrace& trace : league.traces) {
    text += fmt::format("{:<{}}", trace.name, width);
    for (const LeagueCurve& curve : trace.curves) {
      const LeagueRun& run = curve.runs[curve.at_default];
      text += fmt::format(" {:>8.3f}% {:>6} {:>6}", run.bad * 100,
                          CostText(run.replica_seconds, trace.oracle_seconds),
                          CostText(BestCost(curve), trace.oracle_seconds));
    }
    text += trace.reachable ? "\n" : "  (nobody keeps the objective)\n";
  }
  return text;
}

std::string DuelText(std::string_view what, const LeagueDuel& duel) {
  if (duel.traces == 0) return fmt::format("{}: not played\n", what);
  std::string text = fmt::format(
      "{}: cheaper on {} of {} traces, by {:.1f} % on those on average, by {:.1f} % on all", what,
      duel.won, duel.traces, duel.saving_where_won * 100, duel.saving * 100);
  if (duel.unmatched > 0)
    text += fmt::format(" ({} of them without any rival's price, taken for 0 %)", duel.unmatched);
  if (duel.unpriced > 0)
    text += fmt::format(" ({} lost for want of any setting, taken for 0 %)", duel.unpriced);
  return text + "\n";
}

std::string DuelTexts(const League& league) {
  const std::vector<EqualShare> shares = AtEqualShares(league);
  std::string text;
  if (!shares.empty())
    text += "\ncost of as few bad requests as tide's default has\n" + ToTable(shares);
  text += "\nagainst the cheapest of hpa, keda and kpa\n";
  text += DuelText("  tide at its default, at equal bad %", DuelAtDefault(shares));
  text += DuelText("  the same, no rival mixing two of its settings", DuelUnmixed(shares));
  const std::string lag_free =
      league.seen_late > Duration(0)
          ? fmt::format("  the pool without lag, seeing the load {} late, at as many bad %",
                        FormatDuration(league.seen_late))
          : "  the pool without lag, at as many bad %";
  text += DuelText(lag_free, DuelWithoutLag(shares));
  return text + DuelText("  tide and they at their best settings", DuelAtBest(league));
}

json::value Multiple(std::optional<double> cost, double oracle) {
  return cost ? json::value(*cost / oracle) : json::value(nullptr);
}

json::array SharesJson(const std::vector<EqualShare>& shares) {
  json::array all;
  for (const EqualShare& share : shares) {
    all.push_back(json::object{{"trace", share.trace},
                               {"badPercent", share.bad * 100},
                               {"tideCostMultiple", share.tide / share.oracle},
                               {"rival", share.rival},
                               {"rivalCostMultiple", Multiple(share.rivals, share.oracle)},
                               {"rivalUnmixedCostMultiple", Multiple(share.unmixed, share.oracle)},
                               {"noLagCostMultiple", Multiple(share.lag_free, share.oracle)}});
  }
  return all;
}

}  // namespace

std::string CostText(std::optional<double> cost, double oracle) {
  return cost ? fmt::format("{:.2f}x", *cost / oracle) : "-";
}

const LeagueCurve* Find(const LeagueTrace& trace, std::string_view contestant) {
  const auto found = std::ranges::find(trace.curves, contestant, &LeagueCurve::contestant);
  return found != trace.curves.end() ? &*found : nullptr;
}

std::optional<double> BestCost(const LeagueCurve& curve) {
  if (!curve.best) return std::nullopt;
  return curve.runs[*curve.best].replica_seconds;
}

std::optional<double> CostAt(const LeagueCurve& curve, double bad) {
  // The cheapest way between any run with fewer bad ones and any with more: the lower hull would
  // need a pool that is now one and now the other, which in the mean is just that.
  std::optional<double> cheapest;
  for (const LeagueRun& good : curve.runs) {
    if (good.bad > bad) continue;
    double cost = good.replica_seconds;
    for (const LeagueRun& worse : curve.runs) {
      if (worse.bad <= bad || worse.replica_seconds >= good.replica_seconds) continue;
      const double part = (bad - good.bad) / (worse.bad - good.bad);
      cost = std::min(cost,
                      good.replica_seconds + part * (worse.replica_seconds - good.replica_seconds));
    }
    if (!cheapest || cost < *cheapest) cheapest = cost;
  }
  return cheapest;
}

std::vector<LeagueStanding> Standings(const League& league) {
  std::vector<LeagueStanding> standings;
  for (const std::string& name : league.contestants) {
    LeagueStanding standing{.contestant = name};
    double all = 0, reached = 0;
    int count = 0;
    for (const LeagueTrace& trace : league.traces) {
      const LeagueCurve* const curve = Find(trace, name);
      if (curve == nullptr) continue;
      const LeagueRun& run = curve->runs[curve->at_default];
      ++count;
      standing.worst_minute += run.worst_minute;
      standing.moves += run.moves;
      standing.short_seconds += run.short_seconds;
      all += std::log(run.replica_seconds / trace.oracle_seconds);
      if (run.bad <= league.objective) ++standing.kept;
      if (const auto best = BestCost(*curve)) {
        ++standing.reached;
        reached += std::log(*best / trace.oracle_seconds);
      }
    }
    if (count > 0) {
      standing.mean_cost = std::exp(all / count);
      standing.worst_minute /= count;
    }
    if (standing.reached > 0) standing.best_cost = std::exp(reached / standing.reached);
    standings.push_back(standing);
  }
  return standings;
}

std::string ToTable(const std::vector<League>& leagues) {
  std::string text;
  for (const League& league : leagues) {
    text += fmt::format(
        "scrapes every {}; objective: at most {:g} % bad. Of each contestant: bad requests and "
        "cost over the oracle's at its default, and cost at the cheapest setting of its knob that "
        "keeps the objective\n\n",
        FormatDuration(league.scrape), league.objective * 100);
    text += TraceLines(league) + "\n";
    text += fmt::format("{:<12} {:>18} {:>12} {:>13} {:>10} {:>9} {:>18} {:>12}\n", "contestant",
                        "kept at default", "mean cost", "worst minute", "moves", "short",
                        "kept by some", "mean cost");
    for (const LeagueStanding& standing : Standings(league)) {
      text += fmt::format(
          "{:<12} {:>11} of {:<3} {:>12} {:>11.1f} % {:>10} {:>7.1f} h {:>11} of {:<3} {:>12}\n",
          standing.contestant, standing.kept, league.traces.size(), CostText(standing.mean_cost, 1),
          standing.worst_minute * 100, standing.moves, standing.short_seconds / 3'600,
          standing.reached, league.traces.size(), CostText(standing.best_cost, 1));
    }
    text += DuelTexts(league) + "\n";
  }
  return text;
}

std::string ToJson(const std::vector<League>& leagues) {
  json::array all;
  for (const League& league : leagues) {
    json::array traces, standings;
    for (const LeagueTrace& trace : league.traces) {
      json::array curves;
      for (const LeagueCurve& curve : trace.curves)
        curves.push_back(CurveJson(curve, trace.oracle_seconds));
      traces.push_back(json::object{{"name", trace.name},
                                    {"seconds", Seconds(trace.length)},
                                    {"binSeconds", Seconds(trace.bin)},
                                    {"daysOfFile", trace.whole_days},
                                    {"smoothed", trace.smoothed},
                                    {"oracleReplicaHours", trace.oracle_seconds / 3'600},
                                    {"reachable", trace.reachable},
                                    {"curves", std::move(curves)}});
    }
    const std::vector<EqualShare> shares = AtEqualShares(league);
    for (const LeagueStanding& standing : Standings(league)) {
      standings.push_back(json::object{{"contestant", standing.contestant},
                                       {"keptAtDefault", standing.kept},
                                       {"meanCostAtDefault", standing.mean_cost},
                                       {"worstMinutePercentAtDefault", standing.worst_minute * 100},
                                       {"movesAtDefault", standing.moves},
                                       {"shortOfCapacitySecondsAtDefault", standing.short_seconds},
                                       {"keptBySome", standing.reached},
                                       {"meanCostAtBest", Multiple(standing.best_cost, 1)}});
    }
    all.push_back(json::object{{"scrapeSeconds", Seconds(league.scrape)},
                               {"objectiveBadPercent", league.objective * 100},
                               {"noLagSeenLateSeconds", Seconds(league.seen_late)},
                               {"standings", std::move(standings)},
                               {"tideAtDefault", DuelJson(DuelAtDefault(shares))},
                               {"tideAtDefaultRivalsUnmixed", DuelJson(DuelUnmixed(shares))},
                               {"noLagAtTidesShare", DuelJson(DuelWithoutLag(shares))},
                               {"tideAtBest", DuelJson(DuelAtBest(league))},
                               {"atTidesShare", SharesJson(shares)},
                               {"traces", std::move(traces)}});
  }
  return json::serialize(all);
}

}  // namespace tidegate::sim
