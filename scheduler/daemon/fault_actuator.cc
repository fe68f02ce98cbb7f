#include "scheduler/daemon/fault_actuator.h"

#include <string>

namespace tidegate::daemon {
namespace {

constexpr int kExtra = 4;  // more than the demo's surge of 100 % at two replicas leaves room for

}  // namespace

Expected<void> OvershootActuator::Request(Instant now, const PoolId& pool,
                                          const rollout::Step& step) {
  TIDEGATE_TRY_VOID(inner_.Request(now, pool, step));
  if (step.kind != rollout::StepKind::kStart) return {};
  for (int i = 1; i <= kExtra; ++i) {
    rollout::Step extra = step;
    extra.replica += "-x" + std::to_string(i);
    TIDEGATE_TRY_VOID(inner_.Request(now, pool, extra));
  }
  return {};
}

}  // namespace tidegate::daemon
