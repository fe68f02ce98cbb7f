#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policies/base/expected.h"
#include "policies/signals/snapshot.h"
#include "scheduler/adapters/process/access_log.h"
#include "scheduler/adapters/process/discovery.h"
#include "scheduler/adapters/process/front.h"
#include "scheduler/adapters/process/health_probe.h"
#include "scheduler/adapters/process/pool_template.h"
#include "scheduler/adapters/process/replica_store.h"

namespace tidegate::adapters {

// What others may see of a pool; a copy is handed out of the fleet's thread.
struct PoolReport {
  std::vector<signals::ReplicaView> replicas;    // sorted by name
  std::map<std::string, std::string> addresses;  // of the front, by port name
  std::vector<ScrapeTarget> targets;
  std::map<std::string, int> pids;  // of replicas that run
  int front_pid = 0;
  std::string error;  // not empty: the front can't be had
};

// Brings one pool of processes to where it was asked to be, a little at a time. The order that
// makes leaving loss-free is kept here: out of the front (maintenance, deletion once its requests
// are done), then soft stop, then SIGKILL at the drain deadline. Not thread-safe.
//
// Each step is written to disk before it is taken, so that a runner that recovers from the same
// directory goes on where this one was stopped, at any instant.
class PoolRunner {
 public:
  PoolRunner(PoolId id, const ProcessFleetOptions& options);

  // "<state_dir>/<namespace>_<pool>".
  static std::string Directory(const ProcessFleetOptions& options, const PoolId& id);
  // Takes over what an earlier run left in the pool's directory.
  Expected<void> Recover(const ProcessTable& processes, Instant wall);
  Expected<void> Configure(PoolTemplate pool);
  // The pool is gone from the configuration: drains all, then stops the front.
  void Retire(Instant wall);
  // Idempotent by name.
  Expected<void> StartReplica(const std::string& name, const Revision& revision, Instant wall);
  Expected<void> DrainReplica(const std::string& name, Instant wall);

  // Does all that can be done now without waiting. Returns when to be called again at the latest;
  // earlier if one of CollectWaits() is ready.
  SteadyTime Advance(SteadyTime now, Instant wall);
  struct Wait {
    int fd = -1;
    short events = 0;
  };
  void CollectWaits(std::vector<Wait>& waits) const;

  PoolReport Report() const;
  // True once after each change that the planner should know of.
  bool TakeChanged();
  // Nothing runs any more and the directory is removed.
  bool gone() const { return gone_; }

 private:
  struct Replica {
    ReplicaRecord record;
    GatewayProcess process;
    std::vector<ReservedPort> reserved;  // until it listens
    std::optional<HealthProbe> probe;
    std::optional<AccessLog> log;
    SteadyTime next_probe{};
    bool healthy = false;       // has answered its health path
    bool deregistered = false;  // draining, and the front has nothing of it left
    bool stopping = false;      // out of the front, told to stop
    bool killed = false;
    std::optional<SteadyTime> broken_since;  // with ProcessFault::kDrainOrder: when it died
  };

  std::string ReplicaDirectory(const std::string& name) const;
  Expected<void> RecoverReplica(const std::string& name, const ProcessTable& processes,
                                Instant wall);
  Expected<void> Save(const Replica& replica) const;
  Expected<void> Spawn(Replica& replica);
  void OpenAccessLog(Replica& replica) const;
  void MoveAccessLogs();
  void SetPhase(Replica& replica, signals::Phase phase, Instant wall);
  void Warn(const std::string& text);
  bool WarnIfFailed(const Expected<void>& result);

  void TakeExits(Instant wall);
  void AdvanceStarts(Instant wall);
  void Probe(Replica& replica);
  void AdvanceFront(Instant wall);
  void LookAtFront(Instant wall);
  void NoteFront(const Expected<void>& result);
  void Reconcile(const std::vector<ServerState>& servers, Instant wall);
  void RemoveStrangers(const std::vector<ServerState>& servers);
  void ReconcileOne(Replica& replica, const std::vector<ServerState>& servers, Instant wall);
  bool MayServe(const Replica& replica) const;
  std::vector<ReplicaRecord> Serving() const;
  void AdvanceDrain(Replica& replica, Instant wall);
  void RemoveFinished();
  void AdvanceRetirement(Instant wall);
  bool InTransition() const;
  SteadyTime NextDue(Instant wall) const;

  PoolId id_;
  const ProcessFleetOptions& options_;
  std::string directory_;
  std::optional<PoolTemplate> template_;
  Front front_;
  std::map<std::string, Replica> replicas_;
  SteadyTime now_{};
  SteadyTime next_look_{};
  std::string last_warning_;
  std::string front_error_;
  bool front_stuck_ = false;                      // it let a command time out in this look
  std::optional<SteadyTime> front_silent_since_;  // since when it has answered nothing
  bool retiring_ = false;
  std::optional<Instant> front_deadline_;  // of the retiring front
  bool changed_ = true;
  bool gone_ = false;
};

}  // namespace tidegate::adapters
