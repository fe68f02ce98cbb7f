#include "sim/report/oracle.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "policies/base/check.h"
#include "sim/report/layers.h"

namespace tidegate::sim {
namespace {

// In which m may be no whole number; costs half of this in tightness.
constexpr double kSlice = 1.0 / 16;
// Stretches of short traces are cut finer, so that steps follow slopes.
constexpr std::size_t kManyStretches = 100'000;
constexpr std::size_t kMostCuts = 8;

// The requests that count, by time: `arrived[i]` before `at[i]`, evenly between two edges.
struct Arrivals {
  std::vector<Duration> at;
  std::vector<double> arrived;
};

Arrivals ArrivalsOf(const traces::Trace& trace, const OracleInput& input) {
  Arrivals result;
  double sum = 0;
  const auto edge = [&](Duration at) {
    result.at.push_back(at);
    result.arrived.push_back(sum);
  };
  edge(-input.end - Duration(1));  // windows may begin before the trace
  edge(std::clamp(input.counted_from, Duration(0), input.end));
  for (std::size_t i = 0; i < trace.requests.size(); ++i) {
    const Duration begin = std::max(trace.bin * static_cast<Duration::rep>(i), result.at.back());
    const Duration stop = std::min(trace.bin * static_cast<Duration::rep>(i + 1), input.end);
    if (stop <= begin) continue;
    sum += trace.requests[i] * (Seconds(stop - begin) / Seconds(trace.bin));
    edge(stop);
  }
  if (result.at.back() < input.end) edge(input.end);
  return result;
}

// Walks along the arrivals; times must not go back.
class Cursor {
 public:
  explicit Cursor(const Arrivals& arrivals) : arrivals_(arrivals) {}
  // The edge after the last time asked for.
  Duration next() const { return arrivals_.at[i_ + 1]; }
  double ArrivedBefore(Duration at) {
    while (i_ + 2 < arrivals_.at.size() && arrivals_.at[i_ + 1] <= at) ++i_;
    const double share = Seconds(at - arrivals_.at[i_]) / Seconds(next() - arrivals_.at[i_]);
    return arrivals_.arrived[i_] + share * (arrivals_.arrived[i_ + 1] - arrivals_.arrived[i_]);
  }

 private:
  const Arrivals& arrivals_;
  std::size_t i_ = 0;
};

// What arrives in (t, t + window) for t in [from, to), as replicas of `capacity` need for it. The
// mean rate is linear between edges and so at least the lesser of its values at both ends.
std::vector<Need> WindowNeeds(const Arrivals& arrivals, Duration from, Duration to, Duration window,
                              Rate capacity) {
  std::vector<Need> needs;
  needs.reserve(2 * arrivals.at.size());
  const auto cuts = static_cast<Duration::rep>(
      std::clamp(kManyStretches / arrivals.at.size(), std::size_t{1}, kMostCuts));
  Cursor tail(arrivals), head(arrivals);
  const double scale = 1 / (Seconds(window) * capacity);
  const auto need = [&](Duration t) {
    const double before = tail.ArrivedBefore(t);
    return std::max(0.0, head.ArrivedBefore(t + window) - before) * scale;
  };
  double left = need(from);
  for (Duration t = from; t < to;) {
    // Both cursors stand at t.
    const Duration edge = std::min({tail.next(), head.next() - window, to});
    const Duration step = std::max(Duration(1), (edge - t) / cuts);
    for (; t < edge; t = std::min(edge, t + step)) {
      const Duration stop = std::min(edge, t + step);
      const double right = need(stop);
      needs.push_back({Seconds(stop - t), std::min(left, right)});
      left = right;
    }
  }
  return needs;
}

class Oracle {
 public:
  Oracle(const traces::Trace& trace, const OracleInput& input)
      : input_(input), bin_(trace.bin), arrivals_(ArrivalsOf(trace, input)) {}

  OracleBound Bound(double bad_fraction) {
    bound_ = {.replica_seconds = input_.least * Seconds(input_.end)};
    allowed_ = bad_fraction * arrivals_.arrived.back();
    if (input_.wait <= Duration(0)) {
      WithoutQueue();
      return bound_;
    }
    const Duration room = input_.startup + input_.drain - input_.wait;
    const int finer = arrivals_.at.size() < kManyStretches ? 2 : 4;  // it takes time
    for (Duration window = room; window >= input_.wait; window /= finer) {
      ByTheMost(Rounded(window));
    }
    for (const int times : {2, 4, 8, 16, 64, 256}) ByTheMean(Rounded(input_.wait * times));
    return bound_;
  }

 private:
  // Windows of whole bins have half as many edges.
  Duration Rounded(Duration window) const { return window < bin_ ? window : window / bin_ * bin_; }

  LayerProblem Problem() const {
    return {.needs = {},
            .startup = Seconds(input_.startup),
            .drain = Seconds(input_.drain),
            .initial = double(input_.initial),
            .initial_hold = Seconds(input_.drain),
            .least = double(input_.least),
            .most = double(input_.most),
            .allowed = 0,
            .slice = 0};
  }

  // Bounds from `problem`, one of whose replicas serves `capacity`; its needs last `seconds`.
  void Take(LayerProblem problem, Rate capacity, double seconds) {
    problem.allowed = allowed_ / capacity;
    const LayerCost least = LeastLayerCost(problem);
    const double above = least.cost - problem.least * seconds;
    bound_.replica_seconds =
        std::max(bound_.replica_seconds, problem.least * Seconds(input_.end) + above);
    if (arrivals_.arrived.back() <= 0) return;
    bound_.least_bad_fraction = std::max(bound_.least_bad_fraction,
                                         least.unavoidable * capacity / arrivals_.arrived.back());
  }

  void WithoutQueue() {
    LayerProblem problem = Problem();
    const Duration begin = arrivals_.at[1];
    if (begin > Duration(0)) problem.needs.push_back({Seconds(begin), 0});
    for (std::size_t i = 2; i < arrivals_.at.size(); ++i) {
      const double seconds = Seconds(arrivals_.at[i] - arrivals_.at[i - 1]);
      const double arrived = arrivals_.arrived[i] - arrivals_.arrived[i - 1];
      problem.needs.push_back({seconds, arrived / (seconds * input_.capacity)});
    }
    Take(std::move(problem), input_.capacity, Seconds(input_.end));
  }

  void ByTheMost(Duration window) {
    const Duration reach = window + input_.wait;
    if (reach >= input_.end) return;
    LayerProblem problem = Problem();
    // m(t) looks back as far as the drain lasts, and forward for the rest.
    const Duration back = std::min(input_.drain, reach);
    problem.drain = Seconds(input_.drain - back);
    problem.startup = Seconds(input_.startup - (reach - back));
    const Rate capacity = input_.capacity * Seconds(reach) / Seconds(window);
    problem.needs = WindowNeeds(arrivals_, -back, input_.end - reach, window, capacity);
    if (reach > back) problem.needs.push_back({Seconds(reach - back), 0});
    Take(std::move(problem), capacity, Seconds(input_.end));
  }

  void ByTheMean(Duration window) {
    const Duration reach = window + input_.wait;
    if (reach >= input_.end) return;
    LayerProblem problem = Problem();
    problem.initial = problem.initial_hold = 0;
    problem.slice = kSlice;
    const Rate capacity = input_.capacity * Seconds(reach) / Seconds(window);
    const Duration from = input_.initial <= input_.least ? -reach : Duration(0);
    const Duration to = input_.end - reach;
    problem.needs = WindowNeeds(arrivals_, from, to, window, capacity);
    Take(std::move(problem), capacity, Seconds(to - from));
  }

  const OracleInput& input_;
  Duration bin_;
  Arrivals arrivals_;
  double allowed_ = 0;
  OracleBound bound_;
};

}  // namespace

OracleBound LeastReplicaSeconds(const traces::Trace& trace, const OracleInput& input) {
  TIDEGATE_CHECK(input.capacity > 0, "a replica that serves nothing");
  TIDEGATE_CHECK(input.end > Duration(0), "nothing to look at");
  TIDEGATE_CHECK(input.least <= input.most, "the least number of replicas is above the most");
  Oracle oracle(trace, input);
  OracleBound bound = oracle.Bound(input.bad_fraction);
  if (bound.least_bad_fraction > input.bad_fraction + 1e-9) {
    bound = oracle.Bound(bound.least_bad_fraction);
    bound.reachable = false;
  }
  return bound;
}

}  // namespace tidegate::sim
