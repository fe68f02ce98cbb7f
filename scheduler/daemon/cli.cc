#include "scheduler/daemon/cli.h"

#include <fstream>
#include <functional>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>

#include "scheduler/adapters/system_clock.h"
#include "scheduler/daemon/cmd_decide.h"
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
  AddOutput(*explain, options.json);
  explain->footer(
      "Examples:\n  tidegate explain istio-system/ingressgateway\n"
      "  tidegate explain istio-system/ingressgateway --last 20 --at 2026-11-27T00:05:00Z\n"
      "  tidegate explain shop/edge --journal /var/lib/tidegate/journal.db --output json");
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
  decide->footer(
      "Reads one JSON object or an array of them; see scheduler/journal/decide.schema.json.\n\n"
      "Example:\n  echo '{\"now\":\"2026-11-27T00:00:00Z\",\n"
      "    "
      "\"scaler\":{\"minReplicas\":1,\"maxReplicas\":20,\"signals\":[{\"name\":\"rps\",\"target\":"
      "50}]},\n"
      "    \"pool\":{\"declared\":2,\"ready\":2}, \"signals\":[{\"name\":\"rps\",\"value\":390}]}'"
      " | tidegate decide -");
  decide->callback([&] { code = RunDecide(options, std::cin, std::cout, std::cerr); });
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
  AddRun(app, run, code);
  AddStatus(app, status, code);
  AddExplain(app, explain, code);
  AddValidate(app, validate, code);
  AddDecide(app, decide, code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kBadInput;
  }
  return code;
}

}  // namespace tidegate::daemon
