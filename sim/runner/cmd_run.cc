#include "sim/runner/cmd_run.h"

#include <algorithm>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "scheduler/config/compile.h"
#include "scheduler/decision/decision.h"
#include "sim/report/html.h"
#include "sim/runner/export.h"
#include "sim/runner/run_report.h"
#include "sim/runner/simulate.h"
#include "sim/runner/yardstick.h"
#include "traces/format/trace_file.h"

namespace tidegate::sim {
namespace {

struct RunOptions {
  std::vector<std::string> scenarios;
  bool json = false;
  bool decisions = false;
  bool openmetrics = false;
  std::string export_file;  // empty: named after the scenario
  std::string report;       // empty: none
};

std::string ExportFile(const RunOptions& options, const Scenario& scenario) {
  return options.export_file.empty() ? scenario.name + ".om" : options.export_file;
}

int RunOne(const std::string& path, const RunOptions& options, RunReport& report, Streams streams) {
  auto& [out, err] = streams;
  const LoadedScenario loaded = LoadScenario(path);
  if (!loaded.problems.empty()) {
    err << loaded.problems.text();
    return kBadInput;
  }
  const config::Compiled manifests = config::LoadAndCompile(loaded.scenario.manifests, {});
  if (!manifests.problems.empty()) {
    err << manifests.problems.text();
    return kBadInput;
  }
  const auto trace = traces::ReadTrace(loaded.scenario.trace);
  if (!trace) {
    err << trace.error().message << "\n";
    return kBadInput;
  }
  OpenMetrics metrics(loaded.scenario.metrics.request_counter);
  const traces::Trace load = traces::Scaled(*trace, loaded.scenario.scale);
  auto run = Simulate(loaded.scenario, manifests.config, load,
                      options.openmetrics ? RecordTo(metrics, loaded.scenario) : Recorder{});
  if (!run) {
    err << path << ": " << run.error().message << "\n";
    return run.error().code == ErrorCode::kInvalid ? kBadInput : kFailed;
  }
  if (options.openmetrics) {
    const auto written = WriteExport(metrics, ExportFile(options, loaded.scenario));
    if (!written) {
      err << written.error().message << "\n";
      return kFailed;
    }
  }
  if (options.decisions) {
    for (const decision::Decision& decision : run->decisions)
      out << decision::ToText(decision) << "\n";
  }
  AddYardsticks(run->summary, loaded.scenario, manifests.config, load);
  out << (options.json ? ToJson(run->summary) + "\n" : ToTable(run->summary));
  err << ToText(run->breaches);
  const bool kept = run->breaches.empty();
  if (!options.report.empty()) report.Add(path, loaded.scenario, *std::move(run));
  return out && kept ? kDone : kFailed;
}

int RunAll(const RunOptions& options, Streams streams) {
  if (!options.export_file.empty() && options.scenarios.size() > 1) {
    streams.err << "--export-file holds one run; give one scenario, or leave it out\n";
    return kBadInput;
  }
  if (!options.report.empty() && options.scenarios.size() > kMostReportRuns) {
    streams.err << "--report lays one run over another; give one scenario, or two\n";
    return kBadInput;
  }
  RunReport report;
  int worst = kDone;
  for (const std::string& path : options.scenarios)
    worst = std::max(worst, RunOne(path, options, report, streams));
  if (options.report.empty() || report.size() < options.scenarios.size()) return worst;
  const auto written = report.Write(options.report);
  if (!written) streams.err << written.error().message << "\n";
  return written ? worst : std::max(worst, kFailed);
}

}  // namespace

RunCommand AddRun(CLI::App& app) {
  const auto options = std::make_shared<RunOptions>();
  CLI::App* run = app.add_subcommand("run", "Simulate scenarios and show what happened");
  run->add_option("scenario", options->scenarios, "Scenario files")->required();
  run->add_option_function<std::string>(
         "-o,--output", [options](const std::string& form) { options->json = form == "json"; },
         "text (default) or json; json is one object a line for each scenario")
      ->check(CLI::IsMember({"text", "json"}));
  run->add_flag("--decisions", options->decisions,
                "Print each decision, as `tidegate explain` would");
  auto* form = run->add_option_function<std::string>(
      "--export", [options](const std::string&) { options->openmetrics = true; },
      "openmetrics: write what Prometheus would hold of the run, under the daemon's metric names");
  form->check(CLI::IsMember({"openmetrics"}));
  run->add_option("--export-file", options->export_file,
                  "Where to; NAME.om of the scenario by default")
      ->needs(form);
  run->add_option("--report", options->report,
                  "Write the run as one HTML page with charts; two scenarios are overlaid");
  run->footer(
      "A scenario names manifests (as the daemon reads them), a trace and how replicas behave.\n\n"
      "Examples:\n  tidesim run sim/scenarios/flash_crowd.yaml\n"
      "  tidesim run --report out.html sim/scenarios/flash_crowd.yaml "
      "sim/scenarios/blind_scaler.yaml\n\n"
      "  tidesim run --export openmetrics sim/scenarios/flash_crowd.yaml\n"
      "  promtool tsdb create-blocks-from openmetrics flash-crowd.om data\n"
      "  prometheus --storage.tsdb.path=data --storage.tsdb.retention.time=20y");
  return [options](Streams streams) { return RunAll(*options, streams); };
}

}  // namespace tidegate::sim
