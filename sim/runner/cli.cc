#include "sim/runner/cli.h"

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "scheduler/config/compile.h"
#include "scheduler/decision/decision.h"
#include "sim/runner/export.h"
#include "sim/runner/simulate.h"
#include "sim/runner/swarm.h"
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

struct SwarmCommand {
  std::uint64_t seed = 1;
  std::uint64_t seeds = 1;
  SwarmOptions options;
  bool json = false;
};

// All seeds, or up to the tenth that shows a violation.
int RunSwarm(const SwarmCommand& command, std::ostream& out, std::ostream& err) {
  constexpr std::uint64_t kProgressEvery = 1'000;
  constexpr int kEnough = 10;
  SwarmTotals totals;
  for (std::uint64_t i = 0; i < command.seeds && totals.violated < kEnough; ++i) {
    const SwarmLife life = RunSwarmLife(command.seed + i, command.options);
    if (!command.json) out << Explain(life, command.options);
    totals.Add(life);
    if (totals.lives % kProgressEvery == 0) {
      err << totals.lives << " of " << command.seeds << " lives\n";
    }
  }
  out << (command.json ? ToJson(totals) + "\n" : ToText(totals));
  return totals.violated == 0 && out ? 0 : kFailed;
}

void AddSwarm(CLI::App& app, SwarmCommand& command) {
  CLI::App* swarm = app.add_subcommand("swarm", "Live through random faults and check every rule");
  swarm->add_option("--seed", command.seed, "Of the first life (1)");
  swarm->add_option("--seeds", command.seeds, "How many lives, seed by seed (1)")
      ->check(CLI::Range(1, 100'000'000));
  swarm->add_flag("--refusals", command.options.refusals,
                  "Refuse requests too; known to break B1 and B3 where a repeat is refused");
  swarm
      ->add_option_function<std::string>(
          "--break-for-test",
          [&command](const std::string& name) { command.options.bug = *ParsePlantedBug(name); },
          "Plant a bug, to see that it is found: planner, estimator or restore")
      ->check(CLI::IsMember({"planner", "estimator", "restore"}));
  swarm
      ->add_option_function<std::string>(
          "-o,--output", [&command](const std::string& form) { command.json = form == "json"; },
          "text (default) or json")
      ->check(CLI::IsMember({"text", "json"}));
  swarm->footer(
      "Each seed is one life of one pool: load, budgets, delays and faults are drawn from it, and\n"
      "the same seed gives the same life. Exit 1: a rule was broken; the command that shows it\n"
      "again is printed. Ten such lives end the run.\n\nExample:\n  tidesim swarm --seeds 10000");
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
  SwarmCommand swarm;
  AddSwarm(app, swarm);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, out, err) == 0 ? 0 : kBadInput;
  }
  if (app.got_subcommand("swarm")) return RunSwarm(swarm, out, err);
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
