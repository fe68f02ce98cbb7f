#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include "sim/engine/ziggurat.h"
#include "traces/format/trace.h"
#include "traces/generate/arrivals.h"
#include "traces/generate/random.h"

namespace tidegate::sim {

// How single requests follow from a trace of counts.
struct ArrivalModel {
  enum class Shape {
    kSteps,  // the rate of a bin holds all through it
    kLines,  // the rate changes linearly from the middle of one bin to the middle of the next
  };
  enum class Spacing {
    kPoisson,  // at random, as independent users come
    kEven,     // evenly
    // Exactly a bin's count, at random within the bin: those of `tidetrace replay --seed`, request
    // by request. Takes steps and no bursts.
    kReplay,
  };
  Shape shape = Shape::kSteps;
  Spacing spacing = Spacing::kPoisson;
  // Self-similar bursts inside a bin by the b-model (Wang et al. 2002, "Data mining meets
  // performance evaluation: fast algorithms for modeling bursty traffic"): a bin's load is split
  // unevenly, this share against the rest, in halves, quarters and so on down to 1/64 of the bin.
  // 0.5: none; 0.5 .. 1.
  double burst_bias = 0.5;
  std::uint64_t replay_seed = 1;  // of kReplay, in the place of the run's
  bool operator==(const ArrivalModel&) const = default;
};

// The times of requests, in seconds since the trace's start, in order, one at a time. Double
// seconds keep a resolution of a nanosecond over months.
class ArrivalStream {
 public:
  static constexpr double kNever = std::numeric_limits<double>::infinity();

  // `trace` must outlive this.
  ArrivalStream(const traces::Trace& trace, const ArrivalModel& model, std::uint64_t seed);

  // Writes the times of the next requests that come no later than `until` to `times`, as many as
  // it holds; returns how many. In blocks, so that the state stays in registers.
  std::size_t Take(double until, std::span<double> times);

 private:
  double NextReplayed();
  std::size_t TakeReplayed(double until, std::span<double> times);
  double After(double need);
  bool NextSegment();
  double RateOfBin(std::size_t bin) const;
  double Weight(std::size_t bin, unsigned part) const;

  const traces::Trace& trace_;
  ArrivalModel model_;
  std::optional<traces::Arrivals> replay_;
  std::uint64_t seed_;
  traces::Random random_;
  const Ziggurat& ziggurat_;
  std::size_t piece_ = 0;  // the segment after the one at hand: half bins or parts of a bin
  double begin_ = 0;       // of the segment at hand, in seconds
  double rate_ = 0;        // at next_, requests/s
  double apart_ = 0;       // seconds between requests where the rate does not change: 1 / rate_
  double slope_ = 0;       // of the rate
  double left_ = 0;        // requests to come in the segment after next_
  double next_ = 0;        // the next request
};

}  // namespace tidegate::sim
