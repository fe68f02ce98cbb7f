// A journal that is replayed under the spec that wrote it says again what it says, whatever the
// load was and wherever the guards stood.
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "scheduler/decision/diff.h"
#include "tests/testing/recorded_story.h"

namespace tidegate::decision {
namespace {

PoolSpec RandomSpec() {
  PoolSpec spec = testing::StorySpec();
  spec.guards.min = *rc::gen::inRange(0, 10);
  spec.guards.max = spec.guards.min + *rc::gen::inRange(1, 100);
  spec.guards.behavior.up.stabilization_window = std::chrono::seconds(*rc::gen::inRange(0, 120));
  spec.guards.behavior.down.stabilization_window = std::chrono::seconds(*rc::gen::inRange(0, 600));
  spec.guards.behavior.down.tolerance = *rc::gen::inRange(0, 30) / 100.0;
  const auto policy = *rc::gen::element<std::string>("target", "kpa");
  spec.policies = {FindPolicy(policy)->options};
  return spec;
}

RC_GTEST_PROP(ReplayProperty, SaysAgainWhatTheSameSpecDecided, ()) {
  const PoolSpec spec = RandomSpec();
  const auto loads = *rc::gen::container<std::vector<double>>(
      rc::gen::map(rc::gen::inRange(0, 5000), [](int load) { return static_cast<double>(load); }));
  const Duration step = std::chrono::seconds(*rc::gen::inRange(1, 90));
  const Instant begin = FromUnixMillis(1'800'000'000'000);
  Differ differ(spec, begin);
  for (const Decision& decision : testing::RecordedStory(spec, begin, step, loads)) {
    differ.Take(decision);
  }
  const PoolDiff diff = std::move(differ).Finish();
  RC_ASSERT(diff.decisions == static_cast<std::int64_t>(loads.size()));
  RC_ASSERT(diff.differing == 0);
}

// What is listed adds up: every decision that differs is in one stretch.
RC_GTEST_PROP(ReplayProperty, StretchesHoldEveryDifference, ()) {
  const auto loads = *rc::gen::container<std::vector<double>>(
      rc::gen::map(rc::gen::inRange(0, 2000), [](int load) { return static_cast<double>(load); }));
  const Instant begin = FromUnixMillis(1'800'000'000'000);
  const Duration step = std::chrono::seconds(30);
  Differ differ(RandomSpec(), begin);
  for (const Decision& decision : testing::RecordedStory(RandomSpec(), begin, step, loads)) {
    differ.Take(decision);
  }
  const PoolDiff diff = std::move(differ).Finish();
  std::int64_t decisions = 0;
  double hours = 0;
  Instant last = begin - step;
  for (const Stretch& stretch : diff.stretches) {
    RC_ASSERT(stretch.begin > last && stretch.end >= stretch.begin);
    last = stretch.end;
    decisions += stretch.decisions;
    hours += stretch.replayed_hours - stretch.recorded_hours;
  }
  RC_ASSERT(decisions == diff.differing);
  RC_ASSERT(std::abs(hours - (diff.replayed_hours - diff.recorded_hours)) < 1e-9);
}

}  // namespace
}  // namespace tidegate::decision
