#pragma once

#include <optional>
#include <span>
#include <vector>

#include "policies/base/fields.h"
#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "policies/signals/snapshot.h"

namespace tidegate::sizing {

// Where a pool's load is now, and where it goes. A sum of rates between two samples of each replica
// is 15 s old in the mean where scrapes are 15 s apart. But replicas are scraped at different times
// and share one load, so that the newest samples say what the older ones can't: this is followed by
// a Kalman filter of a local linear trend (level and slope; see load_trend.cc).
struct Trend {
  Rate level = 0;    // requests per second, or what the signal counts, now
  double slope = 0;  // by which that grows each second
};

// So many served since so long.
struct ServingSince {
  double seconds = 0;   // ago
  double replicas = 1;  // > 0

  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{"seconds", "ago", 0, 1e9}, self.seconds);
    visit(Field{"replicas", "that served from then on", 1, kMaxReplicas}, self.replicas);
  }
  bool operator==(const ServingSince&) const = default;
};

// What is remembered; bounded.
struct TrendMemory {
  std::optional<Instant> at;  // of the last look; unset: none
  double level = 0;
  double slope = 0;
  double scale = 0;  // the highest level of late, fading: what noise is in proportion to
  // Of the errors of level and slope.
  double level_variance = 0;
  double covariance = 0;
  double slope_variance = 0;
  double noise = 0;                   // variance of what replicas say, relative, beyond counting
  std::vector<ServingSince> serving;  // oldest first

  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    constexpr double kHuge = 1e30;
    visit(Field{"at", "of the last look"}, self.at);
    visit(Field{"level", "of the load", 0, kHuge}, self.level);
    visit(Field{"slope", "of the level, each second", -kHuge, kHuge}, self.slope);
    visit(Field{"scale", "the highest level of late, fading", 0, kHuge}, self.scale);
    visit(Field{"levelVariance", "of its error", 0, 1e60}, self.level_variance);
    visit(Field{"covariance", "of both errors", -1e60, 1e60}, self.covariance);
    visit(Field{"slopeVariance", "of its error", 0, 1e60}, self.slope_variance);
    visit(Field{"noise", "variance of what replicas say, relative, beyond counting", 0, 1},
          self.noise);
    visit(Field{.name = "serving", .help = "how many served since when", .most_items = 32},
          self.serving);
  }
  bool operator==(const TrendMemory&) const = default;
};

// One look at a signal's reading.
struct TrendLook {
  Instant now{};
  const signals::Reading& reading;                   // its quality may grow a pool
  std::span<const signals::ReplicaView> replicas{};  // sorted by name
  // Replicas say means of the time between two samples, which are so far apart; else what was at
  // the sample.
  bool means = true;
  Duration apart{15'000};  // > 0
};

// Follows the load by those samples that are new since the last look; after a look that is earlier
// than the last one it begins anew.
// Empty: the reading does not say what each replica did and when; nothing is remembered of it.
std::optional<Trend> FollowTrend(const TrendLook& look, TrendMemory& memory);

// Whether the load has been followed for less than a minute, since it was met or after a pause.
bool JustMet(const TrendMemory& memory);

// Whether replicas differ so much from each other that the trend is a guess.
bool Unsure(const TrendMemory& memory);

}  // namespace tidegate::sizing
