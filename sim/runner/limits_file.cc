#include "sim/runner/limits_file.h"

#include <memory>

#include "scheduler/config/fields.h"
#include "sim/runner/yaml_file.h"

namespace tidegate::sim {
namespace {

using config::Fields;
using config::Value;

void ReadLimits(const Value& value, Limits* limits) {
  Fields fields(value);
  if (const auto minutes = fields.Get("badMinutes")) {
    if (const auto amount = minutes->Amount()) limits->bad_minutes = amount->value();
  }
  fields.OptionalInt("replicas", {0, kMaxReplicas, "a number of replicas"}, &limits->replicas);
  if (const auto hours = fields.Get("replicaHours")) {
    if (const auto amount = hours->Amount()) limits->replica_hours = amount->value();
  }
  if (const auto multiple = fields.Get("costMultiple")) {
    if (const auto amount = multiple->Amount()) limits->cost_multiple = amount->value();
  }
  fields.Finish();
}

void ReadObjective(const Value& value, MinuteObjective* objective) {
  Fields fields(value);
  if (const auto given = fields.Get("wait")) {
    const auto wait = given->Time({Duration(0), std::chrono::hours(1)});
    if (wait) objective->wait_seconds = Seconds(*wait);
  }
  if (const auto share = fields.Get("badFraction")) {
    if (const auto amount = share->Amount()) objective->bad_fraction = amount->value();
    if (objective->bad_fraction > 1) share->Complain("expected a share of requests from 0 to 1");
  }
  fields.Finish();
}

}  // namespace

config::Problems LoadLimits(const std::string& path, Limits* limits, MinuteObjective* objective) {
  config::Problems problems;
  const auto document = ReadOneDocument(path, "with limits", problems);
  if (!document) return problems;
  const config::Context context{document->file, &problems};
  const Value value(context, document->node, config::Path());
  Fields fields(value);
  if (const auto given = fields.Need("limits")) ReadLimits(*given, limits);
  if (const auto given = fields.Get("objective")) ReadObjective(*given, objective);
  fields.Finish();
  problems.Sort();
  return problems;
}

}  // namespace tidegate::sim
