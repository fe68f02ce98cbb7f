#pragma once

#include <functional>
#include <iosfwd>

namespace CLI {
class App;
}

namespace tidegate::sim {

// Exit statuses of every command.
constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kBadInput = 2;

// What a command writes to: results, and messages and progress.
struct Streams {
  std::ostream& out;
  std::ostream& err;
};

// Runs a command with what its options were set to; returns the exit status.
using RunCommand = std::function<int(Streams)>;

}  // namespace tidegate::sim
