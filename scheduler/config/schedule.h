#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "policies/catalog.h"
#include "policies/sizing/keda.h"
#include "policies/sizing/schedule.h"
#include "scheduler/config/istio_gateway.h"
#include "scheduler/decision/decision.h"

namespace tidegate::config {

// What is wrong with one entry of a schedule.
struct ScheduleProblem {
  std::size_t entry = 0;
  std::string_view field;  // empty: the entry as a whole
  std::string message;
};

// Turns the entries of `options` into options.resolved: cron expressions parsed, local times
// placed, time zones read from the system. Everything that is wrong is reported; `resolved` is of
// use only where nothing is. Entries may overlap: the largest counts.
std::vector<ScheduleProblem> ResolveSchedule(sizing::ScheduleOptions& options);

// The options of the policy `schedule` among a pool's policies; null where it isn't there.
sizing::ScheduleOptions* FindSchedule(std::vector<PolicyOptions>& policies);
const sizing::ScheduleOptions* FindSchedule(const std::vector<PolicyOptions>& policies);

// The options of the policy `keda` among a pool's policies; null where it isn't there.
sizing::KedaOptions* FindKeda(std::vector<PolicyOptions>& policies);
// Turns its cron triggers into options.resolved, as ResolveSchedule does. Precondition: the
// policy's own check finds nothing wrong with them.
std::vector<sizing::OptionProblem> ResolveKeda(sizing::KedaOptions& options);

// What is right but probably not meant: dated events that are over, loads that maxReplicas can't
// serve.
std::vector<AcceptedField> ScheduleWarnings(const decision::PoolSpec& spec, Instant now);

}  // namespace tidegate::config
