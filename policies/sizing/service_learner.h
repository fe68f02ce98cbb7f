#pragma once

#include <optional>

#include "policies/base/fields.h"
#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "policies/sizing/queue_model.h"

namespace tidegate::sizing {

// How the mean service time of a pool is learned from what it does.
struct LearnOptions {
  bool enabled = true;
  // The estimate stays within [configured / most_factor, configured x most_factor]; >= 1.
  double most_factor = 4;
  // It moves by at most this fraction in a minute; > 0.
  double per_minute = 0.1;
  // Evidence fades with this time constant; > 0.
  Duration window{300'000};

  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{"enabled", "false: the configured service time is the truth"}, self.enabled);
    visit(Field{"mostFactor", "the estimate is within the configured time by this factor", 1, 100},
          self.most_factor);
    visit(Field{"perMinute", "the estimate moves by this fraction at most", 0.001, 10},
          self.per_minute);
    visit(Field{"windowSeconds", "evidence fades with this time constant", 10, 86'400},
          self.window);
  }
  bool operator==(const LearnOptions&) const = default;
};

// What is seen at an instant; unset where no usable reading says so.
struct PoolObserved {
  Instant now{};
  Replicas ready = 0;
  std::optional<Rate> rate{};        // requests per second
  std::optional<double> inflight{};  // requests inside, waiting included
  std::optional<double> latency{};   // seconds that 99 % of requests take at most
};

// What has been learned. A value of its own: nothing else is remembered.
struct ServiceMemory {
  double seconds = 0;   // the estimate; 0: nothing learned, the configured one counts
  double busy = 0;      // faded: sum of requests inside x seconds
  double requests = 0;  // faded: sum of requests
  double weight = 0;    // faded: seconds of evidence
  std::optional<Instant> at;
  bool operator==(const ServiceMemory&) const = default;

  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{"seconds", "the estimate; 0: none yet", 0, 1e6}, self.seconds);
    visit(Field{"busy", "requests inside x seconds, faded", 0, 1e18}, self.busy);
    visit(Field{"requests", "that went through, faded", 0, 1e18}, self.requests);
    visit(Field{"weight", "seconds of evidence, faded", 0, 1e9}, self.weight);
    visit(Field{"at", "of the last look"}, self.at);
  }
};

// The mean service time, in seconds, after one more look. `configured` gives workers, variation
// and the time to begin with.
//
// By Little's law requests inside / rate is the mean time that a request stays, and that is the
// service time while nobody waits. So a moment is evidence only if in the worst case (random
// balancing, M/G/w) the mean wait is at most a twentieth of the service time at
// utilization = inside / (ready x workers); with 8 workers and cv 0.5 up to 0.65. Both sums fade,
// and the estimate moves towards their quotient once a minute of evidence and 100 requests are
// there. Where nothing counts requests inside, a latency's 99th percentile stands in for them: the
// mean of a lognormal time with that percentile.
//
// Rates lag behind and requests inside are counted at one instant: both cancel in the sums, and the
// bounds above hold whatever they do.
double LearnService(const LearnOptions& options, const QueueModel& configured,
                    const PoolObserved& observed, ServiceMemory& memory);

}  // namespace tidegate::sizing
