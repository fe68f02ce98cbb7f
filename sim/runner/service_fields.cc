#include "sim/runner/service_fields.h"

#include <array>
#include <optional>
#include <string_view>

#include <fmt/format.h>

namespace tidegate::sim {
namespace {

using config::Fields;
using config::Value;
using std::chrono::hours;

constexpr std::size_t kMostEmpirical = 100'000;

// A number from `min` to `max`.
struct Range {
  double min = 0;
  double max = 1;
};

void ReadNumber(Fields& fields, std::string_view key, Range range, double* out) {
  const auto value = fields.Get(key);
  if (!value) return;
  const auto amount = value->Amount();
  if (!amount) return;
  if (amount->value() < range.min || amount->value() > range.max) {
    value->Complain(fmt::format("expected a number from {} to {}", range.min, range.max));
    return;
  }
  *out = amount->value();
}

void ReadArrivals(const Value& value, ArrivalModel* arrivals) {
  static constexpr std::array<std::string_view, 2> kShapes = {"steps", "lines"};
  static constexpr std::array<std::string_view, 3> kSpacings = {"poisson", "even", "replay"};
  Fields fields(value);
  fields.Choice("shape", kShapes, &arrivals->shape);
  fields.Choice("spacing", kSpacings, &arrivals->spacing);
  ReadNumber(fields, "burstBias", {0.5, 0.95}, &arrivals->burst_bias);
  const bool replay = arrivals->spacing == ArrivalModel::Spacing::kReplay;
  if (const auto seed = fields.Get("replaySeed")) {
    if (!replay) seed->Complain("only with spacing: replay");
    if (const auto number = seed->Integer({0, INT64_MAX, "a seed"})) {
      arrivals->replay_seed = static_cast<std::uint64_t>(*number);
    }
  }
  const bool steps = arrivals->shape == ArrivalModel::Shape::kSteps && arrivals->burst_bias == 0.5;
  if (replay && !steps) {
    value.Complain(
        "spacing: replay sends requests as tidetrace replay does: shape steps, no bursts");
  }
  fields.Finish();
}

void ReadEmpirical(const Value& value, ServiceModel* service) {
  double sum = 0;
  std::size_t index = 0;
  for (const config::Node& item : value.Items(kMostEmpirical)) {
    const Value entry(value.context(), item, config::Path(value.path(), index++));
    const auto seconds = entry.PositiveAmount();
    if (!seconds) return;
    service->requests.empirical_seconds.push_back(*seconds);
    sum += *seconds;
  }
  if (index == 0) return value.Complain("expected one time at least");
  service->service_seconds = sum / static_cast<double>(index);
}

void ReadServiceTimes(const Value& value, ServiceModel* service) {
  static constexpr std::array<std::string_view, 5> kDistributions = {
      "deterministic", "exponential", "lognormal", "hyperexponential", "empirical"};
  RequestModel& requests = service->requests;
  Fields fields(value);
  fields.Choice("distribution", kDistributions, &requests.distribution);
  const auto variation = fields.Get("variation");
  const bool varies = requests.distribution == ServiceKind::kLognormal ||
                      requests.distribution == ServiceKind::kHyperexponential;
  if (variation && !varies) {
    variation->Complain("only lognormal and hyperexponential times have a variation to choose");
  } else {
    const double least = requests.distribution == ServiceKind::kHyperexponential ? 1 : 0.01;
    ReadNumber(fields, "variation", {least, 20}, &requests.variation);
  }
  const auto times = fields.Get("seconds");
  const bool empirical = requests.distribution == ServiceKind::kEmpirical;
  if (times && empirical) ReadEmpirical(*times, service);
  if (times && !empirical) times->Complain("is for distribution empirical");
  if (!times && empirical) value.Complain("distribution empirical needs seconds, a list of times");
  fields.Finish();
}

void ReadRetries(const Value& value, RetryModel* retries) {
  Fields fields(value);
  fields.Int("attempts", {1, 100, "a number of attempts, the first one included"},
             &retries->attempts);
  ReadNumber(fields, "backoffSeconds", {0, 3'600}, &retries->backoff_seconds);
  ReadNumber(fields, "budget", {0, 1}, &retries->budget);
  fields.Finish();
}

void ReadConnections(const Value& value, RequestModel* requests) {
  std::int32_t count = 0, each = 1'000;
  Fields fields(value);
  fields.Int("count", {1, 10'000'000, "a number of connections"}, &count);
  fields.Int("requestsEach", {1, 1'000'000'000, "a number of requests"}, &each);
  fields.Finish();
  requests->connections = static_cast<std::uint32_t>(count);
  requests->requests_per_connection = static_cast<std::uint32_t>(each);
}

void ReadSlowReplicas(const Value& value, RequestModel* requests) {
  Fields fields(value);
  ReadNumber(fields, "share", {0, 1}, &requests->slow_share);
  ReadNumber(fields, "factor", {1, 1'000}, &requests->slow_factor);
  fields.Finish();
}

}  // namespace

void ReadService(const Value& value, ServiceModel* service) {
  Fields fields(value);
  fields.Int("workersPerReplica", {1, 100'000, "a number of workers"}, &service->workers);
  if (const auto time = fields.Get("serviceTimeSeconds")) {
    if (const auto seconds = time->PositiveAmount()) service->service_seconds = *seconds;
  }
  if (const auto patience = fields.Get("patienceSeconds")) {
    if (const auto seconds = patience->PositiveAmount()) service->patience_seconds = *seconds;
  }
  fields.Time("startup", {Duration(0), hours(1)}, &service->startup);
  ReadNumber(fields, "startupVariation", {0, 2}, &service->startup_variation);
  fields.Time("readinessQuantum", {Duration(0), hours(1)}, &service->readiness_quantum);
  fields.Time("drain", {Duration(0), hours(1)}, &service->drain);
  fields.Finish();
}

void ReadRequests(const Value& value, ServiceModel* service) {
  static constexpr std::array<std::string_view, 5> kBalancing = {"roundRobin", "random",
                                                                 "leastOfTwo", "least", "oneLine"};
  RequestModel& requests = service->requests;
  Fields fields(value);
  if (const auto arrivals = fields.Get("arrivals")) ReadArrivals(*arrivals, &requests.arrivals);
  if (const auto times = fields.Get("serviceTimes")) ReadServiceTimes(*times, service);
  fields.Choice("balancing", kBalancing, &requests.balancing);
  if (const auto limit = fields.Get("queueLimit")) {
    if (const auto places = limit->Integer({0, 1'000'000'000, "a number of places"})) {
      requests.queue_limit = static_cast<std::size_t>(*places);
    }
  }
  if (const auto retries = fields.Get("retries")) ReadRetries(*retries, &requests.retries);
  if (const auto open = fields.Get("connections")) {
    ReadConnections(*open, &requests);
    if (requests.balancing == Balancing::kOneLine) {
      open->Complain("with balancing: oneLine no connection is bound to a replica");
    }
  }
  if (const auto slow = fields.Get("slowReplicas")) ReadSlowReplicas(*slow, &requests);
  fields.Finish();
}

}  // namespace tidegate::sim
