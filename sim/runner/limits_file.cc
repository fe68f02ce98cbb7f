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
  fields.Finish();
}

void ReadObjective(const Value& value, MinuteObjective* objective) {
  Fields fields(value);
  if (const auto wait = fields.Get("waitSeconds")) {
    if (const auto amount = wait->Amount()) objective->wait_seconds = amount->value();
  }
  if (const auto share = fields.Get("goodShare")) {
    if (const auto amount = share->Amount()) objective->good_share = amount->value();
    if (objective->good_share > 1) share->Complain("expected a share of requests from 0 to 1");
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
