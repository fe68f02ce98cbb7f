#include "sim/runner/cmd_compare.h"

#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "sim/runner/compare.h"

namespace tidegate::sim {
namespace {

// Empty where the text is a rule.
std::string ParseWarmUp(const std::string& text, WarmUpRule* rule) {
  if (text == "auto" || text == "none") {
    rule->kind = text == "auto" ? WarmUpRule::Kind::kAuto : WarmUpRule::Kind::kNone;
    return "";
  }
  const auto fixed = ParseDuration(text);
  if (!fixed) return "expected auto, none or a duration like 5m";
  *rule = {WarmUpRule::Kind::kFixed, *fixed};
  return "";
}

}  // namespace

RunCommand AddCompare(CLI::App& app) {
  const auto options = std::make_shared<CompareOptions>();
  CLI::App* compare =
      app.add_subcommand("compare", "Show scenarios side by side, and whether they really differ");
  compare->add_option("scenario", options->scenarios, "Scenario files; the first is the base")
      ->required()
      ->expected(2, 20);
  compare->add_option("--replications", options->replications, "Runs of each, seed by seed")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  compare->add_option("--seed", options->seed, "Of the first run of each")->capture_default_str();
  compare->add_option("--confidence", options->confidence, "Of each interval by itself")
      ->check(CLI::Range(0.5, 0.9999))
      ->capture_default_str();
  compare
      ->add_option_function<std::string>(
          "--warm-up", [options](const std::string& text) { ParseWarmUp(text, &options->warm_up); },
          "Left out of means over time: auto (MSER-5, the default), none or a duration")
      ->check([](const std::string& text) {
        WarmUpRule rule;
        return ParseWarmUp(text, &rule);
      });
  compare->add_option("--threads", options->threads, "One for each processor by default")
      ->check(CLI::Range(1, 1'024));
  compare
      ->add_option_function<std::string>(
          "-o,--output", [options](const std::string& form) { options->json = form == "json"; },
          "text (default) or json")
      ->check(CLI::IsMember({"text", "json"}));
  compare->add_option("--report", options->report,
                      "Write the first run of each as one HTML page with charts, overlaid; for two "
                      "scenarios");
  compare->footer(
      "Run i of every scenario has the same seed, so that what chance does to both cancels in the\n"
      "difference. Where nothing is drawn, intervals come from stretches of one run.\n"
      "Percentiles of latency are known in mode requests only; the oracle knows the future, and "
      "its\n"
      "cost is the least for which the scenario's objective can be kept.\n"
      "JSON: {scenarios, runs, confidence, warmUpSeconds, measures: [{name, lessIsBetter,\n"
      "intervalsFrom, values, differences}], notes}; what is not known is null.\n\n"
      "Example: what does plain PromQL cost in the flash crowd?\n"
      "  tidesim compare sim/scenarios/flash_crowd.yaml sim/scenarios/blind_scaler.yaml");
  return [options](Streams streams) { return RunCompare(*options, streams); };
}

}  // namespace tidegate::sim
