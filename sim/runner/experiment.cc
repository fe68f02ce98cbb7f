#include "sim/runner/experiment.h"

#include <utility>

#include "traces/format/trace_file.h"

namespace tidegate::sim {

LoadedCase LoadCase(const std::string& scenario) {
  LoadedScenario loaded = LoadScenario(scenario);
  if (!loaded.problems.empty()) return {{}, std::move(loaded.problems)};
  config::Compiled compiled = config::LoadAndCompile(loaded.scenario.manifests, {});
  return {{std::move(loaded.scenario), std::move(compiled.config)}, std::move(compiled.problems)};
}

Expected<std::shared_ptr<const traces::Trace>> TraceShelf::Get(const std::string& file) {
  const auto known = traces_.find(file);
  if (known != traces_.end()) return known->second;
  TIDEGATE_TRY(traces::Trace trace, traces::ReadTrace(file));
  return traces_.emplace(file, std::make_shared<const traces::Trace>(std::move(trace)))
      .first->second;
}

std::shared_ptr<const traces::Trace> LoadOf(const Scenario& scenario,
                                            std::shared_ptr<const traces::Trace> trace) {
  if (scenario.scale == 1) return trace;
  return std::make_shared<const traces::Trace>(traces::Scaled(*trace, scenario.scale));
}

Expected<RunResult> RunWithSeed(const Case& input, const traces::Trace& load, std::uint64_t seed,
                                Bounds bounds, const Recorder& recorder) {
  Scenario scenario = input.scenario;
  scenario.seed = seed;
  TIDEGATE_TRY(RunResult run, Simulate(scenario, input.manifests, load, recorder));
  AddYardsticks(run.summary, scenario, input.manifests, load, bounds);
  return run;
}

}  // namespace tidegate::sim
