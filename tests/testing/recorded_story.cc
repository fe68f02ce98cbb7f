#include "tests/testing/recorded_story.h"

#include "scheduler/decision/stand_in.h"

namespace tidegate::testing {

decision::PoolSpec StorySpec() {
  decision::PoolSpec spec;
  spec.id = {"shop", "edge"};
  spec.revision = "aaaa0001";
  spec.declared = 2;
  spec.scaled = true;
  spec.targets = {{"rps", 50.0, signals::Measure::kRequests}};
  spec.guards.min = 1;
  spec.guards.max = 20;
  spec.config_version = "00c0ffee";
  return spec;
}

std::vector<decision::Decision> RecordedStory(const decision::PoolSpec& spec, Instant begin,
                                              Duration step, std::span<const double> loads) {
  std::vector<decision::Decision> records;
  decision::PoolState state;
  Instant now = begin;
  for (const double load : loads) {
    signals::PoolSnapshot pool;
    pool.id = spec.id;
    const Replicas size = state.guards.desired.value_or(spec.declared);
    pool.replicas = decision::StandIns(spec.id, spec.revision, {.ready = size}, now);
    pool.readings = {{"rps", signals::Quality::kOk, load, Duration(0), size, size, ""}};
    decision::Outcome outcome = decision::Decide(spec, pool, now, state);
    state = std::move(outcome.state);
    records.push_back(std::move(outcome.decision));
    now += step;
  }
  return records;
}

}  // namespace tidegate::testing
