#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "scheduler/config/load.h"
#include "scheduler/config/problem.h"

namespace tidegate::config {

// One value of a YAML document, with its place. Aliases are expanded, keys are unique.
struct Node {
  enum class Kind { kNull, kScalar, kList, kMap };
  struct Key {
    std::string text;
    int line = 0;
    int column = 0;
  };

  Kind kind = Kind::kNull;
  bool quoted = false;      // a scalar in quotes, a block scalar or one tagged as text
  int line = 0;             // from 1
  int column = 0;           // from 1
  std::string text;         // of a scalar
  std::vector<Key> keys;    // of a map; the same length as items
  std::vector<Node> items;  // of a map or a list
};

// What is left of the bounds while many files are read.
struct LoadBudget {
  std::size_t documents = 0;
  std::size_t bytes = 0;
};

// The documents of one file, those without content left out. A document that can't be parsed, or
// that is too deep or too large, is a problem, and the ones after it are read all the same.
std::vector<Node> ParseYaml(std::string_view text, const std::shared_ptr<const std::string>& file,
                            const LoadLimits& limits, LoadBudget& budget, Problems& problems);

// The value as one line of JSON-like text, keys sorted: equal for equal values, however written.
std::string CanonicalText(const Node& node);

}  // namespace tidegate::config
