#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace tidegate::sim {

enum class Search { kGrid, kRandom, kHalving };
const char* Name(Search search);  // "grid", "random", "halving"

// What makes one cell better than another.
struct Ranking {
  struct Limit {
    std::size_t measure = 0;  // index into Measures()
    double value = 0;         // at most, or at least where more is better
  };
  std::optional<std::size_t> measure;  // unset: nothing is ranked
  std::vector<Limit> limits;
};

// A step of a search: so many cells, each with so much of the trace and so many runs.
struct Rung {
  std::size_t cells = 0;
  double share = 1;  // of the trace, from its beginning
  int replications = 1;
  bool operator==(const Rung&) const = default;
};

// One point of a sweep and what its runs gave.
struct SweepCell {
  std::size_t number = 0;  // through all rungs, from 0
  std::size_t point = 0;
  std::vector<std::string> values;        // of each field
  std::vector<std::vector<double>> runs;  // [replication][measure], as Measured()
};

// All of a sweep that is done. Equal for equal inputs, however it was run.
struct SweepResult {
  std::string name;
  Search search = Search::kGrid;
  Ranking objective;
  std::vector<Rung> rungs;
  std::vector<std::string> fields;
  std::vector<SweepCell> cells;  // by number
};

// Cells from best to worst: those that keep all limits by the measure, then the others by how far
// they miss them, not known last; means of runs count, and the lower number wins a tie. In the
// order given where
// there is no objective.
std::vector<const SweepCell*> Ranked(const std::vector<const SweepCell*>& cells,
                                     const Ranking& objective);
// True where the means of the cell's runs keep every limit.
bool Keeps(const SweepCell& cell, const Ranking& objective);

// The best cells of the last rung, for people.
std::string ToTable(const SweepResult& result);
// All cells as one JSON object: {sweep, search, rungs: [{cells, traceShare, replications}],
// confidence, ranking, cells}. `ranking` holds numbers of cells of the last rung, best first, where
// there is an objective; each cell is {cell, rung, point, fields: {PATH: text}, runs, keepsLimits,
// measures: {NAME: {mean, low, high}}}. What is not known, or has no interval, is null.
std::string ToJson(const SweepResult& result);

}  // namespace tidegate::sim
