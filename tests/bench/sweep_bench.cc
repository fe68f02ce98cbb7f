// A sweep over a week of per-second rates through the full control loop, on one thread and on two.
// The trace is read once and shared; what keeps two threads from twice the speed is then memory and
// allocation, not this program. Cells are the same work: the value that changes is far from what
// decides the cost.
//
//   sweep_bench [CELLS]      200 by default; 2 minutes or so
//
// `wall` is what a user waits and needs two idle cores to mean anything. `cpu` is the processor
// time that the same cells took in both cases: it shows what the threads cost each other even
// where the machine is busy with something else.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>

#include <fmt/format.h>
#include <sys/resource.h>

#include "sim/runner/cli.h"
#include "sim/runner/workers.h"
#include "tests/testing/child_process.h"
#include "tests/testing/sweep_files.h"

namespace tidegate {
namespace {

using std::chrono::steady_clock;

struct Cost {
  double wall = 0;
  double cpu = 0;
  std::string result;
};

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Cost RunSweepOn(const std::string& sweep, const std::string& results, int threads) {
  std::filesystem::remove(results);
  const std::string count = std::to_string(threads);
  const std::array arguments = {"tidesim",       "sweep",     sweep.c_str(), "--results",
                                results.c_str(), "--threads", count.c_str(), "--shard",
                                "0/1",           "--output",  "json"};
  std::ostringstream out, err;
  const double cpu = CpuSeconds();
  const auto begin = steady_clock::now();
  const int status = sim::Main(static_cast<int>(arguments.size()), arguments.data(), out, err);
  Cost cost{std::chrono::duration<double>(steady_clock::now() - begin).count(), CpuSeconds() - cpu,
            out.str()};
  if (status != 0) {
    fmt::print(stderr, "{}", err.str());
    std::exit(1);
  }
  return cost;
}

// The least of each over a few rounds, one thread and two in turn, so that a disturbance of the
// machine meets both.
void Measure(const std::string& sweep, const std::string& results, int cells, int rounds) {
  Cost one, two;
  for (int i = 0; i < rounds; ++i) {
    const Cost a = RunSweepOn(sweep, results, 1);
    const Cost b = RunSweepOn(sweep, results, 2);
    if (a.result != b.result) {
      fmt::print(stderr, "two threads gave another result than one\n");
      std::exit(1);
    }
    one = i == 0 ? a : Cost{std::min(one.wall, a.wall), std::min(one.cpu, a.cpu), a.result};
    two = i == 0 ? b : Cost{std::min(two.wall, b.wall), std::min(two.cpu, b.cpu), b.result};
  }
  fmt::print(
      "{:>4} cells of a week   1 thread {:>6.2f} s   2 threads {:>6.2f} s   wall: {:.2f} times as "
      "fast, efficiency {:.2f}   cpu: {:.3f} s a cell alone, {:.3f} s in pairs, efficiency "
      "{:.2f}\n",
      cells, one.wall, two.wall, one.wall / two.wall, one.wall / two.wall / 2, one.cpu / cells,
      two.cpu / cells, one.cpu / two.cpu);
}

}  // namespace
}  // namespace tidegate

int main(int argc, char** argv) {
  const int most = argc > 1 ? std::atoi(argv[1]) : 200;
  const tidegate::testing::TempDir dir;
  fmt::print("{} processors\n", tidegate::sim::Processors());
  for (const int cells : {most / 20, most}) {
    if (cells < 2) continue;
    const std::string sweep = tidegate::testing::WriteSweep(dir, 7, cells);
    const std::string results = (dir.path() / "bench.results").string();
    tidegate::Measure(sweep, results, cells, cells == most ? 1 : 3);
  }
  return 0;
}
