#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "policies/base/expected.h"
#include "policies/signals/snapshot.h"
#include "scheduler/adapters/process/discovery.h"
#include "scheduler/adapters/process/pool_template.h"
#include "scheduler/ports/actuator.h"

namespace tidegate::adapters {

// Pools of HAProxy processes on this machine: each replica is a process of its own, and one HAProxy
// front per pool is its load balancer. A thread of the fleet does the work; all functions are
// thread-safe and return without waiting for processes.
//
// The processes belong to nobody's session and go on serving when the fleet, or the daemon around
// it, ends or crashes. The next fleet with the same state directory adopts them: nothing is started
// twice, and drains that had begun keep their deadline.
class ProcessFleet : public ports::Actuator {
 public:
  // Takes the state directory (StateLock) and adopts what runs. kConflict: another fleet has it.
  // kInvalid: an option makes no sense.
  static Expected<std::unique_ptr<ProcessFleet>> Open(ProcessFleetOptions options);
  // As Stop(false).
  ~ProcessFleet() override;
  ProcessFleet(const ProcessFleet&) = delete;
  ProcessFleet& operator=(const ProcessFleet&) = delete;

  // The pools that there should be. Each gets its front; replicas only come by Request(). A pool
  // that is missing is drained and its front stopped. kInvalid lists every problem of every pool,
  // and nothing is changed.
  Expected<void> Configure(std::vector<PoolTemplate> pools);

  // kNotFound: no such pool; kConflict: a start of a revision that is not the configured one, or
  // the state directory is another fleet's now; kInvalid: a replica name that can't be one.
  Expected<void> Request(Instant now, const PoolId& pool, const rollout::Step& step) override;

  // kConflict once another fleet has the state directory. This one then does nothing any more:
  // what was requested and not begun is forgotten, and all processes are the other's.
  Expected<void> CheckOwnership() const;

  // Sorted by name; requests that were accepted and not yet begun are in it.
  std::vector<signals::ReplicaView> Observe(const PoolId& pool) const;
  // Not empty: the pool's front can't be had, and why.
  std::string PoolError(const PoolId& pool) const;
  // "127.0.0.1:34567". kNotFound: no such pool or port, or (shortly after Configure) not yet.
  Expected<std::string> FrontAddress(const PoolId& pool, const std::string& port_name) const;

  // All of a pool's addresses, by port name; ports whose address is not known yet are missing.
  std::map<std::string, std::string> FrontAddresses(const PoolId& pool) const;

  // What Prometheus should scrape: replicas of pools with an export cluster, from when they answer
  // until they are gone, draining ones too. By pool, then name.
  std::vector<ScrapeTarget> Targets() const;
  // The same as the body of an HTTP service discovery endpoint.
  std::string TargetsJson() const;

  // Process ids, for status and tests. The front's is 0 while it doesn't run.
  std::map<std::string, int> Pids(const PoolId& pool) const;
  int FrontPid(const PoolId& pool) const;

  // Ends the fleet's thread. With `drain`, all pools are drained and stopped before, which takes up
  // to their drain deadlines; without, everything keeps running for the next fleet.
  void Stop(bool drain);

 private:
  class Core;
  explicit ProcessFleet(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace tidegate::adapters
