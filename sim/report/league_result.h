#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/instant.h"

namespace tidegate::sim {

// One contestant on one trace at one setting of its knob.
struct LeagueRun {
  double knob = 0;
  double bad = 0;              // share of requests that waited too long or were lost
  double worst_minute = 0;     // the largest share of bad requests in a minute
  double replica_seconds = 0;  // starting, ready and draining
  int moves = 0;               // starts and drains
  double short_seconds = 0;    // with more demand than capacity
};

// All that one contestant was tried at on one trace, by rising knob.
struct LeagueCurve {
  std::string contestant;
  std::string knob;                 // its name; empty: it has none
  std::vector<LeagueRun> runs;      // distinct knobs
  std::size_t at_default = 0;       // index in runs
  std::optional<std::size_t> best;  // the cheapest one that keeps the objective
};

struct LeagueTrace {
  std::string name;
  Duration length{0};
  Duration bin{0};        // of the load that was played
  double whole_days = 0;  // of the file; more than `length` where only a window was played
  bool smoothed = false;
  double oracle_seconds = 0;        // replica-seconds; see oracle.h
  bool reachable = true;            // somebody who knows the future keeps the objective
  std::vector<LeagueCurve> curves;  // in the order of the league's contestants
};

struct League {
  double objective = 0.001;
  Duration scrape{0};
  Duration seen_late{0};  // by the pool without lag: the load that it sees is so old
  std::vector<std::string> contestants;
  std::vector<LeagueTrace> traces;  // by name
};

inline constexpr std::string_view kTide = "tide";
inline constexpr std::string_view kLagFree = "no lag";

// Of the column of traces' names in tables for people, at the least.
inline constexpr std::size_t kNameWidth = 20;

// The curve of a contestant; null: it did not play.
const LeagueCurve* Find(const LeagueTrace& trace, std::string_view contestant);

// What the best setting costs; replica-seconds. Empty: none keeps the objective.
std::optional<double> BestCost(const LeagueCurve& curve);

// What it costs, interpolated between the curve's runs, to have at most this share of bad requests;
// replica-seconds. Empty: no run has so few.
std::optional<double> CostAt(const LeagueCurve& curve, double bad);

// How one contestant did over all traces.
struct LeagueStanding {
  std::string contestant;
  int kept = 0;          // traces on which its default keeps the objective
  double mean_cost = 0;  // geometric mean over all traces of its default's cost over the oracle's
  int reached = 0;       // traces on which some setting keeps it
  std::optional<double> best_cost{};  // geometric mean of those, over the oracle's; empty: none
  // Of its default, over all traces:
  double worst_minute = 0;  // mean of the worst minutes
  int moves = 0;            // starts and drains
  double short_seconds = 0;
};
std::vector<LeagueStanding> Standings(const League& league);

// A cost over the oracle's, "1.33x"; "-" where there is none.
std::string CostText(std::optional<double> cost, double oracle);

// A table for people, one JSON array of everything with an object for each league, and a page with
// each trace's curves.
std::string ToTable(const std::vector<League>& leagues);
std::string ToJson(const std::vector<League>& leagues);
std::string ToHtml(const std::vector<League>& leagues);

}  // namespace tidegate::sim
