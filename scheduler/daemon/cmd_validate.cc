#include "scheduler/daemon/cmd_validate.h"

#include <algorithm>
#include <iterator>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "scheduler/config/compile.h"
#include "scheduler/config/schedule.h"

namespace tidegate::daemon {
namespace {

namespace json = boost::json;
using config::Compiled;
using config::PoolManifest;
using decision::PoolSpec;

std::string Budget(const PoolSpec& spec, Replicas size) {
  const auto resolved = rollout::Resolve(spec.rollout.budget, size);
  return fmt::format("surge {} ({} at {}), unavailable {} ({} at {})",
                     ToString(spec.rollout.budget.surge), resolved.surge, size,
                     ToString(spec.rollout.budget.unavailable), resolved.unavailable, size);
}

// The manifest's own remarks, and those on the schedule.
std::vector<config::AcceptedField> Warnings(const PoolSpec& spec, const PoolManifest& manifest,
                                            Instant now) {
  std::vector<config::AcceptedField> warnings = manifest.gateway.warnings;
  std::ranges::move(config::ScheduleWarnings(spec, now), std::back_inserter(warnings));
  return warnings;
}

// When each load of the schedule comes next.
std::vector<std::string> ScheduleLines(const PoolSpec& spec, Instant now) {
  std::vector<std::string> lines;
  const sizing::ScheduleOptions* options = config::FindSchedule(spec.policies);
  if (options == nullptr) return lines;
  const double per_replica = sizing::ScheduledPerReplica(spec.targets, spec.capacity);
  for (const sizing::ScheduleEntry& entry : options->resolved.entries) {
    const sizing::Occurrences around = sizing::OccurrencesAt(entry, options->resolved, now);
    const bool on = around.begun && around.begun->end > now;
    const auto& shown = on ? around.begun : around.next;
    lines.push_back(
        fmt::format("{}: {} replicas, {}", entry.name, sizing::NeedAt(entry, 1, per_replica),
                    shown ? fmt::format("{} from {} to {}", on ? "now" : "next",
                                        FormatInstant(shown->begin), FormatInstant(shown->end))
                          : "never again"));
  }
  return lines;
}

void PrintPool(const PoolSpec& spec, const PoolManifest& manifest, Instant now, std::ostream& out) {
  out << fmt::format("{}: {} replicas declared, revision {}\n", ToString(spec.id), spec.declared,
                     spec.revision);
  if (spec.scaled) {
    out << fmt::format("  scaled by {} between {} and {}, sized by {}{}{}\n", manifest.scaler,
                       spec.guards.min, spec.guards.max, NamesOf(spec.policies),
                       spec.guards.paused ? ", paused" : "", spec.dry_run ? ", dry run" : "");
  } else {
    out << "  not scaled: no GatewayScaler names it\n";
  }
  for (const config::SignalDefinition& signal : manifest.signals) {
    const std::string source =
        signal.promql.empty() ? signal.preset + " " + Name(signal.metric) : signal.promql;
    out << fmt::format("  signal {}: {}, {}\n", signal.name, source,
                       signal.per_replica ? fmt::format("{} per replica", *signal.per_replica)
                                          : std::string("no target"));
  }
  for (const std::string& line : ScheduleLines(spec, now)) out << "  schedule " << line << "\n";
  out << "  budgets: " << Budget(spec, spec.scaled ? spec.guards.max : spec.declared) << "\n";
  for (const config::AcceptedField& field : manifest.gateway.accepted) {
    out << fmt::format("  accepted: {}: {}\n", field.path, field.remark);
  }
  for (const config::AcceptedField& field : Warnings(spec, manifest, now)) {
    out << fmt::format("  warning: {}: {}\n", field.path, field.remark);
  }
}

json::array RemarksJson(const std::vector<config::AcceptedField>& fields) {
  json::array array;
  for (const config::AcceptedField& field : fields) {
    array.push_back({{"path", field.path}, {"remark", field.remark}});
  }
  return array;
}

json::object PoolJson(const PoolSpec& spec, const PoolManifest& manifest, Instant now) {
  json::array signals;
  for (const config::SignalDefinition& signal : manifest.signals) {
    json::object object{{"name", signal.name}};
    if (!signal.promql.empty()) object["promql"] = signal.promql;
    if (!signal.preset.empty()) object["preset"] = signal.preset;
    if (!signal.preset.empty()) object["metric"] = Name(signal.metric);
    if (signal.per_replica) object["perReplica"] = *signal.per_replica;
    signals.push_back(std::move(object));
  }
  return {{"namespace", spec.id.ns},
          {"name", spec.id.name},
          {"revision", spec.revision},
          {"configVersion", spec.config_version},
          {"declared", spec.declared},
          {"scaler", manifest.scaler},
          {"sizedBy", spec.scaled ? NamesOf(spec.policies) : ""},
          {"min", spec.guards.min},
          {"max", spec.guards.max},
          {"rollingMaxSurge", ToString(spec.rollout.budget.surge)},
          {"rollingMaxUnavailable", ToString(spec.rollout.budget.unavailable)},
          {"signals", std::move(signals)},
          {"acceptedWithoutEffect", RemarksJson(manifest.gateway.accepted)},
          {"warnings", RemarksJson(Warnings(spec, manifest, now))}};
}

json::array ProblemsJson(const config::Problems& problems) {
  json::array array;
  for (const config::Problem& problem : problems.list()) {
    array.push_back({{"file", problem.file},
                     {"line", problem.line},
                     {"column", problem.column},
                     {"field", problem.field},
                     {"message", problem.message}});
  }
  return array;
}

void PrintJson(const Compiled& compiled, Instant now, std::ostream& out) {
  json::array pools;
  if (compiled.problems.empty()) {
    for (std::size_t i = 0; i < compiled.config.pools.size(); ++i) {
      pools.push_back(PoolJson(compiled.config.pools[i], compiled.config.manifests[i], now));
    }
  }
  const json::object result{{"ok", compiled.problems.empty()},
                            {"problems", ProblemsJson(compiled.problems)},
                            {"moreProblems", compiled.problems.more()},
                            {"pools", std::move(pools)}};
  out << json::serialize(result) << "\n";
}

}  // namespace

int RunValidate(const ValidateOptions& options, std::ostream& out, std::ostream& err) {
  const Compiled compiled = config::LoadAndCompile(options.paths, {});
  if (options.json) {
    PrintJson(compiled, options.now, out);
    return compiled.problems.empty() ? 0 : 2;
  }
  if (!compiled.problems.empty()) {
    err << compiled.problems.text();
    return 2;
  }
  for (std::size_t i = 0; i < compiled.config.pools.size(); ++i) {
    PrintPool(compiled.config.pools[i], compiled.config.manifests[i], options.now, out);
  }
  out << fmt::format("{} files, {} pools, no problems\n", compiled.config.files.size(),
                     compiled.config.pools.size());
  return 0;
}

}  // namespace tidegate::daemon
