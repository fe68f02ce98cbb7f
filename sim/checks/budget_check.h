#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/int_or_percent.h"
#include "policies/base/units.h"
#include "policies/signals/snapshot.h"
#include "scheduler/rollout/plan.h"

namespace tidegate::sim {

// What a pool's budgets promise.
struct BudgetPromise {
  IntOrPercent surge;
  IntOrPercent unavailable;
  bool rolling_up = true;    // B3 holds while growing
  bool rolling_down = true;  // B3 holds while shrinking
  Duration progress_deadline{60'000};
  std::optional<Duration> drain_deadline;  // unset: B5's deadline is not checked
};

struct BudgetBreach {
  Instant at{};
  std::string rule;  // "B1" to "B5", or "name" for a name that is used twice
  std::string what;
};

// Watches one pool from outside and says where a budget was broken: an account of its replicas that
// is kept from requests and from what truly happens, by the text of the budgets alone; it shares no
// code with the planner. A value: copy it to try what other orders of requests would do.
//
// Two views are kept of each replica. B1, B4 and B5 are judged on the truth, and a start that was
// requested counts from the request on, for as long as it may still come to be. B2 and B3 are
// judged on what the last observation showed, since nobody can spare a replica that failed a moment
// ago unseen.
//
// "Declared", where the budgets speak of it, is the size that waves have brought the pool to:
// requested starts raise it up to desired; while it is above desired, drains and losses lower it.
// What a tick's requests make of it does not depend on their order.
class BudgetCheck {
 public:
  explicit BudgetCheck(const BudgetPromise& promise) : promise_(promise) {}

  // A tick begins: this is wanted, and this is what the fleet showed. Desired is taken to be at
  // most the quota. The first call takes the replicas for the truth, and their number as declared.
  void Observe(Instant at, const Revision& revision, Replicas desired,
               std::optional<Replicas> quota, std::span<const signals::ReplicaView> seen);
  // A step was requested. Judged at once, whether it will be taken or not.
  void Request(Instant at, const rollout::Step& step);
  // The truth changed.
  void Entered(Instant at, std::string_view replica, signals::Phase phase);
  void Gone(Instant at, std::string_view replica);
  // Time passed.
  void At(Instant at);

  const std::vector<BudgetBreach>& breaches() const { return breaches_; }
  Replicas declared() const { return declared_; }
  Replicas live() const;       // in truth, with requested starts
  Replicas available() const;  // as seen, without those asked to leave

  // What is kept of one replica.
  struct Entry {
    std::string name;
    std::optional<signals::Phase> truth;  // unset: requested, not there yet
    std::optional<signals::Phase> seen;   // unset: never seen
    bool gone = false;
    bool old_revision = false;
    bool was_ready = false;
    bool overdue = false;  // never came to be, as of the tick before
    bool leaving = false;  // drain requested
    bool shrink = false;   // because of a shrink
    Instant starting_since{};
    Instant draining_since{};
    Instant drain_asked{};  // the last time
  };
  const std::vector<Entry>& entries() const { return entries_; }
  // The size that B1 is judged against: declared(), but falling only as replicas truly leave.
  Replicas ceiling() const { return ceiling_; }

 private:
  Entry* Find(std::string_view replica);
  Replicas Staying() const;
  Replicas Starting() const;
  Replicas ShrinkDrains() const;
  void See(Instant at, const signals::ReplicaView& view);
  void GiveUp(Instant at, Entry& entry);
  void Settle();
  void CheckLive(Instant at);
  void CheckStart(Instant at, const std::string& replica, bool growth);
  void CheckDrain(Instant at, const Entry& entry);
  void Start(Instant at, const rollout::Step& step);
  void Drain(Instant at, const rollout::Step& step);
  void Breach(Instant at, const char* rule, std::string what);

  BudgetPromise promise_;
  Revision revision_;
  Replicas desired_ = 0;
  std::optional<Replicas> quota_;
  Replicas declared_ = 0;         // by what was requested
  Replicas declared_before_ = 0;  // as the tick began, before its requests
  Replicas ceiling_ = 0;          // by what is there in truth; falls later
  bool observed_ = false;
  std::vector<Entry> entries_;
  std::vector<BudgetBreach> breaches_;
};

}  // namespace tidegate::sim
