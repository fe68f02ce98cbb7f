#include "sim/runner/compare.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "policies/signals/snapshot.h"
#include "sim/report/html.h"
#include "sim/report/measures.h"
#include "sim/report/time_means.h"
#include "sim/runner/experiment.h"
#include "sim/runner/interrupt.h"
#include "sim/runner/progress.h"
#include "sim/runner/run_report.h"
#include "sim/runner/workers.h"

namespace tidegate::sim {
namespace {

constexpr std::size_t kMostStretches = 1'000;

// One scenario and what its runs gave.
struct Entry {
  Case input;
  std::shared_ptr<const traces::Trace> load;
  Contender contender;
};

Duration LengthOf(const Entry& entry) {
  return traces::Length(*entry.load) + entry.input.scenario.tail;
}

bool SameLoad(const Entry& a, const Entry& b) {
  // What each pool of its own has, as far as it matters here.
  const auto own = [](const Scenario& scenario) {
    std::map<PoolId, traces::Trace> loads;
    for (const auto& [pool, world] : scenario.pools) {
      if (world.trace) loads.emplace(pool, traces::Scaled(*world.trace, scenario.scale));
    }
    return loads;
  };
  return *a.load == *b.load && own(a.input.scenario) == own(b.input.scenario);
}

// Reads everything; prints all that is wrong.
bool LoadAll(const std::vector<std::string>& files, std::vector<Entry>& entries,
             std::ostream& err) {
  bool good = true;
  TraceShelf shelf;
  std::set<std::string> names;
  for (const std::string& file : files) {
    LoadedCase loaded = LoadCase(file);
    if (!loaded.problems.empty()) {
      err << loaded.problems.text();
      good = false;
      continue;
    }
    auto trace = shelf.Get(loaded.value.scenario.trace);
    if (!trace) {
      err << trace.error().message << "\n";
      good = false;
      continue;
    }
    Entry entry{std::move(loaded.value), nullptr, {}};
    entry.load = LoadOf(entry.input.scenario, *std::move(trace));
    entry.contender.name = entry.input.scenario.name;
    // Two versions of one scenario are often called the same.
    if (!names.insert(entry.contender.name).second) entry.contender.name = file;
    entry.contender.length = LengthOf(entry);
    entry.contender.base_load = entries.empty() || SameLoad(entry, entries[0]);
    entries.push_back(std::move(entry));
  }
  return good;
}

// Stretches that all runs divide their time into: each holds a tick of the slowest loop.
std::size_t Stretches(const std::vector<Entry>& entries) {
  std::size_t stretches = kMostStretches;
  for (const Entry& entry : entries) {
    const auto ticks = LengthOf(entry) / entry.input.scenario.tick;
    stretches = std::min(stretches, static_cast<std::size_t>(std::max<Duration::rep>(1, ticks)));
  }
  return stretches;
}

// Keeps the whole run in `shown` where that is set.
Expected<void> RunOnce(Entry& entry, std::size_t run, std::uint64_t seed, std::size_t stretches,
                       std::optional<RunResult>* shown) {
  const Scenario& scenario = entry.input.scenario;
  TimeMeans live(scenario.start, entry.contender.length, stretches);
  TimeMeans backlog(scenario.start, entry.contender.length, stretches);
  Recorder recorder;
  recorder.tick = [&](const loop::ControlLoop& loop, World& world, const TickTimes&) {
    double replicas = 0, inside = 0;
    for (const auto& [id, pool] : world) {
      const auto counts = signals::Count(pool.pool->Views());
      replicas += counts.live() + counts.draining;
      inside += pool.pool->backlog();
    }
    const Instant now = loop.last()->at;
    live.Add(now, replicas);
    backlog.Add(now, inside);
  };
  const Bounds bounds = shown != nullptr ? Bounds::kSameLossToo : Bounds::kOracle;
  TIDEGATE_TRY(RunResult result, RunWithSeed(entry.input, *entry.load, seed, bounds, recorder));
  entry.contender.measures[run] = Measured(result.summary);
  entry.contender.live[run] = live.Values();
  entry.contender.backlog[run] = backlog.Values();
  if (shown != nullptr) *shown = std::move(result);
  return {};
}

// Which requests are bad though they were not lost.
std::string Lateness(const Scenario& scenario) {
  if (scenario.mode == Mode::kFluid)
    return fmt::format("waits longer than {}", FormatDuration(LongestGoodWait(scenario)));
  return fmt::format("is answered after more than {}",
                     FormatDuration(FromSeconds(scenario.service.requests.objective_seconds)));
}

// Scenarios that don't agree with the first on what is bad.
std::vector<std::string> NotesOnLateness(const std::vector<Entry>& entries) {
  std::vector<std::string> notes;
  const std::string first = Lateness(entries[0].input.scenario);
  for (const Entry& entry : entries) {
    const std::string late = Lateness(entry.input.scenario);
    if (late == first) continue;
    notes.push_back(fmt::format("bad is what {} in {}, but what {} in {}", late,
                                entry.contender.name, first, entries[0].contender.name));
  }
  return notes;
}

// Writes the first run of each. The seed is named by what is shown of the scenario.
Expected<void> WriteReport(const CompareOptions& options, const std::vector<Entry>& entries,
                           std::vector<std::optional<RunResult>>& shown) {
  RunReport report;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    Scenario scenario = entries[i].input.scenario;
    scenario.seed = options.seed;
    report.Add(options.scenarios[i], scenario, *std::move(shown[i]));
  }
  return report.Write(options.report);
}

// What came of all runs.
int Print(const CompareOptions& options, std::vector<Entry>& entries, Streams streams) {
  const std::vector<std::string> notes = NotesOnLateness(entries);
  std::vector<Contender> contenders;
  for (Entry& entry : entries) contenders.push_back(std::move(entry.contender));
  Comparison comparison = Compare(contenders, options.confidence, options.warm_up);
  comparison.notes.insert(comparison.notes.end(), notes.begin(), notes.end());
  streams.out << (options.json ? ToJson(comparison) + "\n" : ToTable(comparison));
  return streams.out ? kDone : kFailed;
}

}  // namespace

int RunCompare(const CompareOptions& options, Streams streams) {
  if (!options.report.empty() && options.scenarios.size() > kMostReportRuns) {
    streams.err << "--report lays one run over another; give two scenarios\n";
    return kBadInput;
  }
  std::vector<Entry> entries;
  if (!LoadAll(options.scenarios, entries, streams.err)) return kBadInput;
  const auto runs = static_cast<std::size_t>(options.replications);
  for (Entry& entry : entries) {
    entry.contender.measures.resize(runs);
    entry.contender.live.resize(runs);
    entry.contender.backlog.resize(runs);
  }
  const std::size_t stretches = Stretches(entries);
  std::vector<Expected<void>> outcomes(runs * entries.size());
  std::vector<std::optional<RunResult>> shown(entries.size());
  const Interrupt interrupt;
  bool complete = false;
  {
    Progress progress(streams.err, "runs", outcomes.size(), 0);
    complete = ForEach(
        outcomes.size(), options.threads > 0 ? options.threads : Processors(),
        [&] { return interrupt.Asked(); },
        [&](std::size_t i) {
          const std::size_t run = i / entries.size();
          const std::size_t entry = i % entries.size();
          const bool show = run == 0 && !options.report.empty();
          outcomes[i] = RunOnce(entries[entry], run, options.seed + run, stretches,
                                show ? &shown[entry] : nullptr);
          progress.Done();
        });
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (outcomes[i]) continue;
    streams.err << options.scenarios[i % entries.size()] << ": " << outcomes[i].error().message
                << "\n";
    return outcomes[i].error().code == ErrorCode::kInvalid ? kBadInput : kFailed;
  }
  if (!complete) {
    streams.err << "stopped before all runs were done\n";
    return kFailed;
  }
  if (!options.report.empty()) {
    const auto written = WriteReport(options, entries, shown);
    if (!written) {
      streams.err << written.error().message << "\n";
      return kFailed;
    }
  }
  return Print(options, entries, streams);
}

}  // namespace tidegate::sim
