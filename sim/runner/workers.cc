#include "sim/runner/workers.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace tidegate::sim {

int Processors() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

bool ForEach(std::size_t count, int threads, const std::function<bool()>& stopped,
             const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  std::atomic<std::size_t> done = 0;
  const auto run = [&] {
    while (!stopped()) {
      const std::size_t i = next.fetch_add(1);
      if (i >= count) return;
      work(i);
      ++done;
    }
  };
  {
    // The calling thread works too.
    std::vector<std::jthread> others;
    const std::size_t most = std::min(count, static_cast<std::size_t>(std::max(1, threads)));
    for (std::size_t i = 1; i < most; ++i) others.emplace_back(run);
    run();
  }
  return done == count;
}

}  // namespace tidegate::sim
