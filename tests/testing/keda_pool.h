#pragma once

#include <optional>
#include <string>
#include <utility>

#include "policies/sizing/keda.h"
#include "tests/testing/ready_pool.h"

namespace tidegate::testing {

// 2027-01-15 08:00:00 UTC and so many seconds.
constexpr Instant KedaAt(int second) { return FromUnixMillis(1'800'000'000'000 + 1000LL * second); }

inline sizing::KedaTrigger Trigger(std::string signal, std::string name = {},
                                   std::optional<double> target = {},
                                   sizing::KedaType type = sizing::KedaType::kAverageValue) {
  sizing::KedaTrigger trigger;
  trigger.signal = std::move(signal);
  trigger.name = std::move(name);
  trigger.target = target;
  trigger.type = type;
  return trigger;
}

inline sizing::KedaCron Window(std::string name, std::string start, std::string end,
                               Replicas replicas) {
  return {std::move(name), "UTC", std::move(start), std::move(end), replicas};
}
inline void Resolve(sizing::KedaOptions& options) {
  options.resolved.clear();
  for (const sizing::KedaCron& cron : options.cron) {
    options.resolved.push_back({Zone{}, *ParseCron(cron.start), *ParseCron(cron.end)});
  }
}

// A pool sized by the policy `keda`, with the guards that belong to it but for their windows: one
// signal, `queue`, of which a replica takes 10.
struct KedaPool : ReadyPool {
  sizing::KedaOptions options;
  sizing::KedaMemory memory;
  sizing::Sizing sizing;

  explicit KedaPool(Replicas size) {
    targets = {{"queue", 10}};
    readings = {{"queue", signals::Quality::kOk, 0, {}, 0, 0, ""}};
    current = size;
    guards.min = 0;
    guards.max = 100;
    guards.behavior_written = true;
    guards.guarding = sizing::Keda::kGuardingWithBehavior;
    guards.behavior.down.stabilization_window = Duration(0);
  }
  void Fail(signals::Quality quality = signals::Quality::kError) {
    readings[0] = {"queue", quality, 0, {}, 0, 0, "gone"};
  }
  guards::Desired Tick(int second) {
    sizing = Propose(KedaAt(second), [&](const sizing::Input& input) {
      return sizing::Keda::Size(input, options, memory);
    });
    return Take(sizing, KedaAt(second));
  }
  Replicas Tick(int second, double value) {
    readings[0] = {"queue", signals::Quality::kOk, value, {}, 0, 0, ""};
    return Tick(second).replicas;
  }
};

// The same, all of whose triggers are one metric: `a` (30) and `b` (60), target 10.
struct KedaComposed : KedaPool {
  explicit KedaComposed(Replicas size, std::string formula) : KedaPool(size) {
    targets = {{"a", {}}, {"b", {}}};
    readings = {{"a", signals::Quality::kOk, 30, {}, 0, 0, ""},
                {"b", signals::Quality::kOk, 60, {}, 0, 0, ""}};
    options.triggers = {Trigger("a"), Trigger("b")};
    options.modifiers = {std::move(formula), 10, 0, sizing::KedaType::kAverageValue};
  }
  void FailA() { readings[0] = {"a", signals::Quality::kError, 0, {}, 0, 0, "gone"}; }
  void FailB() { readings[1] = {"b", signals::Quality::kError, 0, {}, 0, 0, "gone"}; }
};

}  // namespace tidegate::testing
