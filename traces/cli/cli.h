#pragma once

#include <iosfwd>

namespace tidegate::traces {

// The whole tidetrace command. Returns its exit status: 0 done, 1 failed, 2 bad input. Results go
// to `out`, messages and progress to `err`.
int Main(int argc, const char* const* argv, std::ostream& out, std::ostream& err);

}  // namespace tidegate::traces
