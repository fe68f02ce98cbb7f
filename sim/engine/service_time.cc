#include "sim/engine/service_time.h"

#include <cmath>

#include "policies/base/check.h"
#include "sim/engine/ziggurat.h"

namespace tidegate::sim {

const char* Name(ServiceKind kind) {
  switch (kind) {
    case ServiceKind::kDeterministic: return "deterministic";
    case ServiceKind::kExponential: return "exponential";
    case ServiceKind::kLognormal: return "lognormal";
    case ServiceKind::kHyperexponential: return "hyperexponential";
    case ServiceKind::kEmpirical: return "empirical";
  }
  return "?";
}

// Lognormal: s^2 = ln(1 + cv^2), m = ln(mean) - s^2 / 2. Hyperexponential with balanced means:
// p = (1 + sqrt((cv^2 - 1) / (cv^2 + 1))) / 2, means mean / 2p and mean / 2(1 - p).
ServiceStream::ServiceStream(const ServiceTime& time, std::uint64_t seed, std::uint64_t stream)
    : time_(time), random_(seed, stream) {
  const double square = time.variation * time.variation;
  if (time.kind == ServiceKind::kLognormal) {
    const double variance = Log(1 + square);
    spread_ = std::sqrt(variance);
    location_ = Log(time.mean_seconds) - variance / 2;
  }
  if (time.kind == ServiceKind::kHyperexponential) {
    TIDEGATE_CHECK(square >= 1, "a hyperexponential time varies by its mean at least");
    first_share_ = (1 + std::sqrt((square - 1) / (square + 1))) / 2;
    means_ = {time.mean_seconds / (2 * first_share_), time.mean_seconds / (2 * (1 - first_share_))};
  }
  TIDEGATE_CHECK(time.kind != ServiceKind::kEmpirical || !time.empirical.empty(),
                 "empirical times are given");
}

double ServiceStream::HyperexponentialDraw() {
  const double mean = means_[random_.Uniform() < first_share_ ? 0 : 1];
  return mean * Ziggurat::Get().Exponential(random_);
}

void ServiceStream::Refill() {
  const Ziggurat& ziggurat = Ziggurat::Get();
  next_ = 0;
  switch (time_.kind) {
    case ServiceKind::kDeterministic: block_.fill(time_.mean_seconds); return;
    case ServiceKind::kExponential:
      for (double& draw : block_) draw = time_.mean_seconds * ziggurat.Exponential(random_);
      return;
    case ServiceKind::kLognormal:
      for (double& draw : block_) draw = Exp(location_ + spread_ * ziggurat.Normal(random_));
      return;
    case ServiceKind::kHyperexponential:
      for (double& draw : block_) draw = HyperexponentialDraw();
      return;
    case ServiceKind::kEmpirical:
      for (double& draw : block_) {
        draw = time_.empirical[random_.Below(static_cast<std::uint32_t>(time_.empirical.size()))];
      }
      return;
  }
}

}  // namespace tidegate::sim
