#include "scheduler/daemon/cli.h"

#include <fstream>
#include <functional>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>

#include "scheduler/adapters/system_clock.h"
#include "scheduler/daemon/cmd_decide.h"
#include "scheduler/daemon/cmd_diff.h"
#include "scheduler/daemon/cmd_explain.h"
#include "scheduler/daemon/cmd_run.h"
#include "scheduler/daemon/cmd_status.h"
#include "scheduler/daemon/cmd_validate.h"

namespace tidegate::daemon {
namespace {

constexpr int kBadInput = 2;

void AddOutput(CLI::App& command, bool& json) {
  command
      .add_option_function<std::string>(
          "-o,--output", [&json](const std::string& form) { json = form == "json"; },
          "text (default) or json")
      ->check(CLI::IsMember({"text", "json"}));
}

void AddOtherwise(CLI::App& command, CounterfactualNames& names) {
  command
      .add_option("--without", names.without,
                  "Leave out what this stage of the guards does; repeatable: " + StageNames())
      ->allow_extra_args(false)
      ->take_all();
  command
      .add_option("--policy", names.policies,
                  "Size by this policy, with its defaults unless the pool has it; repeatable, "
                  "the largest counts: " +
                      PolicyNames())
      ->allow_extra_args(false)
      ->take_all();
}

void AddRun(CLI::App& app, RunOptions& options, int& code) {
  CLI::App* run = app.add_subcommand("run", "Keep the pools at the right size until told to stop");
  run->add_option("-c,--config", options.config, "File or folder with a TidegateConfig; repeatable")
      ->required();
  run->add_flag("--drain-on-exit", options.drain_on_exit,
                "Drain and stop the pools too; without it they go on serving");
  run->add_option("--log-format", options.log_format, "Overrides log.format")
      ->check(CLI::IsMember({"text", "json"}));
  run->add_option("--log-level", options.log_level, "Overrides log.level")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
  run->add_option("--break-for-test", options.break_for_test)
      ->check(CLI::IsMember({"drain-order", "overshoot"}))
      ->group("");  // not in the help: it breaks promises on purpose
  run->footer(
      "SIGHUP, or a change of the files, reloads; bad files leave the last good configuration in "
      "use.\n"
      "SIGTERM and SIGINT finish the step, write the state and exit; pools go on serving.\n\n"
      "Example:\n  tidegate run --config /etc/tidegate/tidegate.yaml");
  run->callback([&] { code = RunDaemon(options, std::cerr); });
}

void AddStatus(CLI::App& app, StatusOptions& options, int& code) {
  CLI::App* status =
      app.add_subcommand("status", "Show what a running daemon's pools are and should be");
  status->add_option("--server", options.server, "The daemon's address")->capture_default_str();
  status->add_flag("-w,--watch", options.watch, "Again each second until interrupted");
  AddOutput(*status, options.json);
  status->footer("Example:\n  tidegate status --watch");
  status->callback([&] { code = RunStatus(options, std::cout, std::cerr); });
}

void AddExplain(CLI::App& app, ExplainOptions& options, int& code) {
  CLI::App* explain = app.add_subcommand("explain", "Say why a pool has the size it has");
  explain->add_option("pool", options.pool, "NAMESPACE/NAME")->required();
  explain->add_option("--last", options.last, "How many decisions")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  explain->add_option("--at", options.at,
                      "As of this time: 2026-11-27T00:00:00Z or seconds since 1970");
  explain->add_option("--server", options.server, "The daemon's address")->capture_default_str();
  explain->add_option("--journal", options.journal,
                      "Read this journal file instead of asking a daemon");
  AddOtherwise(*explain, options.otherwise);
  explain->add_option("-c,--config", options.config,
                      "With --without or --policy: the manifests, as the daemon reads them");
  AddOutput(*explain, options.json);
  explain->footer(
      "Examples:\n  tidegate explain istio-system/ingressgateway\n"
      "  tidegate explain istio-system/ingressgateway --last 20 --at 2026-11-27T00:05:00Z\n"
      "  tidegate explain shop/edge --journal /var/lib/tidegate/journal.db --output json\n\n"
      "What would it have been otherwise? The journal is replayed under the configuration up to "
      "the\n"
      "decision, which is then made with a stage left out or by another policy:\n"
      "  tidegate explain shop/edge --at 2026-11-27T00:05:00Z --without stabilization \\\n"
      "    --journal /var/lib/tidegate/journal.db --config /etc/tidegate/tidegate.yaml\n\n"
      "Exit status: 0 done, 1 there is no such decision or no answer, 2 an option or a file is "
      "wrong.");
  explain->callback([&] { code = RunExplain(options, std::cout, std::cerr); });
}

void AddValidate(CLI::App& app, ValidateOptions& options, int& code) {
  CLI::App* validate =
      app.add_subcommand("validate", "Check manifests and say what they resolve to");
  validate->add_option("paths", options.paths, "Files and folders")->required();
  AddOutput(*validate, options.json);
  validate->footer(
      "Exit status 2 if anything is wrong.\n\nExample:\n  tidegate validate manifests/");
  validate->callback([&] {
    options.now = adapters::SystemClock().Now();
    code = RunValidate(options, std::cout, std::cerr);
  });
}

void AddDecide(CLI::App& app, DecideOptions& options, int& code) {
  CLI::App* decide = app.add_subcommand("decide", "One observation in, one decision out, as JSON");
  decide->add_option("input", options.input, "A file, or - for standard input")->required();
  decide
      ->add_option_function<std::string>(
          "-o,--output", [&options](const std::string& form) { options.json = form == "json"; },
          "json (default), or text as `tidegate explain` prints it")
      ->check(CLI::IsMember({"text", "json"}));
  AddOtherwise(*decide, options.otherwise);
  decide->footer(
      "Reads one JSON object or an array of them; see scheduler/journal/decide.schema.json.\n"
      "With --without or --policy it says what the decision would be then; \"counterfactual\" in\n"
      "the answer has the one that it is. No history of minutes is kept: the policy forecast "
      "sizes\n"
      "as target does, and its own proposal is 0; ask `tidegate explain` or `tidegate diff`.\n"
      "Exit status: 0 done, 1 something failed, 2 the input is wrong or its file can't be read.\n\n"
      "Example:\n  echo '{\"now\":\"2026-11-27T00:00:00Z\",\n"
      "    "
      "\"scaler\":{\"minReplicas\":1,\"maxReplicas\":20,\"signals\":[{\"name\":\"rps\",\"target\":"
      "50}]},\n"
      "    \"pool\":{\"declared\":2,\"ready\":2}, \"signals\":[{\"name\":\"rps\",\"value\":390}]}'"
      " | tidegate decide -");
  decide->callback([&] { code = RunDecide(options, std::cin, std::cout, std::cerr); });
}

void AddDiff(CLI::App& app, DiffOptions& options, int& code) {
  CLI::App* diff = app.add_subcommand(
      "diff", "Replay a journal under another configuration and list what would have differed");
  diff->add_option("--journal", options.journal, "A journal file; a daemon may be writing it")
      ->required();
  diff->add_option("-c,--config", options.config,
                   "The new manifests: files and folders, as `tidegate validate` reads them")
      ->required();
  diff->add_option("--pool", options.pools, "NAMESPACE/NAME; repeatable; all without it");
  diff->add_option("--since", options.since,
                   "Compare from this time on: 2026-11-27T00:00:00Z or seconds since 1970");
  diff->add_option("--until", options.until, "And up to this time");
  AddOtherwise(*diff, options.otherwise);
  AddOutput(*diff, options.json);
  diff->footer(
      "Every recorded decision is made again from what was read then, each going on from the size\n"
      "and memory that the one before left. Loads are taken as they were read: a signal that\n"
      "depends on the number of replicas, latency say, would have read otherwise. Of the time\n"
      "before the journal nothing is known: its first window may hold shrinks that were not held.\n"
      "Under the configuration that wrote the journal, differences are the replay's own; it says\n"
      "how many.\n\n"
      "Exit status: 0 nothing would have differed, 1 something would, 2 nothing was compared.\n\n"
      "Examples:\n  tidegate diff --journal /var/lib/tidegate/journal.db --config new.yaml\n"
      "  tidegate diff --journal journal.db --config tidegate.yaml --without rateLimit \\\n"
      "    --pool shop/edge --since 2026-11-27T00:00:00Z --output json");
  diff->callback([&] { code = RunDiff(options, std::cout, std::cerr); });
}

}  // namespace

int Main(int argc, char** argv) {
  CLI::App app("tidegate keeps pools of gateway replicas at the right size", "tidegate");
  app.set_version_flag("--version", std::string("tidegate ") + TIDEGATE_VERSION);
  app.require_subcommand(1);
  int code = 0;
  RunOptions run;
  StatusOptions status;
  ExplainOptions explain;
  ValidateOptions validate;
  DecideOptions decide;
  DiffOptions diff;
  AddRun(app, run, code);
  AddStatus(app, status, code);
  AddExplain(app, explain, code);
  AddValidate(app, validate, code);
  AddDecide(app, decide, code);
  AddDiff(app, diff, code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kBadInput;
  }
  return code;
}

}  // namespace tidegate::daemon
