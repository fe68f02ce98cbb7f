#pragma once

#include <string_view>
#include <vector>

#include "traces/generate/generator.h"

namespace tidegate::traces {

// All generators, in the order in which help lists them. To add one: write a function that returns
// its row, as in spikes.cc, and add it to the list in catalog.cc.
const std::vector<Generator>& Generators();

// The generator of that name, or nullptr.
const Generator* FindGenerator(std::string_view name);

}  // namespace tidegate::traces
