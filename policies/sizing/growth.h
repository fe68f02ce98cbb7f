#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/int_or_percent.h"
#include "policies/base/scaling_policy.h"
#include "policies/base/units.h"
#include "policies/signals/snapshot.h"

// How long a pool takes to grow: what has to be known before a load that is known.
namespace tidegate::sizing {

// While growth is rolling it goes in waves of max(1, surge of what serves), each of which waits for
// the one before to become ready (DESIGN: budget B3); all at once otherwise. Within that the size
// grows no faster than `limits` allow.
struct Growth {
  Replicas serving = 0;
  IntOrPercent surge{100, true};
  bool rolling = true;
  Duration wave{70'000};  // from the start of a wave until the next one may start
  GrowthLimits limits{};
};

// Waves until `replicas` serve; 0 where they do already.
Replicas WavesTo(const Growth& growth, Replicas replicas);

// From now until `replicas` serve: waves * wave, and more where the limits are stricter; at least
// one wave (so that nothing is taken away just before it is needed). Nothing that takes longer than
// kFarthestLead is planned for: that is the answer then.
Duration LeadTo(const Growth& growth, Replicas replicas);
inline constexpr Duration kFarthestLead{86'400'000};

// The sizes that growth to `most` passes through, and when each of them serves.
class GrowthPath {
 public:
  GrowthPath(const Growth& growth, Replicas most);

  struct Stage {
    Replicas serving = 0;
    Duration lead{0};  // from now on
  };
  // First what serves now, one wave from now; the last one has `most` or more, and so have all that
  // follow.
  Stage Next();

 private:
  struct Change {
    Duration at{0};
    Replicas replicas = 0;
  };
  void BeginWave();
  bool Ask();
  std::int64_t Allowed() const;
  std::int64_t AllowedBy(const ScalingPolicy& policy) const;
  std::optional<Duration> NextChange() const;

  Growth growth_;
  Replicas most_;
  Stage stage_;
  bool begun_ = false;
  Replicas goal_ = 0;            // of the wave that is under way
  Replicas asked_ = 0;           // the size that was asked for
  Duration now_{0};              // since the path began
  std::vector<Change> changes_;  // that a period may still count, in their order
  Duration longest_{0};          // of the periods
};

// How long replicas of this pool take to become ready: what nine of ten of the newest twenty took
// (their ready_at - started, ceil(0.9 n)-th smallest). Empty: none shows it.
std::optional<Duration> MeasuredStartup(std::span<const signals::ReplicaView> replicas);

}  // namespace tidegate::sizing
