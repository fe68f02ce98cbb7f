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
  std::string note;                  // the reading's detail where it is not usable or only partly
  bool operator==(const Proposal&) const = default;
};

struct SignalTarget {
  std::string signal;
  std::optional<double> per_replica;  // unset: the signal is observed only; > 0
  bool operator==(const SignalTarget&) const = default;
};

// What a sizing policy may look at.
struct Input {
  Instant now{};
  Replicas current = 0;  // the pool's declared size, never the number that happens to run
  const std::vector<SignalTarget>* targets = nullptr;
  const std::vector<signals::Reading>* readings = nullptr;
};

// A sizing policy: a pure function, listed in policies/catalog.cc.
using Policy = std::vector<Proposal> (*)(const Input& input);

}  // namespace tidegate::sizing
