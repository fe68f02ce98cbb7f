#include "sim/runner/cmd_sweep.h"

#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "sim/runner/environment.h"
#include "sim/runner/merge.h"
#include "sim/runner/sweep.h"

namespace tidegate::sim {
namespace {

template <class Options>
void AddOutput(CLI::App& command, const std::shared_ptr<Options>& options) {
  command
      .add_option_function<std::string>(
          "-o,--output", [options](const std::string& form) { options->json = form == "json"; },
          "text (default) or json")
      ->check(CLI::IsMember({"text", "json"}));
}

}  // namespace

RunCommand AddSweep(CLI::App& app) {
  const auto options = std::make_shared<SweepOptions>();
  CLI::App* sweep =
      app.add_subcommand("sweep", "Try many values of a scenario's and its manifests' fields");
  sweep->add_option("sweep", options->file, "File of kind Sweep")->required();
  sweep->add_option("--results", options->results,
                    "Cells go here one by one; NAME.results, for a shard NAME.I-of-N.results");
  sweep->add_option("--threads", options->threads, "One for each processor by default")
      ->check(CLI::Range(1, 1'024));
  sweep
      ->add_option_function<std::string>(
          "--shard",
          [options](const std::string& text) {
            const auto shard = ParseShard(text);
            if (shard) options->shard = *shard;
          },
          "i/n: only part i of n, i from 0. Default: the environment of a Slurm job array or of a "
          "Kubernetes Indexed Job (JOB_COMPLETION_INDEX of TIDESIM_SHARDS), else everything")
      ->check([](const std::string& text) {
        const auto shard = ParseShard(text);
        return shard ? std::string() : shard.error().message;
      });
  AddOutput(*sweep, options);
  sweep->footer(
      "Ctrl-C ends it after the cells at work, a second one at once; a kill is as good. The same\n"
      "command goes on where the results file ends. Results are the same on any number of threads\n"
      "and shards. Exit 1: stopped or failed; 2: the sweep or its inputs are wrong.\n\n"
      "Examples:\n  tidesim sweep sim/scenarios/sweep_targets.yaml\n"
      "  tidesim sweep sim/scenarios/sweep_targets.yaml --shard 0/4\n"
      "  tidesim merge targets.*-of-4.results\n"
      "Batch systems: sim/cluster/indexed_job.yaml, sim/cluster/job_array.sh.");
  return [options](Streams streams) { return RunSweep(*options, EnvironmentVariable, streams); };
}

RunCommand AddMerge(CLI::App& app) {
  const auto options = std::make_shared<MergeOptions>();
  CLI::App* merge = app.add_subcommand(
      "merge", "Put the shards of a sweep together, once every cell is there exactly once");
  merge->add_option("results", options->files, "Results of all shards")->required();
  merge->add_option("--results", options->results, "Write the results of the whole sweep here");
  AddOutput(*merge, options);
  merge->footer(
      "Prints what the sweep in one process prints, byte for byte. Exit 1: cells are missing or\n"
      "there more than once, and are listed; 2: files are of different sweeps, or of none.\n\n"
      "Example:\n  tidesim merge targets.*-of-4.results --results targets.results");
  return [options](Streams streams) { return RunMerge(*options, streams); };
}

}  // namespace tidegate::sim
