#include "policies/guards/hold.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include <fmt/format.h>

namespace tidegate::guards {
namespace {

Replicas FallbackSize(const Fallback& fallback, Replicas current) {
  switch (fallback.behavior) {
    case FallbackBehavior::kStatic: return fallback.replicas;
    case FallbackBehavior::kCurrentReplicas: return current;
    case FallbackBehavior::kCurrentReplicasIfHigher: return std::max(current, fallback.replicas);
    case FallbackBehavior::kCurrentReplicasIfLower: return std::min(current, fallback.replicas);
  }
  return current;
}

}  // namespace

Evidence Weigh(const std::vector<sizing::Proposal>& proposals) {
  Evidence evidence;
  std::size_t floors = 0;
  for (const sizing::Proposal& proposal : proposals) {
    if (proposal.floor) {
      ++floors;
      if (proposal.replicas.value_or(0) > evidence.floor) {
        evidence.floor = *proposal.replicas;
        evidence.floor_of = proposal.source;
      }
      continue;
    }
    if (proposal.replicas) {
      evidence.largest = std::max(evidence.largest.value_or(0), *proposal.replicas);
    }
    if (signals::MayShrink(proposal.quality) && proposal.replicas) continue;
    evidence.all_ok = false;
    if (!evidence.not_ok.empty()) evidence.not_ok += ", ";
    evidence.not_ok += proposal.source + ": " + signals::Name(proposal.quality);
  }
  if (floors > 0 && floors == proposals.size()) evidence.largest = evidence.floor;
  return evidence;
}

Guarded Hold(const Evidence& evidence, Replicas current) {
  if (!evidence.largest) {
    const std::string why = evidence.not_ok.empty() ? "no signal has a target" : evidence.not_ok;
    return Acted(Stage::kHold, Reason::kSamplesNotOk, current, current,
                 fmt::format("no usable reading ({})", why));
  }
  if (!evidence.all_ok && *evidence.largest < current) {
    return Acted(Stage::kHold, Reason::kSamplesNotOk, *evidence.largest, current,
                 fmt::format("no shrink unless every reading is ok ({})", evidence.not_ok));
  }
  return Untouched(*evidence.largest);
}

std::optional<Guarded> FallBack(const Fallback& fallback, Replicas current, Instant bad_since,
                                Instant now) {
  const Duration bad_for = now - bad_since;
  if (bad_for < fallback.after) return std::nullopt;
  return Acted(Stage::kFallback, Reason::kFallback, current, FallbackSize(fallback, current),
               fmt::format("no usable reading for {}, {} {}", FormatDuration(bad_for),
                           Name(fallback.behavior), fallback.replicas));
}

}  // namespace tidegate::guards
