// The swarm of faults: many short lives of a pool under the daemon's own loop, and proof that it
// would notice if that loop were wrong.

#include "sim/runner/swarm.h"

#include <cstdint>
#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "sim/runner/cli.h"

namespace tidegate::sim {
namespace {

constexpr std::uint64_t kSeeds = 1'000;

TEST(SwarmTest, NoRuleIsBrokenInAThousandLives) {
  SwarmTotals totals;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const SwarmLife life = RunSwarmLife(seed);
    EXPECT_EQ(Explain(life, {}), "");
    totals.Add(life);
  }
  // There was something to break.
  EXPECT_GT(totals.steps, 10'000);
  EXPECT_GT(totals.restarts, 300);
  EXPECT_GT(totals.takeovers, 200);
  EXPECT_GT(totals.fenced, 200);
  EXPECT_GT(totals.deaths, 1'000);
  EXPECT_GT(totals.readings, 10'000);
}

TEST(SwarmTest, SameSeedGivesTheSameLife) {
  std::set<std::string> digests;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const SwarmLife first = RunSwarmLife(seed);
    const SwarmLife second = RunSwarmLife(seed);
    EXPECT_EQ(first.digest, second.digest) << "seed " << seed;
    EXPECT_EQ(first.steps, second.steps) << "seed " << seed;
    digests.insert(first.digest);
  }
  EXPECT_GT(digests.size(), 195U);  // and other seeds give other lives
}

// The first seed whose life breaks one of `rules`; 0 if none of a thousand does.
std::uint64_t FirstCaught(PlantedBug bug, const std::set<std::string>& rules, std::string* how) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SwarmOptions options;
    options.bug = bug;
    const SwarmLife life = RunSwarmLife(seed, options);
    if (life.violations.empty() || !rules.contains(life.violations[0].rule)) continue;
    *how = Explain(life, options);
    return seed;
  }
  return 0;
}

TEST(SwarmTest, BugPlantedInThePlannerIsFound) {
  std::string how;
  const std::uint64_t seed = FirstCaught(PlantedBug::kPlanner, {"B1", "B3"}, &how);
  ASSERT_NE(seed, 0U);
  EXPECT_NE(how.find("again: tidesim swarm --seed " + std::to_string(seed) +
                     " --break-for-test planner\n"),
            std::string::npos)
      << how;
}

TEST(SwarmTest, BugPlantedInTheEstimatorIsFound) {
  std::string how;
  EXPECT_NE(FirstCaught(PlantedBug::kEstimator, {"reading"}, &how), 0U);
}

TEST(SwarmTest, BugPlantedInRestoreIsFound) {
  std::string how;
  EXPECT_NE(FirstCaught(PlantedBug::kRestore, {"B1", "B2", "B3", "B4", "name"}, &how), 0U);
}

TEST(SwarmTest, FenceThatLetsAReplacedDaemonActIsFound) {
  std::string how;
  const std::uint64_t seed =
      FirstCaught(PlantedBug::kFence, {"B1", "B2", "B3", "B4", "name"}, &how);
  ASSERT_NE(seed, 0U);
  EXPECT_NE(how.find("second_daemon"), std::string::npos) << how;  // among its faults
  EXPECT_NE(how.find(" --break-for-test fence\n"), std::string::npos) << how;
}

int Tidesim(std::initializer_list<const char*> arguments, std::string* out, std::string* err) {
  std::ostringstream out_stream, err_stream;
  std::vector<const char*> argv{"tidesim"};
  argv.insert(argv.end(), arguments);
  const int status = Main(static_cast<int>(argv.size()), argv.data(), out_stream, err_stream);
  *out = out_stream.str();
  *err = err_stream.str();
  return status;
}

TEST(SwarmTest, CommandThatAViolationPrintsShowsItAgain) {
  std::string how;
  const std::uint64_t seed = FirstCaught(PlantedBug::kPlanner, {"B1", "B3"}, &how);
  ASSERT_NE(seed, 0U);
  std::string out, err;
  const std::string number = std::to_string(seed);
  EXPECT_EQ(Tidesim({"swarm", "--seed", number.c_str(), "--break-for-test", "planner"}, &out, &err),
            1);
  EXPECT_EQ(out.substr(0, how.size()), how);
  EXPECT_EQ(Tidesim({"swarm", "--seed", number.c_str(), "--trace", "--break-for-test", "planner"},
                    &out, &err),
            1);
  EXPECT_NE(out.find(" decides istio-system/edge "), std::string::npos) << out;
  EXPECT_NE(out.find(" BREAKS B"), std::string::npos) << out;
  EXPECT_EQ(Tidesim({"swarm", "--seed", number.c_str(), "--output", "json"}, &out, &err), 0);
  EXPECT_NE(out.find("\"violated\":0"), std::string::npos) << out;
  EXPECT_EQ(Tidesim({"swarm", "--break-for-test", "moon"}, &out, &err), 2);
}

}  // namespace
}  // namespace tidegate::sim
