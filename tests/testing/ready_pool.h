#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "policies/guards/apply.h"
#include "policies/sizing/policy.h"

namespace tidegate::testing {

// A pool whose replicas are ready as soon as they are declared, sized by one policy with its
// guards: a decision without signals, fleets and plans.
struct ReadyPool {
  guards::Options guards;
  guards::Memory guard_memory;
  std::vector<sizing::SignalTarget> targets;
  std::vector<signals::Reading> readings;
  sizing::Capacity capacity;
  Replicas current = 0;

  // What `size`, from sizing::Input to sizing::Sizing, makes of the pool, with so many more
  // replicas ready than are declared.
  template <class Size>
  sizing::Sizing Propose(Instant now, Size size, Replicas surge = 0) const {
    std::vector<signals::ReplicaView> views(static_cast<std::size_t>(current + surge));
    for (auto& view : views) view.phase = signals::Phase::kReady;
    sizing::Input input;
    input.now = now;
    input.current = current;
    input.min = guards.min;
    input.max = guards.max;
    input.targets = targets;
    input.readings = readings;
    input.replicas = views;
    input.capacity = capacity;
    input.tolerances = {guards.behavior.up.tolerance, guards.behavior.down.tolerance};
    return size(input);
  }

  // What the guards make of that; the pool has that size then.
  guards::Desired Take(const sizing::Sizing& sizing, Instant now) {
    std::optional<guards::AtOnce> at_once;
    if (sizing.at_once) at_once = guards::AtOnce{*sizing.at_once, sizing.why};
    guards::Applied applied =
        guards::Apply(sizing.proposals, current, guards, std::move(guard_memory), now, at_once,
                      sizing.leave_alone);
    guard_memory = std::move(applied.memory);
    current = applied.desired.replicas;
    return std::move(applied.desired);
  }
};

}  // namespace tidegate::testing
