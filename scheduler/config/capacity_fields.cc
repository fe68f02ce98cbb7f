#include "scheduler/config/capacity_fields.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "policies/catalog.h"
#include "scheduler/config/gateway_scaler.h"

namespace tidegate::config {
namespace {

constexpr DurationRange kServiceRange{Duration(1), std::chrono::hours(1)};
constexpr IntRange kWorkersRange{1, sizing::kMostWorkers, "a number of workers"};
constexpr double kMostVariation = 20;
constexpr double kLeastShare = 0.5, kMostShare = 0.99999;
constexpr std::array<std::string_view, 3> kBalancings{"leastOfTwo", "roundRobin", "random"};

void ReadPositive(Fields& fields, std::string_view key, std::optional<double>* out) {
  if (const auto value = fields.Get(key)) *out = value->PositiveAmount();
}

void ReadTime(Fields& fields, std::string_view key, std::optional<Duration>* out) {
  if (const auto value = fields.Get(key)) *out = value->Time(kServiceRange);
}

void ReadNumber(Fields& fields, std::string_view key, double least, double most,
                std::optional<double>* out) {
  const auto value = fields.Get(key);
  if (!value) return;
  const auto amount = value->Amount();
  if (!amount) return;
  if (amount->value() < least || amount->value() > most) {
    value->Expect(fmt::format("a number from {} to {}", least, most));
    return;
  }
  *out = amount->value();
}

void CheckSense(Fields& fields, const sizing::Capacity& capacity) {
  if (capacity.service_time && capacity.latency_objective &&
      *capacity.service_time >= *capacity.latency_objective) {
    fields.Get("latencyObjective")
        ->Complain(fmt::format(
            "{} is not more than serviceTime ({}), which is a mean: no number of "
            "replicas keeps it",
            FormatDuration(*capacity.latency_objective), FormatDuration(*capacity.service_time)));
  }
  if (capacity.requests_per_second && capacity.workers && capacity.service_time) {
    const double most = *capacity.workers / Seconds(*capacity.service_time);
    if (*capacity.requests_per_second > most) {
      fields.Get("requestsPerSecond")
          ->Complain(fmt::format("{} is more than {} workers serve at {} each, which is {:g}",
                                 *capacity.requests_per_second, *capacity.workers,
                                 FormatDuration(*capacity.service_time), most));
    }
  }
}

}  // namespace

sizing::Capacity ReadCapacity(const Value& value) {
  sizing::Capacity capacity;
  Fields fields(value);
  ReadPositive(fields, "requestsPerSecond", &capacity.requests_per_second);
  ReadPositive(fields, "concurrency", &capacity.concurrency);
  fields.OptionalInt("workers", kWorkersRange, &capacity.workers);
  ReadTime(fields, "serviceTime", &capacity.service_time);
  ReadNumber(fields, "serviceTimeVariation", 0, kMostVariation, &capacity.service_variation);
  ReadTime(fields, "latencyObjective", &capacity.latency_objective);
  ReadNumber(fields, "latencyShare", kLeastShare, kMostShare, &capacity.latency_share);
  fields.Choice("balancing", kBalancings, &capacity.balancing);
  CheckSense(fields, capacity);
  fields.Finish();
  return capacity;
}

bool CheckObjective(const Value& spec, const GatewayScaler& scaler) {
  const auto listed = [&](std::string_view name) {
    return std::ranges::any_of(scaler.policies, [&](const PolicyOptions& options) {
      return PolicyOf(options).name == name;
    });
  };
  const bool queueing = listed(sizing::Queueing::kName);
  if (!queueing && !listed(sizing::Tide::kName)) return false;
  std::string missing;
  const auto need = [&](bool there, std::string_view name) {
    if (!there) missing += fmt::format("{}{}", missing.empty() ? "" : ", ", name);
  };
  need(scaler.capacity.workers.has_value(), "capacity.workers");
  need(scaler.capacity.service_time.has_value(), "capacity.serviceTime");
  need(scaler.capacity.latency_objective.has_value(), "capacity.latencyObjective");
  need(std::ranges::any_of(scaler.signals,
                           [](const SignalDefinition& signal) {
                             return !signal.preset.empty() &&
                                    signal.metric == SignalMetric::kRequests;
                           }),
       "a signal that measures requests");
  if (queueing && !missing.empty()) spec.Complain("policy queueing needs " + missing);
  return missing.empty();
}

}  // namespace tidegate::config
