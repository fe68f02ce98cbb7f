// The tolerance of a policy's own options beside that of a `behavior`, each direction by itself.
#include <gtest/gtest.h>

#include "policies/sizing/keda.h"
#include "policies/sizing/policy.h"
#include "tests/testing/ready_pool.h"

namespace tidegate::sizing {
namespace {

constexpr Instant kNow = FromUnixMillis(1'800'000'000'000);

TEST(WrittenToleranceTest, EachDirectionThatIsWrittenComesBeforeTheFlag) {
  EXPECT_EQ((WrittenTolerances{}.Or(0.3)), (Tolerances{0.3, 0.3}));
  EXPECT_EQ((WrittenTolerances{.up = 0}.Or(0.3)), (Tolerances{0, 0.3}));
  EXPECT_EQ((WrittenTolerances{.down = 0.5}.Or(0.3)), (Tolerances{0.3, 0.5}));
}

TEST(WrittenToleranceTest, KedasFlagHoldsUnderABehaviorThatWritesNone) {
  testing::ReadyPool pool;
  pool.targets = {{"queue", 10}};
  pool.readings = {{"queue", signals::Quality::kOk, 130, {}, 0, 0, ""}};
  pool.current = 10;
  pool.guards.max = 100;
  pool.guards.behavior_written = true;
  pool.guards.guarding = Keda::kGuardingWithBehavior;
  KedaOptions options;
  options.tolerance = 0.3;
  KedaMemory memory;
  const Sizing sizing =
      pool.Propose(kNow, [&](const Input& input) { return Keda::Size(input, options, memory); });
  EXPECT_EQ(pool.Take(sizing, kNow).replicas, 10);
}

}  // namespace
}  // namespace tidegate::sizing
