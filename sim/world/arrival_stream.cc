#include "sim/world/arrival_stream.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "policies/base/check.h"

namespace tidegate::sim {
namespace {

constexpr std::uint64_t kArrivals = 0x61727269;  // the random stream's name
constexpr unsigned kLevels = 6;                  // of bursts: parts of 1/64 of a bin
constexpr std::size_t kParts = std::size_t{1} << kLevels;

}  // namespace

ArrivalStream::ArrivalStream(const traces::Trace& trace, const ArrivalModel& model,
                             std::uint64_t seed)
    : trace_(trace),
      model_(model),
      seed_(seed),
      random_(seed, kArrivals),
      ziggurat_(Ziggurat::Get()) {
  TIDEGATE_CHECK(model.burst_bias >= 0.5 && model.burst_bias < 1, "a bias lies in [0.5, 1)");
  if (model.spacing == ArrivalModel::Spacing::kReplay) {
    replay_.emplace(trace, traces::ArrivalOptions{.seed = model.replay_seed});
    next_ = NextReplayed();
    return;
  }
  next_ = After(model.spacing == ArrivalModel::Spacing::kEven ? 1 : ziggurat_.Exponential(random_));
}

double ArrivalStream::NextReplayed() {
  const auto next = replay_->Next();
  return next ? std::chrono::duration<double>(*next).count() : kNever;
}

std::size_t ArrivalStream::TakeReplayed(double until, std::span<double> times) {
  std::size_t taken = 0;
  for (; taken < times.size() && next_ <= until; next_ = NextReplayed()) times[taken++] = next_;
  return taken;
}

std::size_t ArrivalStream::Take(double until, std::span<double> times) {
  if (replay_) return TakeReplayed(until, times);
  const bool even = model_.spacing == ArrivalModel::Spacing::kEven;
  std::size_t taken = 0;
  // In registers: the compiler can't know that `times` is not this object's own doubles.
  traces::Random random = random_;
  double next = next_, left = left_, apart = apart_;
  bool flat = slope_ == 0;
  while (taken < times.size() && next <= until) {
    times[taken++] = next;
    const double need = even ? 1 : ziggurat_.Exponential(random);
    if (flat && need <= left) {
      left -= need;
      next += need * apart;
      continue;
    }
    next_ = next;
    left_ = left;
    next = After(need);
    left = left_;
    apart = apart_;
    flat = slope_ == 0;
  }
  random_ = random;
  next_ = next;
  left_ = left;
  return taken;
}

// Where the integral of the rate from next_ on reaches `need` requests.
double ArrivalStream::After(double need) {
  double at = next_;
  while (need > left_) {
    need -= left_;
    if (!NextSegment()) return kNever;
    at = begin_;
  }
  left_ -= need;
  if (slope_ == 0) return need == 0 ? at : at + need * apart_;
  // r s + slope s^2 / 2 = need, solved for s in the form that stays exact for small slopes.
  const double root = std::sqrt(std::max(0.0, rate_ * rate_ + 2 * slope_ * need));
  at += 2 * need / (rate_ + root);
  rate_ = root;
  return at;
}

double ArrivalStream::RateOfBin(std::size_t bin) const {
  return trace_.requests[std::min(bin, trace_.requests.size() - 1)] / Seconds(trace_.bin);
}

// The b-model's weight of a part of a bin: at each level one half gets 2 b, the other 2 (1 - b).
double ArrivalStream::Weight(std::size_t bin, unsigned part) const {
  double weight = 1;
  for (unsigned level = 0; level < kLevels; ++level) {
    const unsigned half = part >> (kLevels - level);
    const unsigned side = part >> (kLevels - 1 - level) & 1;
    traces::Random coin(seed_, kArrivals + 1 + bin * 2 * kParts + (std::size_t{1} << level) + half);
    const bool heavy = (coin.Next() >> 63) == side;
    weight *= 2 * (heavy ? model_.burst_bias : 1 - model_.burst_bias);
  }
  return weight;
}

// Moves to the next stretch in which the rate is linear. False after the last one.
bool ArrivalStream::NextSegment() {
  const double bin_s = Seconds(trace_.bin);
  const bool bursts = model_.burst_bias > 0.5;
  const bool lines = model_.shape == ArrivalModel::Shape::kLines;
  const std::size_t pieces = bursts ? kParts : lines ? 2 : 1;
  const std::size_t bin = piece_ / pieces;
  if (bin >= trace_.requests.size()) return false;
  const auto part = static_cast<unsigned>(piece_ % pieces);
  ++piece_;
  const double length = bin_s / static_cast<double>(pieces);
  begin_ =
      (static_cast<double>(bin) + static_cast<double>(part) / static_cast<double>(pieces)) * bin_s;
  double first = RateOfBin(bin), last = first;
  if (lines) {
    // Where in the bin this piece begins and ends, as the middle's neighbours see it.
    const auto at = [&](double place) {
      const std::size_t other = place < 0.5 ? (bin == 0 ? 0 : bin - 1) : bin + 1;
      return RateOfBin(bin) + std::abs(place - 0.5) * (RateOfBin(other) - RateOfBin(bin));
    };
    first = at(static_cast<double>(part) / static_cast<double>(pieces));
    last = at(static_cast<double>(part + 1) / static_cast<double>(pieces));
  }
  if (bursts) {
    const double weight = Weight(bin, part);
    first *= weight;
    last *= weight;
  }
  rate_ = first;
  apart_ = 1 / first;  // infinite where nobody comes, and not used then
  slope_ = (last - first) / length;
  left_ = (first + last) / 2 * length;
  return true;
}

}  // namespace tidegate::sim
