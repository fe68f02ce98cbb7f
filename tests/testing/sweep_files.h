#pragma once

#include <string>

#include "tests/testing/child_process.h"

namespace tidegate::testing {

// A sweep of `cells` targets over so many days of one-second bins at 5 s ticks, with all that it
// names. A day is a tenth of a second of work or so. Returns the sweep's file.
std::string WriteSweep(const TempDir& dir, int days, int cells);

// Lines of a file, of those that are whole.
int WholeLines(const std::string& file);

}  // namespace tidegate::testing
