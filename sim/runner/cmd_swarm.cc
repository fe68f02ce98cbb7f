#include "sim/runner/cmd_swarm.h"

#include <cstdint>
#include <memory>
#include <ostream>
#include <string>

#include <CLI/CLI.hpp>

#include "sim/runner/swarm.h"

namespace tidegate::sim {
namespace {

struct SwarmCommandOptions {
  std::uint64_t seed = 1;
  std::uint64_t seeds = 1;
  SwarmOptions options;
  bool trace = false;
  bool json = false;
};

// All seeds, or up to the tenth that shows a violation.
int RunSwarm(const SwarmCommandOptions& command, std::ostream& out, std::ostream& err) {
  constexpr std::uint64_t kProgressEvery = 1'000;
  constexpr int kEnough = 10;
  SwarmOptions options = command.options;
  if (command.trace) {
    std::ostream& to = command.json ? err : out;
    options.trace = [&to](const std::string& line) { to << line << "\n"; };
  }
  SwarmTotals totals;
  for (std::uint64_t i = 0; i < command.seeds && totals.violated < kEnough; ++i) {
    const SwarmLife life = RunSwarmLife(command.seed + i, options);
    if (!command.json) out << Explain(life, options);
    totals.Add(life);
    if (totals.lives % kProgressEvery == 0) {
      err << totals.lives << " of " << command.seeds << " lives\n";
    }
  }
  out << (command.json ? ToJson(totals) + "\n" : ToText(totals));
  return totals.violated == 0 && out ? 0 : kFailed;
}

}  // namespace

RunCommand AddSwarm(CLI::App& app) {
  const auto command = std::make_shared<SwarmCommandOptions>();
  CLI::App* swarm = app.add_subcommand("swarm", "Live through random faults and check every rule");
  swarm->add_option("--seed", command->seed, "Of the first life (1)");
  swarm->add_option("--seeds", command->seeds, "How many lives, seed by seed (1)")
      ->check(CLI::Range(1, 100'000'000));
  swarm->add_flag("--trace", command->trace, "Print what happens, line by line");
  swarm
      ->add_option_function<std::string>(
          "--break-for-test",
          [command](const std::string& name) { command->options.bug = *ParsePlantedBug(name); },
          "Plant a bug, to see that it is found: planner, estimator, restore or fence")
      ->check(CLI::IsMember({"planner", "estimator", "restore", "fence"}));
  swarm
      ->add_option_function<std::string>(
          "-o,--output", [command](const std::string& form) { command->json = form == "json"; },
          "text (default) or json")
      ->check(CLI::IsMember({"text", "json"}));
  swarm->footer(
      "Each seed is one life of one pool: load, budgets, delays and faults are drawn from it, and\n"
      "the same seed gives the same life. Exit 1: a rule was broken; the command that shows it\n"
      "again is printed. Ten such lives end the run.\n\nExample:\n  tidesim swarm --seeds 10000");
  return [command](Streams streams) { return RunSwarm(*command, streams.out, streams.err); };
}

}  // namespace tidegate::sim
