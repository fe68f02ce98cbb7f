#pragma once

#include <string>

#include "scheduler/config/problem.h"
#include "sim/report/limits.h"

namespace tidegate::sim {

// What a gate allows, as a file:
//
//   limits:
//     badMinutes: 2        # each may be left out
//     replicas: 20
//     replicaHours: 3.5
//     costMultiple: 2      # of the clairvoyant oracle's cost
//   objective:
//     wait: 1s
//     badFraction: 0.01
//
// Fields that are absent leave the value as it is. `limits` and `objective` are of use only where
// the problems are empty.
config::Problems LoadLimits(const std::string& path, Limits* limits, MinuteObjective* objective);

}  // namespace tidegate::sim
