#include "policies/guards/stabilization.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace tidegate::guards {

Guarded Stabilize(Replicas proposed, Replicas current, const Behavior& behavior,
                  const std::vector<Recommendation>& recommendations, Instant now) {
  const Instant up_cutoff = now - behavior.up.stabilization_window;
  const Instant down_cutoff = now - behavior.down.stabilization_window;
  Replicas up = proposed;
  Replicas down = proposed;
  for (const Recommendation& recommendation : recommendations) {
    if (recommendation.at > up_cutoff) up = std::min(up, recommendation.replicas);
    if (recommendation.at > down_cutoff) down = std::max(down, recommendation.replicas);
  }
  Replicas result = current;
  if (result < up) result = up;
  if (result > down) result = down;
  if (result == proposed) return Untouched(proposed);
  if (proposed >= current) {
    return Acted(Stage::kStabilization, Reason::kScaleUpStabilized, proposed, result,
                 fmt::format("{} was recommended within the last {}", up,
                             FormatDuration(behavior.up.stabilization_window)));
  }
  return Acted(Stage::kStabilization, Reason::kScaleDownStabilized, proposed, result,
               fmt::format("{} was recommended within the last {}", down,
                           FormatDuration(behavior.down.stabilization_window)));
}

std::vector<Recommendation> Remember(std::vector<Recommendation> recommendations, Replicas proposed,
                                     const Behavior& behavior, Instant now) {
  const Instant up_cutoff = now - behavior.up.stabilization_window;
  const Instant down_cutoff = now - behavior.down.stabilization_window;
  recommendations.push_back({now, proposed});
  Replicas later_min = std::numeric_limits<Replicas>::max();
  Replicas later_max = std::numeric_limits<Replicas>::min();
  std::vector<Recommendation> kept;
  for (auto it = recommendations.rbegin(); it != recommendations.rend(); ++it) {
    const bool matters = (it->at > up_cutoff && it->replicas < later_min) ||
                         (it->at > down_cutoff && it->replicas > later_max);
    if (matters) kept.push_back(*it);
    later_min = std::min(later_min, it->replicas);
    later_max = std::max(later_max, it->replicas);
  }
  std::reverse(kept.begin(), kept.end());
  return kept;
}

}  // namespace tidegate::guards
