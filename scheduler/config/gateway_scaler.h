#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "policies/catalog.h"
#include "policies/guards/desired.h"
#include "policies/sizing/stated_capacity.h"
#include "scheduler/config/istio_gateway.h"
#include "scheduler/config/problem.h"
#include "scheduler/rollout/plan.h"

namespace tidegate::config {

// What a preset's reading means.
enum class SignalMetric {
  kRequests,  // requests per second, summed over the pool
  kInflight,  // requests in progress, summed over the pool
  kLatency,   // seconds; observed only, it never sizes a pool
};
const char* Name(SignalMetric metric);  // "requests", "inflight", "latency"

// The gateways whose metric names we know: "istio", "envoy", "haproxy", "nginx", "ingress-nginx",
// "traefik", "kong". Sorted.
const std::vector<std::string>& PresetNames();
// False for combinations that the gateway doesn't offer: nginx (open source) has no latency.
bool PresetOffers(const std::string& preset, SignalMetric metric);

// One signal of a pool, as a signal source needs it. Exactly one of preset and promql is set.
struct SignalDefinition {
  std::string name;  // unique in the pool
  std::string preset;
  SignalMetric metric = SignalMetric::kRequests;  // of a preset
  std::string promql;                 // gives one value for the pool; in the target's unit
  std::optional<double> per_replica;  // target, > 0; unset: observed only
  bool each_replica = false;          // a policy wants signals::Reading::each
  bool operator==(const SignalDefinition&) const = default;
};

struct Pace {
  rollout::Pace up = rollout::Pace::kRolling;
  rollout::Pace down = rollout::Pace::kRolling;
  Duration progress_deadline{60'000};      // progressDeadlineSeconds
  std::optional<Duration> drain_deadline;  // drainDeadlineSeconds; unset: the daemon's default
  Duration backoff_min{1'000};             // backoff.minSeconds
  Duration backoff_max{300'000};           // backoff.maxSeconds
  Duration min_ready{10'000};              // minReadySeconds
};

// How a pool is sized: GatewayScaler of tidegate.dev/v1alpha1.
struct GatewayScaler {
  Metadata metadata;
  PoolId target;  // the IstioGateway named by scaleTargetRef, in the scaler's namespace
  Replicas min_replicas = 1;
  Replicas max_replicas = 1;  // >= min_replicas, <= kMaxReplicas
  std::vector<SignalDefinition> signals;
  sizing::Capacity capacity;
  std::vector<PolicyOptions> policies = DefaultPolicies();
  bool has_behavior = false;  // `behavior` was written: so a policy's guards may be others
  guards::Behavior behavior = guards::DefaultBehavior();
  Pace pace;
  std::optional<guards::Fallback> fallback;
  bool paused = false;
  bool dry_run = false;
  std::vector<AcceptedField> accepted;

  Location at;         // the document
  Location name_at;    // metadata.name
  Location target_at;  // spec.scaleTargetRef.name
};

}  // namespace tidegate::config
