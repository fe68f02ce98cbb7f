#include "policies/signals/snapshot.h"

namespace tidegate::signals {

const char* Name(Quality quality) {
  switch (quality) {
    case Quality::kOk: return "ok";
    case Quality::kPartial: return "partial";
    case Quality::kStale: return "stale";
    case Quality::kEmpty: return "empty";
    case Quality::kNaN: return "nan";
    case Quality::kError: return "error";
  }
  return "error";
}

const char* Name(Measure measure) {
  switch (measure) {
    case Measure::kOther: return "other";
    case Measure::kRequests: return "requests";
    case Measure::kInflight: return "inflight";
    case Measure::kLatency: return "latency";
  }
  return "other";
}

const char* Name(Phase phase) {
  switch (phase) {
    case Phase::kStarting: return "starting";
    case Phase::kReady: return "ready";
    case Phase::kDraining: return "draining";
    case Phase::kFailed: return "failed";
  }
  return "failed";
}

PhaseCounts Count(std::span<const ReplicaView> replicas) {
  PhaseCounts counts;
  for (const ReplicaView& replica : replicas) {
    switch (replica.phase) {
      case Phase::kStarting: ++counts.starting; break;
      case Phase::kReady: ++counts.ready; break;
      case Phase::kDraining: ++counts.draining; break;
      case Phase::kFailed: ++counts.failed; break;
    }
  }
  return counts;
}

}  // namespace tidegate::signals
