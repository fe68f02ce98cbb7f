#include "scheduler/adapters/process/replica_store.h"

#include <exception>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace tidegate::adapters {
namespace {

namespace json = boost::json;

constexpr int kVersion = 1;

json::array PortsToJson(const std::vector<PortBinding>& ports) {
  json::array array;
  for (const PortBinding& port : ports) {
    array.push_back(json::object{{"name", port.name}, {"port", port.port}});
  }
  return array;
}

std::vector<PortBinding> PortsFrom(const json::value& value) {
  std::vector<PortBinding> ports;
  for (const json::value& port : value.as_array()) {
    ports.push_back({std::string(port.at("name").as_string()), port.at("port").to_number<int>()});
  }
  return ports;
}

json::object ProcessToJson(const ProcessIdentity& process) {
  return {{"pid", process.pid}, {"start_ticks", process.start_ticks}};
}

ProcessIdentity ProcessFrom(const json::value& value) {
  return {value.at("pid").to_number<int>(), value.at("start_ticks").to_number<std::uint64_t>()};
}

json::value TimeToJson(const std::optional<Instant>& at) {
  return at ? json::value(UnixMillis(*at)) : json::value(nullptr);
}

std::optional<Instant> TimeFrom(const json::value& value) {
  if (value.is_null()) return std::nullopt;
  return FromUnixMillis(value.to_number<std::int64_t>());
}

signals::Phase PhaseFrom(const json::value& value) {
  using signals::Phase;
  for (const Phase phase : {Phase::kStarting, Phase::kReady, Phase::kDraining, Phase::kFailed}) {
    if (value.as_string() == signals::Name(phase)) return phase;
  }
  throw std::invalid_argument("no such phase");
}

// Boost.JSON throws for a missing member and a wrong type; no exception leaves this file.
template <class Record, class Read>
Expected<Record> Parse(std::string_view text, const char* what, Read read) {
  try {
    const json::value root = json::parse(json::string_view(text.data(), text.size()));
    if (root.at("version").to_number<int>() != kVersion) {
      return Fail(ErrorCode::kInvalid, fmt::format("{} is of another version", what));
    }
    return read(root);
  } catch (const std::exception& error) {
    return Fail(ErrorCode::kInvalid, fmt::format("{} is damaged: {}", what, error.what()));
  }
}

std::string Text(const json::value& value) { return std::string(value.as_string()); }

}  // namespace

std::string ToJson(const ReplicaRecord& record) {
  return json::serialize(json::object{{"version", kVersion},
                                      {"name", record.name},
                                      {"revision", record.revision},
                                      {"process", ProcessToJson(record.process)},
                                      {"phase", signals::Name(record.phase)},
                                      {"since", UnixMillis(record.since)},
                                      {"started", UnixMillis(record.started)},
                                      {"ready_at", TimeToJson(record.ready_at)},
                                      {"drain_deadline", TimeToJson(record.drain_deadline)},
                                      {"drain_period_ms", record.drain_period.count()},
                                      {"maxconn", record.maxconn},
                                      {"metrics_port", record.metrics_port},
                                      {"access_log_project", record.access_log_project},
                                      {"ports", PortsToJson(record.ports)}}) +
         "\n";
}

std::string ToJson(const FrontRecord& record) {
  return json::serialize(json::object{{"version", kVersion},
                                      {"namespace", record.pool.ns},
                                      {"pool", record.pool.name},
                                      {"process", ProcessToJson(record.process)},
                                      {"replaces", ProcessToJson(record.replaces)},
                                      {"hard_stop_ms", record.hard_stop.count()},
                                      {"export_cluster", record.export_cluster},
                                      {"ports", PortsToJson(record.ports)}}) +
         "\n";
}

Expected<ReplicaRecord> ParseReplicaRecord(std::string_view text) {
  return Parse<ReplicaRecord>(text, "the replica's record", [](const json::value& root) {
    ReplicaRecord record;
    record.name = Text(root.at("name"));
    record.revision = Text(root.at("revision"));
    record.process = ProcessFrom(root.at("process"));
    record.phase = PhaseFrom(root.at("phase"));
    record.since = TimeFrom(root.at("since")).value_or(Instant{});
    record.started = TimeFrom(root.at("started")).value_or(Instant{});
    record.ready_at = TimeFrom(root.at("ready_at"));
    record.drain_deadline = TimeFrom(root.at("drain_deadline"));
    record.drain_period = Duration(root.at("drain_period_ms").to_number<std::int64_t>());
    record.maxconn = root.at("maxconn").to_number<int>();
    record.access_log_project = Text(root.at("access_log_project"));
    record.metrics_port = root.at("metrics_port").to_number<int>();
    record.ports = PortsFrom(root.at("ports"));
    return record;
  });
}

Expected<FrontRecord> ParseFrontRecord(std::string_view text) {
  return Parse<FrontRecord>(text, "the front's record", [](const json::value& root) {
    FrontRecord record;
    record.pool = {Text(root.at("namespace")), Text(root.at("pool"))};
    record.process = ProcessFrom(root.at("process"));
    // Records of earlier versions don't have it.
    const json::value* replaces = root.as_object().if_contains("replaces");
    if (replaces != nullptr) record.replaces = ProcessFrom(*replaces);
    record.hard_stop = Duration(root.at("hard_stop_ms").to_number<std::int64_t>());
    record.export_cluster = Text(root.at("export_cluster"));
    record.ports = PortsFrom(root.at("ports"));
    return record;
  });
}

}  // namespace tidegate::adapters
