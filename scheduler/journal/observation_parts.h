#pragma once

#include <string>
#include <string_view>

#include "scheduler/journal/json_fields.h"
#include "scheduler/journal/observation_json.h"

// The parts of ParseObservations; used by observation_*.cc only.
namespace tidegate::journal {

// Precondition: there is a shape of that name.
const JsonShape& ShapeOf(std::string_view name);

// What every part needs to know.
struct PartContext {
  Instant now{};
  JsonProblems& problems;
};

constexpr JsonRange kReplicaRange{0, kMaxReplicas};
// Ages and windows: up to ten years.
constexpr JsonRange kSecondsRange{0, 315'360'000};

void ReadScaler(const boost::json::value& value, const std::string& path, PartContext context,
                decision::PoolSpec& spec);
// How the input says what runs.
enum class PoolForm { kReplicas, kCounts, kNothing };

// Also sets what the spec takes from the pool: id, revision, declared size.
PoolForm ReadPool(const boost::json::value& value, const std::string& path, PartContext context,
                  Observation& observation);
// After ReadPool: a reading of samples needs the replicas.
void ReadSignals(JsonFields& root, PartContext context, signals::PoolSnapshot& pool);
void ReadMemory(const boost::json::value& value, const std::string& path, PartContext context,
                Observation& observation);
// After ReadMemory. A pool of which only the size is given is taken to have all its replicas ready.
// Requests that were remembered by replica name say nothing about a pool without names.
void FinishPool(PartContext context, PoolForm form, Observation& observation);

}  // namespace tidegate::journal
