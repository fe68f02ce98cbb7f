#include "sim/report/layers.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include "policies/base/check.h"

namespace tidegate::sim {
namespace {

constexpr double kMostLayers = 1'024;
constexpr int kMostEvaluations = 64;
// Need this little above a whole number is rounding, not a reason for another replica.
constexpr double kRounding = 1e-9;

struct Layer {
  double top = 0;     // this layer works when more than `top - 1` replicas are needed
  double weight = 0;  // replicas that it stands for
  bool initial = false;
  std::vector<Need> runs;  // its need over time, 0 .. 1; neighbours differ
};

// A point (unmet, cost) that some schedule attains.
struct Point {
  double cost = 0;
  double unmet = 0;
};

class Layers {
 public:
  explicit Layers(const LayerProblem& problem) : problem_(problem) {
    for (const Need& need : problem.needs) {
      end_ += need.seconds;
      peak_ = std::max(peak_, Snapped(need.replicas));
    }
    MakeLayers();
    Sweep();
  }

  double unavoidable() const { return unavoidable_; }

  // The least of cost + price * unmet over all schedules; no unmet need that can be avoided at an
  // infinite price.
  Point Cheapest(double price) const {
    Point total{problem_.least * end_ + idle_, unavoidable_};
    for (const Layer& layer : layers_) {
      const Point best = CheapestOf(layer, price);
      total.cost += layer.weight * best.cost;
      total.unmet += layer.weight * best.unmet;
    }
    return total;
  }

 private:
  struct State {
    Point sums;
    double value = 0;  // cost + price * unmet
  };

  static double Snapped(double replicas) {
    const double whole = std::floor(replicas);
    return replicas - whole < kRounding * std::max(1.0, replicas) ? whole : replicas;
  }

  void MakeLayers() {
    const bool whole = problem_.slice <= 0;
    const double needed = std::min(problem_.most, whole ? std::ceil(peak_) : peak_);
    const double above = std::max(0.0, needed - problem_.least);
    spacing_ = whole ? std::max(1.0, std::ceil(above / kMostLayers))
                     : std::max(problem_.slice, above / kMostLayers);
    for (double base = problem_.least; base < needed;) {
      const double top = whole ? std::min(base + spacing_, needed)
                               : problem_.least + spacing_ * double(layers_.size() + 1);
      if (top > needed) break;  // less than a slice
      layers_.push_back({top, top - base, top <= problem_.initial, {}});
      base = top;
    }
    const double useless = problem_.initial - std::max(needed, problem_.least);
    idle_ = whole ? std::max(0.0, useless) * std::min(end_, problem_.initial_hold) : 0;
  }

  // What share of a layer `replicas` make work.
  double NeedOf(const Layer& layer, double replicas) const {
    if (replicas >= layer.top) return 1;
    return problem_.slice > 0 ? 0 : std::max(0.0, replicas - (layer.top - 1));
  }

  // The first layer that `replicas` do not need fully.
  std::size_t FirstPartial(double replicas) const {
    const double guess = std::floor((replicas - problem_.least) / spacing_) - 1;
    auto i = static_cast<std::size_t>(std::clamp(guess, 0.0, static_cast<double>(layers_.size())));
    while (i < layers_.size() && layers_[i].top <= replicas) ++i;
    return i;
  }

  // Cuts the needs into layers. From one stretch to the next only layers between the two needs
  // change, so this takes as long as the need goes up and down.
  void Sweep() {
    std::vector<double> need(layers_.size(), 0.0), since(layers_.size(), 0.0);
    const auto change = [&](std::size_t i, double to, double now) {
      if (need[i] == to) return;
      if (now > since[i]) layers_[i].runs.push_back({now - since[i], need[i]});
      need[i] = to;
      since[i] = now;
    };
    double now = 0;
    std::size_t before = 0;
    for (const Need& stretch : problem_.needs) {
      const double replicas = Snapped(stretch.replicas);
      const std::size_t partial = FirstPartial(replicas);
      const std::size_t stop = std::min(std::max(before, partial) + 1, layers_.size());
      for (std::size_t i = std::min(before, partial); i < stop; ++i) {
        change(i, NeedOf(layers_[i], replicas), now);
      }
      before = partial;
      now += stretch.seconds;
      unavoidable_ += std::max(0.0, replicas - problem_.most) * stretch.seconds;
    }
    for (std::size_t i = 0; i < layers_.size(); ++i) change(i, -1, now);
  }

  Point CheapestOf(const Layer& layer, double price) const {
    State on;
    State off;
    if (layer.initial) off.sums.cost = off.value = problem_.initial_hold;
    const auto turn = [](const State& from, double cost) {
      return State{{from.sums.cost + cost, from.sums.unmet}, from.value + cost};
    };
    for (const Need& run : layer.runs) {
      const State started = turn(off, problem_.startup);
      const State drained = turn(on, problem_.drain);
      if (started.value < on.value) on = started;
      if (drained.value < off.value) off = drained;
      on.sums.cost += run.seconds;
      on.value += run.seconds;
      const double unmet = run.replicas * run.seconds;
      off.sums.unmet += unmet;
      if (unmet > 0) off.value += price * unmet;
    }
    return on.value < off.value ? on.sums : off.sums;
  }

  const LayerProblem& problem_;
  std::vector<Layer> layers_;
  double end_ = 0;
  double peak_ = 0;
  double spacing_ = 1;
  double idle_ = 0;  // paid for initial replicas that nothing needs
  double unavoidable_ = 0;
};

}  // namespace

LayerCost LeastLayerCost(const LayerProblem& problem) {
  TIDEGATE_CHECK(problem.least <= problem.most, "the least number of replicas is above the most");
  const Layers layers(problem);
  LayerCost result{.unavoidable = layers.unavoidable(), .evaluations = 2};
  Point all = layers.Cheapest(std::numeric_limits<double>::infinity());  // unmet <= allowed
  Point none = layers.Cheapest(0);                                       // unmet > allowed
  result.cost = none.cost;
  if (none.unmet <= problem.allowed) return result;
  if (all.unmet >= problem.allowed) {
    result.cost = all.cost;
    return result;
  }
  // The line through two points of the envelope has the price at which both cost the same. What is
  // cheapest at that price lies on the line, which then is the envelope, or below it.
  while (result.evaluations < kMostEvaluations) {
    const double price = (all.cost - none.cost) / (none.unmet - all.unmet);
    const Point best = layers.Cheapest(price);
    ++result.evaluations;
    const double value = best.cost + price * best.unmet;
    result.cost = std::max(result.cost, value - price * problem.allowed);
    const double line = all.cost + price * all.unmet;
    if (value >= line - 1e-12 * line) break;
    (best.unmet <= problem.allowed ? all : none) = best;
  }
  return result;
}

}  // namespace tidegate::sim
