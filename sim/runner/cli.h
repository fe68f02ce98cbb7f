#pragma once

#include <iosfwd>

namespace tidegate::sim {

// The tidesim program. Returns its exit status: 0 done, 1 failed, 2 bad input.
int Main(int argc, const char* const* argv, std::ostream& out, std::ostream& err);

}  // namespace tidegate::sim
