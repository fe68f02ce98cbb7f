#include "policies/sizing/target.h"

#include <algorithm>
#include <cmath>

namespace tidegate::sizing {
namespace {

// Demand is a sum of products of doubles, so that 383 replicas' worth of it may arrive as
// 383.0000000001. One replica in a thousand million is below what any source measures, and far
// above the rounding error of a sum over kMaxReplicas terms.
constexpr double kDust = 1e-9;

Proposal Propose(const signals::Reading& reading, double per_replica) {
  Proposal proposal;
  proposal.source = reading.signal;
  proposal.quality = reading.quality;
  proposal.value = reading.value;
  proposal.target = per_replica;
  proposal.age = reading.age;
  proposal.note = reading.detail;
  // A source that calls a value fine and hands over NaN is not believed.
  if (signals::MayGrow(reading.quality) && !(std::isfinite(reading.value) && reading.value >= 0)) {
    proposal.quality = signals::Quality::kNaN;
    proposal.value = 0;
    proposal.note = "the value is negative or not finite";
  }
  if (signals::MayGrow(proposal.quality)) {
    proposal.replicas = ReplicasFor(reading.value, per_replica);
  }
  return proposal;
}

}  // namespace

Replicas ReplicasFor(double value, double per_replica) {
  const double exact = value / per_replica;
  if (!(exact < kMaxReplicas)) return kMaxReplicas;
  return static_cast<Replicas>(std::max(0.0, std::ceil(exact - kDust * std::max(1.0, exact))));
}

std::vector<Proposal> TrackTarget(const Input& input) {
  std::vector<Proposal> proposals;
  for (const SignalTarget& target : input.targets) {
    if (!target.per_replica) continue;
    if (const auto* reading = FindReading(input.readings, target.signal)) {
      proposals.push_back(Propose(*reading, *target.per_replica));
      continue;
    }
    Proposal missing;
    missing.source = target.signal;
    missing.target = *target.per_replica;
    missing.note = "the signal was not read";
    proposals.push_back(missing);
  }
  return proposals;
}

Sizing Target::Size(const Input& input, const Options&, Memory&) {
  return {TrackTarget(input), std::nullopt, {}};
}

}  // namespace tidegate::sizing
