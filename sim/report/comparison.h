#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/instant.h"
#include "sim/report/statistics.h"

namespace tidegate::sim {

// One configuration's runs. Run i of every contender saw the same seed.
struct Contender {
  std::string name;
  Duration length{0};                         // of each run
  bool base_load = true;                      // the same load as the first contender's
  std::vector<std::vector<double>> measures;  // [run][measure], as Measured()
  std::vector<std::vector<double>> live;      // [run][stretch]: replicas live and draining
  std::vector<std::vector<double>> backlog;   // [run][stretch]: requests that wait or are served
};

// How warm-up is taken off the means over time. Totals always count everything.
struct WarmUpRule {
  enum class Kind { kAuto, kNone, kFixed };  // kAuto: MSER-5
  Kind kind = Kind::kAuto;
  Duration fixed{0};
};

struct ComparisonRow {
  // Where intervals come from: runs with different seeds, stretches of one run, or nowhere, since
  // there is one run and its total.
  enum class Basis { kRuns, kBatches, kNone };

  std::string_view name;
  std::string_view title;
  bool less_is_better = true;
  Basis basis = Basis::kNone;
  std::vector<Estimate> values;  // of each contender
  // Of each contender minus the first, paired; unset for the first, and where the two have no pairs
  // to make.
  std::vector<std::optional<Estimate>> differences;
};

struct Comparison {
  std::vector<std::string> names;
  std::size_t runs = 0;
  double confidence = 0.95;
  Duration warm_up{0};  // left out of the means over time
  std::vector<ComparisonRow> rows;
  std::vector<std::string> notes;  // what a reader has to know about these intervals
};

// Measures that no contender knows have no row.
// Preconditions: at least two contenders, at least one run, equally many of each.
Comparison Compare(const std::vector<Contender>& contenders, double confidence,
                   const WarmUpRule& warm_up);

// For people: one column for each contender, then one for each difference from the first.
std::string ToTable(const Comparison& comparison);
// The same as one JSON object: {scenarios, runs, confidence, warmUpSeconds, measures, notes}. Each
// measure is {name, lessIsBetter, intervalsFrom: runs | batches | none, values, differences}, with
// {scenario, mean, low, high, count} for each scenario in `values`, and for each but the first in
// `differences` the same of the difference from the first, with `verdict`: better, worse, same,
// open, or nothing where there is no interval. What is not known, or has no interval, is null.
std::string ToJson(const Comparison& comparison);

}  // namespace tidegate::sim
