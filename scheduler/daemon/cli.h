#pragma once

namespace tidegate::daemon {

// The tidegate program: parses the command line and runs the command. Returns the exit code.
int Main(int argc, char** argv);

}  // namespace tidegate::daemon
