#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "policies/sizing/hpa.h"

// From a pool's readings to the metrics of an HPA.
//
// The HPA looks at no ages and can't know that a sum lacks some of its series, so readings that we
// call stale or partial are taken as they are, and its proposal may shrink the pool as that of a
// good reading: this is what its users know. A source that answers with nothing, or not at all, is
// a metric that fails, for the HPA as for us.
namespace tidegate::sizing {
namespace {

using signals::Quality;
using signals::Reading;

bool ByReplica(HpaType type) { return type != HpaType::kAverageValue && type != HpaType::kValue; }

// What the metrics API would have answered; empty: an error.
std::optional<double> AnswerOf(const Reading& reading) {
  std::optional<double> value;
  if (signals::MayGrow(reading.quality)) value = reading.value;
  if (reading.quality == Quality::kStale) value = reading.last;
  if (value && !(std::isfinite(*value) && *value >= 0)) value.reset();
  return value;
}

class Metrics {
 public:
  Metrics(const Input& input, const HpaOptions& options)
      : input_(input), options_(options), tolerances_(input.tolerances.Or(options.tolerance)) {}

  Proposal Propose(const HpaMetric& metric, double target) const {
    Proposal proposal;
    proposal.source = metric.signal;
    proposal.target = target;
    const Reading* reading = FindReading(input_.readings, metric.signal);
    if (reading == nullptr) {
      proposal.note = "the signal was not read";
      return proposal;
    }
    proposal.quality = reading->quality;
    proposal.age = reading->age;
    const auto total = AnswerOf(*reading);
    if (!total) {
      if (signals::MayGrow(proposal.quality)) proposal.quality = Quality::kNaN;
      proposal.note = reading->detail;
      return proposal;
    }
    proposal.value = *total;
    Answered(AnswerTo(metric, target, *reading, *total), *reading, proposal);
    return proposal;
  }

 private:
  HpaAnswer AnswerTo(const HpaMetric& metric, double target, const Reading& reading,
                     double total) const {
    const std::int64_t milli = MilliTarget(target);
    if (metric.type == HpaType::kAverageValue) {
      return ByAverageValue(MilliValue(total), milli, signals::Count(input_.replicas).live(),
                            tolerances_);
    }
    if (metric.type == HpaType::kValue) {
      return ByValue(MilliValue(total), milli, input_.current, input_.replicas, tolerances_);
    }
    const bool resource = metric.type != HpaType::kPods;
    const HpaPods pods =
        GroupPods(input_.replicas, reading.each, resource && metric.cpu, options_, input_.now);
    if (metric.type != HpaType::kUtilization) {
      return ByPods(pods, milli, std::nullopt, input_.current, tolerances_);
    }
    if (!metric.request) return {std::nullopt, "a Utilization needs requestPerReplica"};
    const auto percent = static_cast<std::int64_t>(target);
    return ByPods(pods, std::max<std::int64_t>(percent, 1), MilliTarget(*metric.request),
                  input_.current, tolerances_);
  }

  static void Answered(const HpaAnswer& answer, const Reading& reading, Proposal& proposal) {
    proposal.replicas = answer.replicas;
    proposal.note = answer.why;
    if (!answer.replicas) {
      proposal.quality = Quality::kError;
      return;
    }
    if (proposal.quality == Quality::kOk) return;
    proposal.note += fmt::format("{}{}, and taken as it is (the HPA does not look)",
                                 proposal.note.empty() ? "" : "; ", signals::Name(reading.quality));
    proposal.quality = Quality::kOk;
  }

  const Input& input_;
  const HpaOptions& options_;
  Tolerances tolerances_;
};

const HpaMetric* FindMetric(const HpaOptions& options, const std::string& signal) {
  const auto found = std::ranges::find(options.metrics, signal, &HpaMetric::signal);
  return found == options.metrics.end() ? nullptr : &*found;
}

// One metric's problems; empty: none.
std::string ProblemOf(const HpaMetric& metric, std::span<const SignalTarget> targets) {
  const auto signal = std::ranges::find(targets, metric.signal, &SignalTarget::signal);
  if (signal == targets.end()) return fmt::format("no signal is called {}", metric.signal);
  const bool utilization = metric.type == HpaType::kUtilization;
  if (utilization && (!metric.request || !metric.target)) {
    return "a Utilization needs a target in percent, and requestPerReplica";
  }
  if (utilization && *metric.target < 1) return "expected a target of 1 percent or more";
  if (utilization && *metric.target != std::floor(*metric.target)) {
    return fmt::format("expected a whole number of percent, got {}", *metric.target);
  }
  if (!utilization && metric.request) return "requestPerReplica is of a Utilization";
  if (!metric.target && !signal->per_replica) return "neither it nor its signal has a target";
  return {};
}

}  // namespace

Sizing Hpa::Size(const Input& input, const Options& options, Memory&) {
  Sizing sizing;
  if (input.current == 0 && input.min != 0) {
    sizing.leave_alone = fmt::format(
        "the size is 0 and minReplicas {}: the HPA scales no such pool until its size is set to 1 "
        "or more",
        input.min);
    return sizing;
  }
  const Metrics metrics(input, options);
  sizing.proposals.reserve(input.targets.size());
  for (const SignalTarget& target : input.targets) {
    const HpaMetric* metric = FindMetric(options, target.signal);
    if (metric != nullptr && (metric->target || target.per_replica)) {
      sizing.proposals.push_back(
          metrics.Propose(*metric, metric->target ? *metric->target : *target.per_replica));
    } else if (target.per_replica) {
      HpaMetric plain;
      plain.signal = target.signal;
      sizing.proposals.push_back(metrics.Propose(plain, *target.per_replica));
    }
  }
  return sizing;
}

bool Hpa::EachReplica(const Options& options, const std::string& signal) {
  const HpaMetric* metric = FindMetric(options, signal);
  return metric != nullptr && ByReplica(metric->type);
}

std::vector<OptionProblem> Hpa::Check(const Options& options,
                                      std::span<const SignalTarget> targets) {
  std::vector<OptionProblem> problems;
  for (std::size_t i = 0; i < options.metrics.size(); ++i) {
    const HpaMetric& metric = options.metrics[i];
    std::string problem = ProblemOf(metric, targets);
    if (FindMetric(options, metric.signal) != &metric) {
      problem = fmt::format("there are two metrics of {}", metric.signal);
    }
    if (!problem.empty()) problems.push_back({fmt::format("metrics[{}]", i), std::move(problem)});
  }
  return problems;
}

}  // namespace tidegate::sizing
