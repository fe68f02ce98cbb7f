#include "sim/runner/cli.h"

#include <ostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "scheduler/config/compile.h"
#include "scheduler/decision/decision.h"
#include "sim/runner/export.h"
#include "sim/runner/simulate.h"
#include "traces/format/csv.h"

namespace tidegate::sim {
namespace {

constexpr int kFailed = 1;
constexpr int kBadInput = 2;

struct RunCommand {
  std::vector<std::string> scenarios;
  bool json = false;
  bool decisions = false;
  bool openmetrics = false;
  std::string export_file;  // empty: named after the scenario
};

std::string ExportFile(const RunCommand& command, const Scenario& scenario) {
  return command.export_file.empty() ? scenario.name + ".om" : command.export_file;
}

int RunOne(const std::string& path, const RunCommand& command, std::ostream& out,
           std::ostream& err) {
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
  const auto trace = traces::ReadTraceCsv(loaded.scenario.trace);
  if (!trace) {
    err << trace.error().message << "\n";
    return kBadInput;
  }
  OpenMetrics metrics(loaded.scenario.metrics.request_counter);
  const auto run =
      Simulate(loaded.scenario, manifests.config, traces::Scaled(*trace, loaded.scenario.scale),
               command.openmetrics ? RecordTo(metrics, loaded.scenario) : Recorder{});
  if (!run) {
    err << path << ": " << run.error().message << "\n";
    return run.error().code == ErrorCode::kInvalid ? kBadInput : kFailed;
  }
  if (command.openmetrics) {
    const auto written = WriteExport(metrics, ExportFile(command, loaded.scenario));
    if (!written) {
      err << written.error().message << "\n";
      return kFailed;
    }
  }
  if (command.decisions) {
    for (const decision::Decision& decision : run->decisions)
      out << decision::ToText(decision) << "\n";
  }
  out << (command.json ? ToJson(run->summary) + "\n" : ToTable(run->summary));
  return out ? 0 : kFailed;
}

}  // namespace

int Main(int argc, const char* const* argv, std::ostream& out, std::ostream& err) {
  CLI::App app("tidesim runs the daemon's own control loop against a simulated pool", "tidesim");
  app.require_subcommand(1);
  RunCommand command;
  CLI::App* run = app.add_subcommand("run", "Simulate scenarios and show what happened");
  run->add_option("scenario", command.scenarios, "Scenario files")->required();
  run->add_option_function<std::string>(
         "-o,--output", [&command](const std::string& form) { command.json = form == "json"; },
         "text (default) or json; json is one object a line for each scenario")
      ->check(CLI::IsMember({"text", "json"}));
  run->add_flag("--decisions", command.decisions,
                "Print each decision, as `tidegate explain` would");
  auto* form = run->add_option_function<std::string>(
      "--export", [&command](const std::string&) { command.openmetrics = true; },
      "openmetrics: write what Prometheus would hold of the run, under the daemon's metric names");
  form->check(CLI::IsMember({"openmetrics"}));
  run->add_option("--export-file", command.export_file,
                  "Where to; NAME.om of the scenario by default")
      ->needs(form);
  run->footer(
      "A scenario names manifests (as the daemon reads them), a trace and how replicas behave.\n\n"
      "Examples:\n  tidesim run sim/scenarios/flash_crowd.yaml\n\n"
      "  tidesim run --export openmetrics sim/scenarios/flash_crowd.yaml\n"
      "  promtool tsdb create-blocks-from openmetrics flash-crowd.om data\n"
      "  prometheus --storage.tsdb.path=data --storage.tsdb.retention.time=20y");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, out, err) == 0 ? 0 : kBadInput;
  }
  if (!command.export_file.empty() && command.scenarios.size() > 1) {
    err << "--export-file holds one run; give one scenario, or leave it out\n";
    return kBadInput;
  }
  int worst = 0;
  for (const std::string& path : command.scenarios)
    worst = std::max(worst, RunOne(path, command, out, err));
  return worst;
}

}  // namespace tidegate::sim
