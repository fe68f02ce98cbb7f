#include "policies/guards/classic.h"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

namespace tidegate::guards {

Guarded StabilizeClassic(Replicas proposed, const std::vector<Recommendation>& recommendations,
                         Instant now) {
  Replicas highest = proposed;
  for (const Recommendation& recommendation : recommendations) {
    if (recommendation.at < now - kClassicWindow) continue;
    highest = std::max(highest, recommendation.replicas);
  }
  if (highest == proposed) return Untouched(proposed);
  return Acted(Stage::kStabilization, Reason::kScaleDownStabilized, proposed, highest,
               fmt::format("{} was recommended within the last {}", highest,
                           FormatDuration(kClassicWindow)));
}

std::vector<Recommendation> RememberClassic(std::vector<Recommendation> recommendations,
                                            Replicas proposed, Instant now) {
  std::erase_if(recommendations, [&](const Recommendation& earlier) {
    return earlier.at < now - kClassicWindow || earlier.replicas <= proposed;
  });
  recommendations.push_back({now, proposed});
  return recommendations;
}

Guarded LimitClassicGrowth(Replicas proposed, Replicas current) {
  const std::int64_t limit = std::max<std::int64_t>(2 * std::int64_t{current}, 4);
  if (proposed <= limit) return Untouched(proposed);
  return Acted(Stage::kRateLimit, Reason::kScaleUpLimit, proposed, static_cast<Replicas>(limit),
               fmt::format("at most twice the size, or 4, from {}", current));
}

}  // namespace tidegate::guards
