#pragma once

#include <bitset>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/expected.h"
#include "traces/import/log_line.h"

namespace tidegate::traces {

constexpr std::size_t kStatuses = 1'000;

// Which requests are counted. An empty part lets everything pass.
struct LineFilter {
  std::bitset<kStatuses> statuses;
  std::vector<std::string> path_prefixes;  // one of them; compared as logged, with its query
  std::vector<std::string>
      hosts;  // one of them; without case, and without a port where it has none

  bool Matches(const LogLine& line) const;
  bool everything() const { return statuses.none() && path_prefixes.empty() && hosts.empty(); }
};

// "2xx", "404", "500-599", or several with commas between. 0 stands for requests without an answer.
Expected<std::bitset<kStatuses>> ParseStatuses(std::string_view text);

}  // namespace tidegate::traces
