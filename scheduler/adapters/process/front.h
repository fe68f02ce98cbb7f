#pragma once

#include <csignal>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "policies/base/expected.h"
#include "scheduler/adapters/process/gateway_process.h"
#include "scheduler/adapters/process/pool_template.h"
#include "scheduler/adapters/process/replica_store.h"
#include "scheduler/adapters/process/runtime_api.h"

namespace tidegate::adapters {

// A replica in the front's backends: one server in each backend that the replica has a port for.
struct FrontMember {
  bool anywhere = false;     // in at least one backend
  bool everywhere = true;    // in each backend that it should be in
  bool up = true;            // in all of them
  bool maintenance = false;  // in any of them
};

// A pool's load balancer: one HAProxy process that keeps its ports, and whose servers come and go
// through the runtime API. When the pool's list of ports changes, a successor takes the listeners
// over, so that no connection to a port that stays is lost, and tells its predecessor to finish its
// requests and go. A port that is no longer listed is closed with the predecessor's listeners: what
// was accepted there is finished, a connection that comes at that very instant is reset. The record
// is on disk before the process is. Not thread-safe.
class Front {
 public:
  // Files go to `directory`, which exists.
  Front(std::string directory, const ProcessFleetOptions& options);

  // Takes over what an earlier run left; a process that no record names is stopped softly.
  Expected<void> Recover(const ProcessTable& processes);
  // The pool's wishes; takes effect in Keep().
  Expected<void> Configure(const PoolTemplate& pool);
  // True once there is something to run.
  bool configured() const { return !record_.ports.empty(); }

  // The replicas that serve; asked for when a process starts.
  using Serving = std::function<std::vector<ReplicaRecord>()>;
  // Starts the process if it isn't running, or its successor if the list of ports has changed, once
  // its backoff is over. A new process has the servers of `serving` from the start; all others
  // are to be added again.
  Expected<void> Keep(SteadyTime now, const Serving& serving);
  // Whether the runtime API can be spoken to; looks at the process, too.
  bool Answers();
  // Servers by replica name, over the backends in `ports`.
  Expected<std::vector<ServerState>> Servers() const;
  // Adds the replica to the backends that it has a port for, ready to take requests.
  Expected<void> Add(const ReplicaRecord& replica);
  // Takes requests away from these servers and deletes them; a server with requests in progress
  // stays in maintenance until a later call finds them done. Safe to repeat.
  Expected<void> Remove(const std::vector<ServerState>& servers);

  // Signals the process that runs and its predecessors.
  void Stop(int signal);
  // Kills a process that no longer answers; Keep() starts another one.
  void Kill() { process_.Signal(SIGKILL); }
  bool gone() const { return !process_.running() && predecessors_.empty(); }
  bool running() const { return process_.running(); }
  bool has_predecessors() const { return !predecessors_.empty(); }
  // True if a process died since the last call.
  bool TakeExits();
  void CollectWaitFds(std::vector<int>& fds) const;
  // True while it runs and has not answered yet, or is about to be started again.
  bool unsettled() const { return configured() && !answered_; }

  const FrontRecord& record() const { return record_; }
  int pid() const { return process_.running() ? process_.identity().pid : 0; }
  bool HasPort(const std::string& port_name) const;

 private:
  Expected<void> Start(const Serving& serving);
  std::vector<ServerSetup> ServersOf(const ReplicaRecord& replica) const;
  Expected<void> Save();
  Expected<std::vector<PortBinding>> Bind(const PoolTemplate& pool);

  std::string directory_;
  const ProcessFleetOptions& options_;
  RuntimeApi api_;
  FrontRecord record_;
  GatewayProcess process_;
  std::vector<GatewayProcess> predecessors_;
  std::vector<ReservedPort> reserved_;  // until the process listens
  bool answered_ = false;
  bool replace_ = false;  // another list of ports: the process needs a successor
  int takeovers_ = 0;     // tries to take listeners over; 0: no predecessor has any left
  SteadyTime started_{};
  SteadyTime retry_at_{};
  Duration backoff_{0};
};

// How the replica stands in the front, from one look at the servers.
FrontMember MemberOf(const ReplicaRecord& replica, const Front& front,
                     const std::vector<ServerState>& servers);

}  // namespace tidegate::adapters
