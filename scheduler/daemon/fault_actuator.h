#pragma once

#include "scheduler/ports/actuator.h"

namespace tidegate::daemon {

// Starts several replicas for each one asked for. For `--break-for-test overshoot` alone: it proves
// that a watcher from outside notices a broken budget B1.
class OvershootActuator : public ports::Actuator {
 public:
  // `inner` must outlive this object.
  explicit OvershootActuator(ports::Actuator& inner) : inner_(inner) {}
  Expected<void> Request(Instant now, const PoolId& pool, const rollout::Step& step) override;

 private:
  ports::Actuator& inner_;
};

}  // namespace tidegate::daemon
