#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/units.h"

namespace tidegate::testing {

// One server line of the front's `show stat`.
struct FrontServer {
  std::string status;         // "UP", "DOWN", "MAINT", "UP 1/2", ...
  std::int64_t sessions = 0;  // ever
  bool operator==(const FrontServer&) const = default;
};

// What could be seen of one pool from outside at an instant: the front's own table and the
// machine's processes.
struct PoolSight {
  Instant at{};
  std::map<std::string, FrontServer> front;  // by replica
  std::map<std::string, int> processes;      // replica -> pid
};

// Parses `show stat` (CSV); servers of all backends, by name, the worst status of each.
std::map<std::string, FrontServer> ParseFrontStat(const std::string& csv);

// Watches one pool about 20 times a second, through the front's runtime socket and /proc, and
// nothing that the daemon says. Runs a thread of its own until it is stopped or destroyed.
class FrontWatcher {
 public:
  // `pool_dir` is the pool's folder below the daemon's state folder; it need not exist yet.
  explicit FrontWatcher(std::filesystem::path pool_dir);
  ~FrontWatcher();
  FrontWatcher(const FrontWatcher&) = delete;
  FrontWatcher& operator=(const FrontWatcher&) = delete;

  void Stop();
  // What has been seen so far; equal neighbours are kept once.
  std::vector<PoolSight> Sights() const;
  PoolSight Latest() const;

 private:
  void Run();

  std::filesystem::path pool_dir_;
  mutable std::mutex mutex_;
  std::vector<PoolSight> sights_;
  PoolSight latest_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

// HAProxy processes whose command line names a file below `dir`, fronts too.
std::vector<int> ProcessesBelow(const std::filesystem::path& dir);

// Processes whose command line names a configuration file below `pool_dir`/REPLICA/, by replica.
std::map<std::string, int> ReplicaProcesses(const std::filesystem::path& pool_dir);

}  // namespace tidegate::testing
