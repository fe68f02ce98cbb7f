#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/int_or_percent.h"
#include "policies/base/units.h"
#include "policies/signals/snapshot.h"

namespace tidegate::rollout {

struct Budget {
  IntOrPercent surge{100, true};
  IntOrPercent unavailable{25, true};
  bool operator==(const Budget&) const = default;
};

// Budgets in replicas, for a pool of one size. Kubernetes's rounding: surge up, unavailable down,
// and if both come out as 0 then unavailable is 1.
struct ResolvedBudget {
  Replicas surge = 0;
  Replicas unavailable = 0;
};
ResolvedBudget Resolve(const Budget& budget, Replicas size);

enum class Pace {
  kRolling,    // B3: waves gated by readiness
  kImmediate,  // B3 lifted in this direction
};

struct Options {
  Budget budget;
  Pace up = Pace::kRolling;
  Pace down = Pace::kRolling;
  Duration progress_deadline{60'000};  // a start that is not ready by then has failed
  Duration backoff_min{1'000};         // wait after the first failed start; doubles each time
  Duration backoff_max{300'000};
  Duration min_ready{10'000};     // a replica that served this long was no failed start
  std::optional<Replicas> quota;  // B4: bound on live + draining
  bool operator==(const Options&) const = default;
};

enum class StepKind { kStart, kDrain };
enum class StepReason {
  kGrow,        // start: the pool grows
  kReplace,     // start: in place of one that failed
  kRollout,     // start of the new revision, drain of an old one
  kShrink,      // drain: the pool shrinks
  kFailed,      // drain: it failed
  kNeverReady,  // drain: not ready by its progress deadline
  kSuperseded,  // drain: of an old revision and never ready
  kRepeat,      // a request made before that the fleet does not show yet
};
const char* Name(StepKind kind);
const char* Name(StepReason reason);

// One replica to start or to drain. Requests are idempotent: the replica's name is the key.
struct Step {
  StepKind kind = StepKind::kStart;
  std::string replica;
  Revision revision;
  StepReason reason = StepReason::kGrow;
  bool operator==(const Step&) const = default;
};

// Something that ought to happen and may not yet.
struct Deferred {
  StepKind kind = StepKind::kStart;
  Replicas count = 0;
  std::string why;  // "B1: 6 live of at most 6", "backoff: 2 failed starts, next at ..."
  bool operator==(const Deferred&) const = default;
};

// How much of each budget is used once the plan's steps are taken.
struct BudgetUse {
  Replicas surge = 0;  // live above the size
  Replicas surge_limit = 0;
  Replicas unavailable = 0;  // desired - available, where positive
  Replicas unavailable_limit = 0;
  Replicas live_limit = 0;       // B1
  Replicas available_floor = 0;  // B2
  bool operator==(const BudgetUse&) const = default;
};

// What the whole way to the goal looks like, if every start becomes ready.
struct Foresight {
  Replicas peak_live = 0;
  Replicas least_available = 0;
  int waves = 0;         // groups of starts that wait for the previous group's readiness
  std::string deadlock;  // not empty: why the goal can't be reached, and what would help
  bool operator==(const Foresight&) const = default;
};

// A request that the fleet accepted (or may have accepted) and does not show yet.
struct Pending {
  StepKind kind = StepKind::kStart;
  std::string replica;
  Revision revision;
  Instant at{};
  bool operator==(const Pending&) const = default;
};

// What the planner remembers between ticks. A value: copied, hashed, checkpointed.
struct State {
  Replicas size = 0;              // that waves have brought the pool to; B1's "declared"
  std::int64_t next_ordinal = 1;  // of replica names; never goes back
  std::vector<Pending> pending;   // sorted by replica
  std::vector<std::string> counted_failures;  // still visible, counted already; sorted
  Revision failing;                           // the revision that the next two speak of
  int failed_starts = 0;                      // in a row
  Instant retry_at{};                         // no start of that revision before
  bool operator==(const State&) const = default;
};

struct Input {
  Instant now{};
  PoolId pool;  // replica names begin with its name
  Replicas desired = 0;
  Revision revision;  // of the template that the pool should run
  std::span<const signals::ReplicaView> replicas;
};

struct Plan {
  // Due now. Any subset of them, taken in any order, keeps B1-B5: starts don't count on drains of
  // the same plan.
  std::vector<Step> steps;
  std::vector<Deferred> deferred;
  BudgetUse use;
  Foresight foresight;
  bool complete = false;  // size and revision are reached, nothing starts or drains
  bool operator==(const Plan&) const = default;
};

// What the state was counted from, so that steps that are refused can be taken out of it again.
struct StepBasis {
  Replicas size = 0;              // before the steps
  Replicas held = 0;              // replicas that nobody had asked to leave, before the steps
  Replicas goal = 0;              // of the steps
  std::vector<Pending> repeated;  // drains that the steps repeat, as they were before
};

struct Planned {
  Plan plan;
  State state;  // as it is once the steps have been requested
  StepBasis basis;
};

// Plans scaling and template rollout together, from what the fleet shows now. Pure; call it each
// tick.
Planned MakePlan(const Input& input, const Options& options, State state);

// Takes refused steps of `plan` out of `state`, which is that plan's: they hold no budget, and the
// size is what the other steps alone have made of it; else a refused growth would be made up for as
// a loss, in one wave. A repeat that is refused changes nothing: what it repeats may have been
// taken, and is no younger for it.
void TakeBack(const Plan& plan, const std::vector<Step>& refused, const StepBasis& basis,
              State& state);

}  // namespace tidegate::rollout
