#pragma once

#include <optional>

#include "policies/base/fields.h"
#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "policies/sizing/service_learner.h"

namespace tidegate::sizing {

// Whether more replicas serve more. Where a service behind the gateways is at its limit, each
// request stays long, all workers are busy, and every replica that is added is busy at once without
// anything more being served: growth without end. So growth is an experiment: what is served is
// noted when the pool is first seen full (requests inside >= ready x workers), and looked at again
// when a quarter more replicas have been ready for a while. Where they brought less than a quarter
// of their share, the pool is not what is short, and it stays as large as it is:
//   served / served then - 1 < (ready / ready then - 1) / 4.
// It is free again when it is full no longer (inside < 0.8 x ready x workers), when a tenth more is
// served than at the judgement, or after a time, to try again; twice as long after each try that
// brought nothing, up to 32 times.
struct BottleneckOptions {
  Duration settle{60'000};  // from the growth to the judgement: the windows of rates; > 0
  Duration hold{600'000};   // before the first other try; > 0

  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{"settleSeconds", "from growth to judgement", 1, 3'600}, self.settle);
    visit(Field{"holdSeconds", "before growth is tried again", 1, 86'400}, self.hold);
  }
  bool operator==(const BottleneckOptions&) const = default;
};

struct BottleneckMemory {
  std::optional<Instant> full_since;  // unset: the pool is not full
  Replicas ready = 0;                 // then
  Rate served = 0;                    // then
  std::optional<Instant> grown_at;    // when a quarter more were ready
  std::optional<Instant> held_since;  // judged: something behind the pool is short
  int in_vain = 0;                    // judgements in a row that the pool is not what is short
  bool operator==(const BottleneckMemory&) const = default;

  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{"fullSince", "when the pool was first seen full"}, self.full_since);
    visit(Field{"ready", "replicas then", 0, kMaxReplicas}, self.ready);
    visit(Field{"served", "requests per second then", 0, 1e15}, self.served);
    visit(Field{"grownAt", "when a quarter more were ready"}, self.grown_at);
    visit(Field{"heldSince", "when growth was found to bring nothing"}, self.held_since);
    visit(Field{"inVain", "times in a row", 0, 6}, self.in_vain);
  }
};

// After one more look: true while the pool should not grow. Needs the rate and the requests inside;
// without them nothing changes. Precondition: workers >= 1.
bool IsBehindThePool(const BottleneckOptions& options, int workers, const PoolObserved& observed,
                     BottleneckMemory& memory);

}  // namespace tidegate::sizing
