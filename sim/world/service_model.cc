#include "sim/world/service_model.h"

#include <algorithm>
#include <cmath>

namespace tidegate::sim {
namespace {

constexpr std::uint64_t kStartups = 0x73746172;  // the random streams' names
constexpr std::uint64_t kProbes = 0x70726f62;

}  // namespace

Duration StartupOf(const ServiceModel& model, std::uint64_t seed, std::uint64_t nth) {
  const auto millis = static_cast<double>(model.startup.count());
  double takes = millis;
  if (model.startup_variation > 0 && millis > 0) {
    ServiceStream draws({ServiceKind::kLognormal, millis, model.startup_variation, {}}, seed,
                        kStartups + (nth << 32));
    takes = std::min(draws.Next(), 10 * millis);
  }
  const auto quantum = static_cast<double>(model.readiness_quantum.count());
  if (quantum > 0) takes += quantum * traces::Random(seed, kProbes + (nth << 32)).Uniform();
  return Duration(std::llround(takes));
}

}  // namespace tidegate::sim
