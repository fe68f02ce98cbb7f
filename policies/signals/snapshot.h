#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/units.h"

namespace tidegate::signals {

// How far a reading may be trusted. Absence of data is never zero: only kOk may shrink a pool, only
// kOk and kPartial may grow it.
enum class Quality {
  kOk,
  kPartial,  // fewer series than ready replicas: a lower bound of the truth
  kStale,    // the newest sample is older than the source allows
  kEmpty,    // the source answered, with no series
  kNaN,      // NaN, infinite or negative
  kError,    // the source failed, refused or timed out
};
inline constexpr int kQualityCount = 6;

// "ok", "partial", ... as used in metrics, JSON and texts.
const char* Name(Quality quality);
inline bool MayGrow(Quality quality) {
  return quality == Quality::kOk || quality == Quality::kPartial;
}
inline bool MayShrink(Quality quality) { return quality == Quality::kOk; }

// What a signal measures, summed over the pool; policies that size to an objective ask for it.
enum class Measure {
  kOther,     // nothing that we know: an expression's result, in its own unit
  kRequests,  // requests per second
  kInflight,  // requests in progress
  kLatency,   // seconds
};
const char* Name(Measure measure);  // "other", "requests", "inflight", "latency"

// What one replica says by itself.
struct ReplicaValue {
  std::string replica;  // its name, as ReplicaView's where the source knows it
  double value = 0;     // in the signal's unit
  Duration age{0};      // since its newest sample
  bool operator==(const ReplicaValue&) const = default;
};

// What one signal of one pool says at an instant.
struct Reading {
  std::string signal;  // the signal's name in the pool's GatewayScaler
  Quality quality = Quality::kError;
  double value = 0;    // summed over the pool, in the signal's unit; 0 unless MayGrow(quality)
  Duration age{0};     // since the newest sample; 0 where there is none
  int series = 0;      // that contributed
  int expected = 0;    // ready replicas that ought to have reported; 0 where that is unknown
  std::string detail;  // why the quality is what it is; empty for kOk
  // Of the replicas that say something, sorted by name: where a policy asks for it
  // (sizing::SignalTarget::each_replica), or the input has it. Says nothing about the quality.
  std::vector<ReplicaValue> each{};
  // What the newest samples said, where they are too old (kStale): for policies that are another
  // system's algorithm and look at no ages.
  std::optional<double> last{};
  bool operator==(const Reading&) const = default;
};

enum class Phase {
  kStarting,  // exists, not serving yet
  kReady,     // serving
  kDraining,  // gets no new connections, finishes what it has
  kFailed,    // died or can't serve; to be removed
};
const char* Name(Phase phase);

// One replica as the fleet reports it.
struct ReplicaView {
  std::string name;  // unique in the pool, never used again
  Revision revision;
  Phase phase = Phase::kStarting;
  Instant since{};                  // when it entered this phase
  Instant started{};                // when it was created
  std::optional<Instant> ready_at;  // when it first became ready; unset: never
  bool operator==(const ReplicaView&) const = default;
};

struct PoolSnapshot {
  PoolId id;
  // The size that the pool is declared at where the fleet knows one (spec.replicaCount); the
  // decision state's own last desired size wins over it.
  Replicas declared = 0;
  std::vector<ReplicaView> replicas;  // sorted by name
  std::vector<Reading> readings;      // in the order of the scaler's signals
  // Not empty: the fleet can't say what runs; the pool is left alone this tick.
  std::string fleet_error;
};

// All that is known at an instant.
struct Snapshot {
  Instant at{};
  std::vector<PoolSnapshot> pools;  // sorted by id
};

struct PhaseCounts {
  Replicas starting = 0;
  Replicas ready = 0;
  Replicas draining = 0;
  Replicas failed = 0;
  // starting + ready: what budget B1 bounds.
  Replicas live() const { return starting + ready; }
  bool operator==(const PhaseCounts&) const = default;
};
PhaseCounts Count(std::span<const ReplicaView> replicas);

}  // namespace tidegate::signals
