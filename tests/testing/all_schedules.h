#pragma once

#include <map>
#include <vector>

namespace tidegate::testing {

// A pool small enough to try everything with. Decisions fall on whole seconds.
struct TinyPool {
  int startup = 0;  // seconds
  int drain = 0;
  int initial = 0;     // started at 0
  bool ready = false;  // and ready then
  int least = 0;       // paid for at every instant
  int most = 2;        // live at every instant
  int end = 5;         // seconds
};

// For each course of ready replicas, second by second, that starts and drains (of starting replicas
// too) can bring about: the fewest replica-seconds that it takes. Tries every decision.
std::map<std::vector<int>, int> AllSchedules(const TinyPool& pool);

}  // namespace tidegate::testing
