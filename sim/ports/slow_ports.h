#pragma once

#include <span>
#include <vector>

#include "policies/base/instant.h"
#include "scheduler/decision/decision.h"
#include "scheduler/ports/actuator.h"
#include "scheduler/ports/signal_source.h"
#include "sim/engine/calendar.h"

namespace tidegate::sim {

// How long a tick of the control loop waits for others. The next tick is due one period after this
// one began; where this one takes longer it follows at once, as with the daemon.
struct TickModel {
  Duration queries{0};             // until the tick's queries are answered; 0 .. 1 h
  Duration query_timeout{10'000};  // the daemon's prometheus.timeout; 100 ms .. 5 min
  Duration each_step{0};           // until a step is accepted, one after the other; 0 .. 1 h
};

// Lets the world go on while the control loop waits, and not past the end of the run.
class WaitingWorld {
 public:
  // The calendar must outlive this object.
  WaitingWorld(Calendar& calendar, Instant end) : calendar_(calendar), end_(end) {}
  // Events run until then, so that this may be called by an event only.
  void Wait(Duration wait);
  Instant Now() { return calendar_.Now(); }

 private:
  Calendar& calendar_;
  Instant end_;
};

// A source whose queries take their time. Replicas are seen as they are when the tick begins and
// signals as of then, as the daemon does. Queries that take longer than the timeout fail.
class SlowSource : public ports::SignalSource {
 public:
  // All but the model must outlive this object.
  SlowSource(ports::SignalSource& inner, const TickModel& model, WaitingWorld& world)
      : inner_(inner), model_(model), world_(world) {}
  Expected<signals::Snapshot> Observe(Instant now,
                                      std::span<const decision::PoolSpec> pools) override;
  std::vector<ports::Past> TakePasts(Instant now, std::span<const PastWanted> wanted) override {
    return inner_.TakePasts(now, wanted);
  }

 private:
  ports::SignalSource& inner_;
  TickModel model_;
  WaitingWorld& world_;
};

// An actuator that accepts or refuses each step only after a while.
class SlowActuator : public ports::Actuator {
 public:
  // All but the model must outlive this object.
  SlowActuator(ports::Actuator& inner, const TickModel& model, WaitingWorld& world)
      : inner_(inner), model_(model), world_(world) {}
  Expected<void> Request(Instant now, const PoolId& pool, const rollout::Step& step) override;

 private:
  ports::Actuator& inner_;
  TickModel model_;
  WaitingWorld& world_;
};

}  // namespace tidegate::sim
