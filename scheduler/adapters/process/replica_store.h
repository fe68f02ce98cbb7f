#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "policies/signals/snapshot.h"
#include "scheduler/adapters/process/gateway_process.h"
#include "scheduler/adapters/process/haproxy_config.h"

namespace tidegate::adapters {

// What the next daemon needs to know about a replica. Written before each thing that it announces
// is done: the record of a start exists before the process does.
struct ReplicaRecord {
  std::string name;
  Revision revision;
  ProcessIdentity process;  // pid 0: to be started, or started and not yet recorded
  signals::Phase phase = signals::Phase::kStarting;
  Instant since{};
  Instant started{};
  std::optional<Instant> ready_at;
  std::optional<Instant> drain_deadline;  // set while draining
  Duration drain_period{30'000};          // of the template that it was started from
  int maxconn = 0;
  int metrics_port = 0;
  std::vector<PortBinding> ports;
  std::string access_log_project;  // where its access log goes; empty: nowhere
  bool operator==(const ReplicaRecord&) const = default;
};

// The same for a pool's front, with what is needed to bring it back on the same ports.
struct FrontRecord {
  PoolId pool;
  ProcessIdentity process;   // pid 0: to be started, or started and not yet recorded
  ProcessIdentity replaces;  // with the list of ports before this one; stops when `process` listens
  std::vector<PortBinding> ports;
  Duration hard_stop{30'000};
  std::string export_cluster;  // kept so that discovery is whole before the first configuration
  bool operator==(const FrontRecord&) const = default;
};

std::string ToJson(const ReplicaRecord& record);
std::string ToJson(const FrontRecord& record);
// kInvalid says what is missing or of the wrong type.
Expected<ReplicaRecord> ParseReplicaRecord(std::string_view json);
Expected<FrontRecord> ParseFrontRecord(std::string_view json);

}  // namespace tidegate::adapters
