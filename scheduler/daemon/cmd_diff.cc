#include "scheduler/daemon/cmd_diff.h"

#include <algorithm>
#include <memory>
#include <ostream>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "policies/base/instant.h"
#include "scheduler/adapters/journal/sqlite_journal.h"
#include "scheduler/config/compile.h"
#include "scheduler/daemon/pool_name.h"
#include "scheduler/decision/diff.h"
#include "scheduler/journal/json_text.h"

namespace tidegate::daemon {
namespace {

namespace json = boost::json;
using decision::PoolDiff;

constexpr int kSame = 0;
constexpr int kDiffers = 1;
constexpr int kNothingCompared = 2;

// What is to be compared.
struct Task {
  Instant since = Instant::min();
  Instant until = Instant::max();
  decision::Counterfactual asked;
  std::vector<PoolId> pools;
  config::CompiledConfig config;
  std::unique_ptr<adapters::JournalReader> journal;
};

Expected<Instant> ReadTime(const char* option, const std::string& text, Instant otherwise) {
  if (text.empty()) return otherwise;
  auto at = ParseInstant(text);
  if (!at) return Fail(ErrorCode::kInvalid, fmt::format("{}: {}", option, at.error().message));
  return *at;
}

// The pools that were asked for; else all that the journal or the configuration has.
Expected<std::vector<PoolId>> PoolsOf(const DiffOptions& options, const Task& task) {
  std::vector<PoolId> pools;
  for (const std::string& name : options.pools) {
    TIDEGATE_TRY(PoolId pool, ParsePoolName(name));
    pools.push_back(std::move(pool));
  }
  if (pools.empty()) {
    TIDEGATE_TRY(pools, task.journal->Pools());
    for (const decision::PoolSpec& spec : task.config.pools) pools.push_back(spec.id);
  }
  std::ranges::sort(pools);
  pools.erase(std::unique(pools.begin(), pools.end()), pools.end());
  return pools;
}

Expected<Task> Prepare(const DiffOptions& options) {
  Task task;
  TIDEGATE_TRY(task.asked, ParseCounterfactual(options.otherwise));
  TIDEGATE_TRY(task.since, ReadTime("--since", options.since, task.since));
  TIDEGATE_TRY(task.until, ReadTime("--until", options.until, task.until));
  if (task.since > task.until) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("--since {} is after --until {}", options.since, options.until));
  }
  config::Compiled compiled = config::LoadAndCompile(options.config, {});
  if (!compiled.problems.empty()) return Fail(ErrorCode::kInvalid, compiled.problems.text());
  task.config = std::move(compiled.config);
  TIDEGATE_TRY(task.journal, adapters::JournalReader::Open(options.journal));
  TIDEGATE_TRY(task.pools, PoolsOf(options, task));
  return task;
}

Expected<PoolDiff> Compare(Task& task, const decision::PoolSpec& spec) {
  const decision::PoolSpec altered = decision::Altered(spec, task.asked);
  const Duration before = decision::WarmUp(altered);
  const Instant from = task.since > Instant::min() + before ? task.since - before : task.since;
  decision::Differ differ(altered, task.since);
  const auto take = [&](const decision::Decision& recorded) { differ.Take(recorded); };
  TIDEGATE_TRY_VOID(task.journal->ForEach(spec.id, from, task.until, take));
  return std::move(differ).Finish();
}

// What became of one pool.
struct PoolResult {
  PoolId pool;
  bool configured = true;
  PoolDiff diff;
  bool compared() const { return configured && diff.decisions > 0; }
};

Expected<std::vector<PoolResult>> CompareAll(Task& task) {
  std::vector<PoolResult> results;
  for (const PoolId& pool : task.pools) {
    PoolResult result{pool, true, {}};
    if (const decision::PoolSpec* spec = task.config.FindSpec(pool)) {
      TIDEGATE_TRY(result.diff, Compare(task, *spec));
    } else {
      result.configured = false;
    }
    results.push_back(std::move(result));
  }
  return results;
}

json::array RangeJson(const decision::SizeRange& range) { return {range.least, range.most}; }

json::object ComparedJson(const decision::Compared& compared) {
  return {{"decisions", compared.decisions},
          {"recorded", RangeJson(compared.recorded)},
          {"replayed", RangeJson(compared.replayed)},
          {"recordedReplicaHours", compared.recorded_hours},
          {"replayedReplicaHours", compared.replayed_hours}};
}

json::object StretchJson(const decision::Stretch& stretch) {
  json::object object = ComparedJson(stretch);
  object["begin"] = FormatInstant(stretch.begin);
  object["end"] = FormatInstant(stretch.end);
  object["recordedReason"] = guards::Name(stretch.recorded_reason);
  object["replayedReason"] = guards::Name(stretch.replayed_reason);
  return object;
}

json::object PoolJson(const PoolResult& result) {
  const PoolDiff& diff = result.diff;
  json::object object = result.compared() ? ComparedJson(diff) : json::object{{"decisions", 0}};
  object["namespace"] = result.pool.ns;
  object["name"] = result.pool.name;
  object["configured"] = result.configured;
  if (!result.compared()) return object;
  object["begin"] = FormatInstant(diff.begin);
  object["end"] = FormatInstant(diff.end);
  object["differing"] = diff.differing;
  object["unexplained"] = diff.unexplained;
  object["neverRecorded"] = json::array(diff.missing.begin(), diff.missing.end());
  json::array stretches;
  for (const decision::Stretch& stretch : diff.stretches) stretches.push_back(StretchJson(stretch));
  object["stretches"] = std::move(stretches);
  object["moreStretches"] = diff.more_stretches;
  return object;
}

void PrintJson(const std::vector<PoolResult>& results, bool differs, std::ostream& out) {
  json::array pools;
  for (const PoolResult& result : results) pools.push_back(PoolJson(result));
  out << journal::WriteJson(json::object{{"differs", differs}, {"pools", std::move(pools)}})
      << '\n';
}

void PrintText(const std::vector<PoolResult>& results, const decision::Counterfactual& asked,
               std::ostream& out) {
  if (!asked.empty()) out << decision::ToText(asked) << '\n';
  for (const PoolResult& result : results) {
    if (result.configured) {
      out << decision::ToText(result.diff);
    } else {
      out << ToString(result.pool) << ": not in the configuration\n";
    }
  }
}

}  // namespace

int RunDiff(const DiffOptions& options, std::ostream& out, std::ostream& err) {
  const auto refuse = [&](const Error& error) {
    std::string message = error.message;
    while (message.ends_with('\n')) message.pop_back();
    err << "tidegate diff: " << message << '\n';
    return kNothingCompared;
  };
  auto task = Prepare(options);
  if (!task) return refuse(task.error());
  const auto results = CompareAll(*task);
  if (!results) return refuse(results.error());
  const bool differs = std::ranges::any_of(
      *results, [](const PoolResult& result) { return result.diff.differing > 0; });
  if (options.json) {
    PrintJson(*results, differs, out);
  } else {
    PrintText(*results, task->asked, out);
  }
  if (std::ranges::none_of(*results, &PoolResult::compared)) {
    err << "tidegate diff: nothing was compared: no pool of the configuration has decisions in "
        << options.journal << " in that time\n";
    return kNothingCompared;
  }
  return differs ? kDiffers : kSame;
}

}  // namespace tidegate::daemon
