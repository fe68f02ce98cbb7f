#pragma once

#include <vector>

#include "traces/format/trace.h"

namespace tidegate::sim {

// A trace's mean rate in each minute, for a signals::History; what is left of its beginning where
// it is not whole minutes long is dropped, and of more than two weeks the last ones are kept.
std::vector<float> MinuteMeans(const traces::Trace& trace, double scale);

}  // namespace tidegate::sim
