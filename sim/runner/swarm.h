#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/instant.h"

namespace tidegate::sim {

// A part of the decision code that is wrong on purpose: proof that the swarm finds such.
enum class PlantedBug {
  kNone,
  kPlanner,    // one more replica of surge than the budget allows
  kEstimator,  // says that partial and stale readings are ok
  kRestore,    // loses what was requested and not seen yet, and counts names from 1 again
  kFence,      // takes steps of a daemon from which another one has taken the pool
};
const char* Name(PlantedBug bug);  // "none", "planner", "estimator", "restore", "fence"
std::optional<PlantedBug> ParsePlantedBug(std::string_view name);

struct SwarmOptions {
  PlantedBug bug = PlantedBug::kNone;
  // Is told, a line at a time, what happens: decisions, requests, replicas' phases. May be empty.
  std::function<void(const std::string&)> trace;
};

struct SwarmViolation {
  Instant at{};
  std::string rule;  // "B1" to "B5", "name", "requests", "time", "memory", "reading", "convergence"
  std::string what;
};

// What came of one life.
struct SwarmLife {
  std::uint64_t seed = 0;
  std::string digest;  // of all state after every tick and of all that happened to replicas
  std::vector<SwarmViolation> violations;
  std::string faults;  // one line
  int ticks = 0;
  int steps = 0;
  int restarts = 0;      // of the daemon
  int takeovers = 0;     // by a second daemon
  int fenced = 0;        // steps of daemons that had been replaced, refused
  int deaths = 0;        // replicas that failed
  int readings = 0;      // that were held against the truth
  bool settled = false;  // or ended in a deadlock that the plan announced
};

// One life of one pool under the daemon's own control loop, everything drawn from the seed: load,
// budgets, quota, delays and faults. Two daemons at once are among these, with what keeps the
// replaced one from acting; how one comes to be replaced that still lives, scheduler/adapters/
// process/state_lock.h says. Faults stop after two minutes, and then the pool must settle.
// Checked on the way: budgets B1-B5 by BudgetCheck at every event; that requests are conserved,
// that time does not run backwards and that memory stays bounded; that a reading which says "ok" is
// no less than half of the least that was truly served in any second of the last six scrape
// intervals, nor more than twice the most of the last two minutes.
SwarmLife RunSwarmLife(std::uint64_t seed, const SwarmOptions& options = {});

// The violations with the command that shows them again; empty if there are none.
std::string Explain(const SwarmLife& life, const SwarmOptions& options);

// What came of many.
struct SwarmTotals {
  std::uint64_t lives = 0;
  int violated = 0;  // lives with a violation
  std::int64_t ticks = 0;
  std::int64_t steps = 0;
  std::int64_t restarts = 0;
  std::int64_t takeovers = 0;
  std::int64_t fenced = 0;
  std::int64_t deaths = 0;
  std::int64_t readings = 0;
  std::uint64_t digest = 14695981039346656037U;  // of all lives' digests, in order
  std::vector<SwarmLife> bad;                    // those with a violation

  void Add(const SwarmLife& life);
};
std::string ToText(const SwarmTotals& totals);
std::string ToJson(const SwarmTotals& totals);

}  // namespace tidegate::sim
