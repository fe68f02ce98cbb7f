#include "sim/runner/cli.h"

#include <array>
#include <ostream>

#include <CLI/CLI.hpp>

#include "sim/runner/cmd_backtest.h"
#include "sim/runner/cmd_compare.h"
#include "sim/runner/cmd_gate.h"
#include "sim/runner/cmd_league.h"
#include "sim/runner/cmd_run.h"
#include "sim/runner/cmd_swarm.h"
#include "sim/runner/cmd_sweep.h"

namespace tidegate::sim {
namespace {

struct Command {
  const char* name;
  RunCommand (*add)(CLI::App& app);
};

constexpr std::array kCommands = {
    Command{"run", AddRun},     Command{"compare", AddCompare},   Command{"sweep", AddSweep},
    Command{"merge", AddMerge}, Command{"backtest", AddBacktest}, Command{"gate", AddGate},
    Command{"swarm", AddSwarm}, Command{"league", AddLeague},
};

}  // namespace

int Main(int argc, const char* const* argv, std::ostream& out, std::ostream& err) {
  CLI::App app("tidesim runs the daemon's own control loop against a simulated pool", "tidesim");
  app.require_subcommand(1);
  std::array<RunCommand, kCommands.size()> commands;
  for (std::size_t i = 0; i < commands.size(); ++i) commands[i] = kCommands[i].add(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, out, err) == 0 ? kDone : kBadInput;
  }
  for (std::size_t i = 0; i < commands.size(); ++i) {
    if (app.got_subcommand(kCommands[i].name)) return commands[i]({out, err});
  }
  return kBadInput;
}

}  // namespace tidegate::sim
