#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policies/sizing/keda.h"

// One tick of KEDA's triggers: what they say, and what an HPA makes of it.
namespace tidegate::sizing {

// What one trigger says.
struct KedaSaid {
  std::string_view name;
  KedaType type = KedaType::kAverageValue;
  double target = 1;
  double activation = 0;
  std::optional<double> value{};  // unset: the trigger fails
  signals::Quality quality = signals::Quality::kError;
  Duration age{0};
  std::string_view why{};  // of the quality
  // Has failed for long enough: what it asks for instead, or that a formula takes it for nil.
  std::optional<Replicas> fallback{};
  bool nil = false;
};

// What all of them say, and together ask for.
struct KedaTick {
  std::vector<Proposal> proposals;
  bool active = false;
  bool failing = false;  // or not known well enough to say that nothing is active
};

// Reads the triggers and counts their failures in `memory`. `polled`: KEDA's operator looks too.
std::vector<KedaSaid> ListenTo(const Input& input, const KedaOptions& options, bool polled,
                               KedaMemory& memory);
KedaTick AskHpa(const Input& input, const KedaOptions& options, std::span<const KedaSaid> said);

}  // namespace tidegate::sizing
