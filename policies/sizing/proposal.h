#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "policies/signals/snapshot.h"

namespace tidegate::sizing {

// How many replicas one signal (or one policy) asks for, before any guard.
struct Proposal {
  std::string source;  // signal name
  signals::Quality quality = signals::Quality::kError;
  double value = 0;   // the reading's, in the signal's unit
  double target = 0;  // per replica, same unit
  Duration age{0};
  std::optional<Replicas> replicas;  // unset: the reading is not usable
  // Why there are no replicas, or how they came about where it is not ceil(value / target).
  std::string note;
  // Not from a reading: it only ever raises what the readings' proposals come to (known loads,
  // forecasts). What it says of its quality neither holds a shrink nor allows one.
  bool floor = false;
  bool operator==(const Proposal&) const = default;
};

struct SignalTarget {
  std::string signal;
  std::optional<double> per_replica;  // unset: the signal is observed only; > 0
  signals::Measure measure = signals::Measure::kOther;
  bool each_replica = false;  // a policy wants Reading::each
  bool operator==(const SignalTarget&) const = default;
};

}  // namespace tidegate::sizing
