#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/config/problem.h"
#include "scheduler/config/yaml_tree.h"
#include "sim/report/sweep_result.h"
#include "sim/runner/field_path.h"

namespace tidegate::sim {

// Numbers from one to another, for a field.
struct ValueRange {
  double from = 0;
  double to = 0;
  int steps = 0;  // of a grid, both ends counted; 0: not given
  bool logarithmic = false;
  bool whole = false;
  std::string unit;  // written behind the number: "s", "%"
};

// One field and what it is to be set to; exactly one of values and range.
struct SweptField {
  FieldPath path;
  std::vector<config::Node> values;
  std::optional<ValueRange> range;
  config::Location at;  // of the path
};

// What to give little of at first, and more to those that do well.
enum class Resource { kTrace, kReplications };

struct Halving {
  int factor = 3;  // of the points, one in so many goes on
  int rungs = 3;
  Resource resource = Resource::kTrace;
};

// What to try: kind Sweep, apiVersion tidegate.dev/v1alpha1. The scenario's path is relative to the
// file.
struct Sweep {
  std::string name;
  std::string scenario;
  Search search = Search::kGrid;
  int points = 0;          // of random and halving
  std::uint64_t seed = 1;  // of what is drawn: points, and the first replication of each
  int replications = 1;
  Halving halving;
  std::vector<SweptField> fields;
  Ranking objective;
  std::string canonical;  // the whole document, equal for equal sweeps
};

struct LoadedSweep {
  Sweep sweep;
  config::Problems problems;  // `sweep` is of use only where this is empty
};
LoadedSweep LoadSweep(const std::string& path);

}  // namespace tidegate::sim
