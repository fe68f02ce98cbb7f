#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "traces/generate/random.h"

namespace tidegate::sim {

enum class ServiceKind {
  kDeterministic,
  kExponential,
  kLognormal,
  kHyperexponential,  // two exponentials with balanced means; coefficient of variation >= 1
  kEmpirical,         // one of given times, each as likely as the others
};
const char* Name(ServiceKind kind);  // "deterministic", ...

// How long one request keeps a worker busy.
struct ServiceTime {
  ServiceKind kind = ServiceKind::kExponential;
  double mean_seconds = 0.05;  // > 0; of empirical times it is theirs
  // Standard deviation over mean: of lognormal (> 0) and hyperexponential (>= 1) times; the others
  // have their own.
  double variation = 1;
  std::vector<double> empirical;  // seconds, > 0 each; of kEmpirical only, not empty
  bool operator==(const ServiceTime&) const = default;
};

// Draws of a service time in a fixed order, made in blocks.
class ServiceStream {
 public:
  ServiceStream(const ServiceTime& time, std::uint64_t seed, std::uint64_t stream);

  double Next() {
    if (next_ == kBlock) Refill();
    return block_[next_++];
  }

 private:
  static constexpr std::size_t kBlock = 256;
  void Refill();
  double HyperexponentialDraw();

  ServiceTime time_;
  traces::Random random_;
  double location_ = 0;  // lognormal: mean and standard deviation of the logarithm
  double spread_ = 0;
  double first_share_ = 0;  // hyperexponential: how many are of the first kind, and both means
  std::array<double, 2> means_{};
  std::array<double, kBlock> block_{};
  std::size_t next_ = kBlock;
};

}  // namespace tidegate::sim
