#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/report/league_result.h"

namespace tidegate::sim {

// Whom tide is compared with: what others scale by.
inline constexpr std::array<std::string_view, 3> kRivals{"hpa", "keda", "kpa"};

// Shares of bad requests below this are as good as none.
inline constexpr double kLeastTold = 1e-5;

// The share of bad requests at which others are compared with the default of this one: its own, or
// what is as good as none.
double ShareToBeat(const LeagueCurve& curve);

// What it costs on one trace to have as few bad requests as tide has at its default;
// replica-seconds.
struct EqualShare {
  std::string trace;
  double bad = 0;
  double oracle = 0;  // with the objective's share
  double tide = 0;
  std::string rival{};               // the cheapest one; empty: none has so few at any setting
  std::optional<double> rivals{};    // what it costs, mixing two settings where that is cheaper
  std::optional<double> unmixed{};   // what the cheapest rival costs at any one setting
  std::optional<double> lag_free{};  // the same of the pool that sees the present without lag
};
// One for each trace; none where tide or all of its rivals did not play.
std::vector<EqualShare> AtEqualShares(const League& league);

// Somebody against the cheapest of tide's rivals.
struct LeagueDuel {
  int traces = 0;  // on which somebody could be compared
  int won = 0;
  int unmatched = 0;  // of those: no rival can be compared
  int unpriced = 0;   // of `traces`, and lost: only rivals have a setting that can be compared
  // Mean over all traces of 1 - cost / cost of the cheapest rival; 0 where either is missing.
  double saving = 0;
  double saving_where_won = 0;  // mean over those won that have a rival's price
};
// tide's default against rivals with as few bad requests.
LeagueDuel DuelAtDefault(const std::vector<EqualShare>& shares);
// The same where rivals may not mix settings.
LeagueDuel DuelUnmixed(const std::vector<EqualShare>& shares);
// The same as DuelAtDefault by the pool without lag: how much of that anybody could save who does
// not see the future.
LeagueDuel DuelWithoutLag(const std::vector<EqualShare>& shares);
// Each at its cheapest setting that keeps the objective. Where only tide has one the trace is won,
// where only a rival has one it is lost, both with a saving of 0: a price that does not exist is no
// percentage.
LeagueDuel DuelAtBest(const League& league);

// A line for each trace, costs over the oracle's.
std::string ToTable(const std::vector<EqualShare>& shares);

}  // namespace tidegate::sim
