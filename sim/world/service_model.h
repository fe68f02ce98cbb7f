#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "policies/base/instant.h"
#include "sim/engine/service_time.h"
#include "sim/world/arrival_stream.h"

namespace tidegate::sim {

// Which ready replica a request goes to.
enum class Balancing {
  kRoundRobin,
  kRandom,
  kLeastOfTwo,  // that with fewer requests inside of two drawn at random
  kLeast,       // that with the fewest requests inside; costs time in proportion to replicas
  // As kLeast while one has a free worker. Then requests wait in one line before all replicas, and
  // go to whichever has a free worker first, one that got ready meanwhile too: HAProxy's leastconn
  // with a maxconn for each server, as the fronts of pools that the daemon runs itself have it.
  kOneLine,
};

// Clients that try again when they got no answer.
struct RetryModel {
  int attempts = 1;            // in all, with the first one; >= 1
  double backoff_seconds = 0;  // from the failure to the next attempt; doubles with each; >= 0
  // Retries are at most this share of requests, as Envoy's and Finagle's retry budgets have it;
  // ten more at once are always allowed. 0 .. 1
  double budget = 0.2;
  bool operator==(const RetryModel&) const = default;
};

// What only single requests have; a fluid knows nothing of it.
struct RequestModel {
  ArrivalModel arrivals;
  ServiceKind distribution = ServiceKind::kExponential;
  double variation = 1;  // as ServiceTime's
  std::vector<double> empirical_seconds;
  Balancing balancing = Balancing::kLeastOfTwo;
  static constexpr std::size_t kNoLimit = SIZE_MAX;
  std::size_t queue_limit = kNoLimit;  // requests that may wait in one line
  RetryModel retries;
  // Clients that keep connections open: each request comes over one of so many, at random, and
  // goes to the replica that the connection is bound to. 0: each request is balanced by itself.
  std::uint32_t connections = 0;
  std::uint32_t requests_per_connection = 1'000;  // then it is closed and balanced anew; >= 1
  double slow_share = 0;                          // of replicas that are slow; 0 .. 1
  double slow_factor = 1;                         // their service times take so many times as long
  // An answer that takes longer, queueing included, counts as slow.
  double objective_seconds = 0.25;
};

// How a replica works and how long its transitions take.
struct ServiceModel {
  int workers = 8;                // requests in progress in one replica; >= 1
  double service_seconds = 0.05;  // of one request, mean; > 0
  double patience_seconds = 10;   // a request that would wait longer is lost; > 0
  Duration startup{1'000};        // from start to ready, mean
  double startup_variation = 0;   // standard deviation over mean, lognormal; 0 .. 2
  // Readiness is probed this often, at a phase of its own for each replica; 0: noticed at once.
  Duration readiness_quantum{0};
  Duration drain{1'000};  // from drain to gone
  RequestModel requests;
  // Requests per second that one replica serves at most: workers / service time.
  double capacity() const { return workers / service_seconds; }
};

// From a start to ready, probes included, of the pool's nth start. Equal seeds give equal times.
// At most ten times the mean and the quantum.
Duration StartupOf(const ServiceModel& model, std::uint64_t seed, std::uint64_t nth);

}  // namespace tidegate::sim
