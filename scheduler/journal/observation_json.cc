#include "scheduler/journal/observation_json.h"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "policies/base/check.h"
#include "scheduler/journal/json_text.h"
#include "scheduler/journal/observation_parts.h"

namespace tidegate::journal {
namespace {

namespace json = boost::json;
using Names = std::string_view[];

constexpr std::size_t kMostObservations = 100'000;

constexpr Names kInput = {"now", "scaler", "pool", "signals", "memory"};
constexpr Names kScaler = {"minReplicas", "maxReplicas", "signals", "policies",
                           "behavior",    "fallback",    "paused",  "dryRun",
                           "budgets",     "pace",        "quota",   "capacity"};
constexpr Names kCapacity = {
    "workers",      "serviceTimeSeconds", "serviceTimeVariation", "latencyObjectiveSeconds",
    "latencyShare", "balancing"};
constexpr Names kTarget = {"name", "target", "measure"};
constexpr Names kBehavior = {"scaleUp", "scaleDown"};
constexpr Names kRules = {"stabilizationWindowSeconds", "selectPolicy", "policies", "tolerance"};
constexpr Names kScalingPolicy = {"type", "value", "periodSeconds"};
constexpr Names kFallback = {"afterSeconds", "replicas", "behavior"};
constexpr Names kBudgets = {"rollingMaxSurge", "rollingMaxUnavailable"};
constexpr Names kPace = {"up", "down", "progressDeadlineSeconds", "minReadySeconds", "backoff"};
constexpr Names kBackoff = {"minSeconds", "maxSeconds"};
constexpr Names kPool = {"namespace", "name",     "declared", "revision", "replicas", "counts",
                         "ready",     "starting", "draining", "failed",   "error"};
constexpr Names kCounts = {"ready", "starting", "draining", "failed"};
constexpr Names kReplica = {"name", "revision", "phase", "age", "since", "started", "readyAt"};
constexpr Names kSignal = {"name",          "value",
                           "samples",       "perReplica",
                           "error",         "quality",
                           "age",           "staleAfterSeconds",
                           "expected",      "series",
                           "detail",        "kind",
                           "windowSeconds", "scrapeIntervalSeconds"};
constexpr Names kSeries = {"replica", "samples"};
constexpr Names kSample = {"age", "value"};
constexpr Names kReplicaValue = {"replica", "value"};
constexpr Names kMemory = {"at",     "desired", "recommendations", "events",
                           "badFor", "rollout", "policies"};
constexpr Names kRecommendation = {"age", "replicas"};
constexpr Names kEvent = {"age", "change"};
constexpr Names kRollout = {"size",    "nextOrdinal",  "pending", "countedFailures",
                            "failing", "failedStarts", "retryAt"};
constexpr Names kPending = {"kind", "replica", "revision", "age"};

constexpr std::array<JsonShape, 23> kShapes = {{
    {"input", kInput},
    {"scaler", kScaler},
    {"capacity", kCapacity},
    {"target", kTarget},
    {"behavior", kBehavior},
    {"rules", kRules},
    {"scalingPolicy", kScalingPolicy},
    {"fallback", kFallback},
    {"budgets", kBudgets},
    {"pace", kPace},
    {"backoff", kBackoff},
    {"pool", kPool},
    {"counts", kCounts},
    {"replica", kReplica},
    {"signal", kSignal},
    {"series", kSeries},
    {"sample", kSample},
    {"replicaValue", kReplicaValue},
    {"memory", kMemory},
    {"recommendation", kRecommendation},
    {"event", kEvent},
    {"rollout", kRollout},
    {"pending", kPending},
}};

ParsedObservation ParseOne(const json::value& value, const std::string& path) {
  JsonProblems problems;
  ParsedObservation parsed;
  Observation& observation = parsed.observation;
  JsonFields root(value, path, ShapeOf("input"), problems);
  root.Require("now", "seconds since 1970 or a time like 2026-11-27T00:00:00Z");
  root.Require("pool", "an object");
  observation.now = root.Time("now").value_or(Instant{});
  const PartContext context{observation.now, problems};
  if (const json::value* scaler = root.Find("scaler")) {
    ReadScaler(*scaler, root.PathOf("scaler"), context, observation.spec);
  }
  PoolForm form = PoolForm::kNothing;
  if (const json::value* pool = root.Find("pool")) {
    form = ReadPool(*pool, root.PathOf("pool"), context, observation);
  }
  ReadSignals(root, context, observation.pool);
  if (const json::value* memory = root.Find("memory")) {
    ReadMemory(*memory, root.PathOf("memory"), context, observation);
  }
  if (problems.empty()) FinishPool(context, form, observation);
  parsed.problems = problems.Take();
  return parsed;
}

}  // namespace

const JsonShape& ShapeOf(std::string_view name) {
  const auto* found = std::find_if(kShapes.begin(), kShapes.end(),
                                   [&](const JsonShape& shape) { return shape.name == name; });
  TIDEGATE_CHECK(found != kShapes.end(), name);
  return *found;
}

std::span<const JsonShape> ObservationShapes() { return kShapes; }

Expected<ParsedObservations> ParseObservations(std::string_view text) {
  TIDEGATE_TRY(const json::value document, ParseJson(text, JsonLimits{}));
  ParsedObservations parsed;
  const json::array* array = document.if_array();
  parsed.array = array != nullptr;
  if (array == nullptr) {
    parsed.items.push_back(ParseOne(document, "$"));
    return parsed;
  }
  if (array->size() > kMostObservations) {
    return Fail(ErrorCode::kTooLarge, fmt::format("$: expected at most {} observations, got {}",
                                                  kMostObservations, array->size()));
  }
  for (std::size_t i = 0; i < array->size(); ++i) {
    parsed.items.push_back(ParseOne((*array)[i], fmt::format("$[{}]", i)));
  }
  return parsed;
}

}  // namespace tidegate::journal
