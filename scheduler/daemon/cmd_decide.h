#pragma once

#include <iosfwd>
#include <string>

#include "scheduler/daemon/counterfactual_names.h"

namespace tidegate::daemon {

struct DecideOptions {
  std::string input = "-";  // a file, or "-" for the stream
  bool json = true;         // false: the text of `tidegate explain`
  CounterfactualNames otherwise{};
};

// `tidegate decide`: one observation in, one decision out, or an array of either. No daemon, file
// or clock takes part (but for the system's time zones, where a schedule names one); the same input
// gives the same bytes. Writes results to `out` and what is wrong with the input to `err`. An
// array's good elements are decided even where others are wrong; those give {"errors": [...]}.
// A counterfactual is decided beside the observation as it is, and the answer has both sizes.
// Returns 0, 1 where the standard input can't be read or the answer not be written, 2 where the
// input's file can't be read or it or a name is wrong.
int RunDecide(const DecideOptions& options, std::istream& in, std::ostream& out, std::ostream& err);

}  // namespace tidegate::daemon
