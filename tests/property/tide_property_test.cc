// Whatever the load was: sizes within bounds, more load never fewer replicas, equal inputs equal
// sizes, and a restart in between changes nothing.
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "policies/catalog.h"
#include "policies/sizing/tide.h"
#include "scheduler/journal/policy_json.h"

namespace tidegate::sizing {
namespace {

struct Pool {
  Input Look(Instant now, double rate, Duration age) {
    reading.signal = "rps";
    reading.quality = signals::Quality::kOk;
    reading.value = rate;
    reading.age = age;
    readings = {reading};
    Input input;
    input.now = now;
    input.min = 1;
    input.max = 500;
    input.targets = targets;
    input.readings = readings;
    return input;
  }
  // So many replicas that share it, scraped every 15 s, each at its own time.
  Input LookAtEach(Instant now, double rate, int count) {
    Input input = Look(now, rate, {});
    replicas.clear();
    for (int i = 0; i < count; ++i) {
      signals::ReplicaView view;
      view.name = "r" + std::to_string(1'000 + i);
      view.phase = signals::Phase::kReady;
      view.since = view.started = now - std::chrono::hours(1);
      view.ready_at = view.since;
      replicas.push_back(view);
      readings[0].each.push_back(
          {view.name, rate / count, Duration((UnixMillis(now) + 9'270 * i) % 15'000)});
    }
    input.readings = readings;
    input.replicas = replicas;
    return input;
  }
  signals::Reading reading;
  std::vector<signals::Reading> readings;
  std::vector<signals::ReplicaView> replicas;
  std::vector<SignalTarget> targets{{"rps", 100.0, signals::Measure::kRequests}};
};

struct Tick {
  Duration after;
  double rate;
};
std::vector<Tick> AnyLoad() {
  const auto count = static_cast<std::size_t>(*rc::gen::inRange(1, 120));
  double level = *rc::gen::inRange(0, 20'000);
  std::vector<Tick> load;
  for (std::size_t i = 0; i < count; ++i) {
    if (*rc::gen::inRange(0, 10) == 0) level *= *rc::gen::element(0.0, 0.2, 1.5, 4.0, 20.0);
    load.push_back({std::chrono::seconds(*rc::gen::element(1, 5, 5, 5, 15, 60, 4'000)),
                    std::min(1e6, level * *rc::gen::inRange(90, 110) / 100.0)});
  }
  return load;
}

constexpr Instant kStart = FromUnixMillis(1'767'225'600'000);

Replicas SizeOf(const Input& input, TideMemory& memory) {
  const Sizing sizing = Tide::Size(input, {}, memory);
  RC_ASSERT(sizing.proposals.size() == 1u);
  RC_ASSERT(sizing.proposals[0].replicas.has_value());
  return *sizing.proposals[0].replicas;
}

RC_GTEST_PROP(TideProperty, NeverBelowTheLoadAndNeverFewerForMore, ()) {
  Pool pool;
  TideMemory memory;
  Instant now = kStart;
  for (const Tick& tick : AnyLoad()) {
    now += tick.after;
    TideMemory other = memory;
    const double more = tick.rate * *rc::gen::element(1.001, 1.3, 5.0) + 1;
    const Replicas size = SizeOf(pool.Look(now, tick.rate, {}), memory);
    RC_ASSERT(size * 100.0 >= tick.rate - 1e-6);
    RC_ASSERT(size >= 1);
    const Replicas larger = SizeOf(pool.Look(now, more, {}), other);
    RC_ASSERT(larger >= size);
    RC_ASSERT(larger * 100.0 >= more - 1e-6);
  }
}

RC_GTEST_PROP(TideProperty, NeverFewerWhereEachReplicaSaysMore, ()) {
  Pool pool;
  TideMemory memory;
  Instant now = kStart;
  const int count = *rc::gen::inRange(1, 20);
  for (const Tick& tick : AnyLoad()) {
    now += tick.after;
    TideMemory other = memory;
    const double more = tick.rate * *rc::gen::element(1.001, 1.3, 5.0) + 1;
    const Replicas size = SizeOf(pool.LookAtEach(now, tick.rate, count), memory);
    RC_ASSERT(size >= 1);
    const Replicas larger = SizeOf(pool.LookAtEach(now, more, count), other);
    RC_ASSERT(larger >= size);
  }
}

RC_GTEST_PROP(TideProperty, ARestartChangesNothing, ()) {
  Pool pool;
  TideMemory memory, restarted;
  Instant now = kStart;
  const auto index = static_cast<std::size_t>(FindPolicy("tide") - Policies().data());
  for (const Tick& tick : AnyLoad()) {
    now += tick.after;
    const Duration age = Duration(*rc::gen::inRange(0, 30'000));
    const int count = *rc::gen::inRange(0, 5);
    const Input input =
        count > 0 ? pool.LookAtEach(now, tick.rate, count) : pool.Look(now, tick.rate, age);
    RC_ASSERT(SizeOf(input, memory) == SizeOf(input, restarted));
    if (*rc::gen::inRange(0, 8) != 0) continue;
    PolicyMemory kept = Policies()[index].memory;
    std::visit(
        [&](auto& value) {
          if constexpr (std::is_same_v<std::decay_t<decltype(value)>, TideMemory>)
            value = restarted;
        },
        kept);
    const auto read = journal::ParsePolicyMemory("tide", journal::PolicyMemoryText(kept));
    RC_ASSERT(read.has_value());
    std::visit(
        [&](const auto& value) {
          if constexpr (std::is_same_v<std::decay_t<decltype(value)>, TideMemory>)
            restarted = value;
        },
        *read);
    RC_ASSERT(restarted == memory);  // to the last bit
  }
}

}  // namespace
}  // namespace tidegate::sizing
