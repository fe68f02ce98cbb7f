#include "sim/runner/cmd_league.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "sim/runner/contestants.h"
#include "sim/runner/league.h"

namespace tidegate::sim {
namespace {

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const Contestant& contestant : Contestants()) names.emplace_back(contestant.name);
  return names;
}

struct LeagueArguments {
  LeagueOptions options;
  std::vector<double> scrapes{15, 30};
  double days = 4;
  double seen_late = 0;
};

}  // namespace

RunCommand AddLeague(CLI::App& app) {
  const auto arguments = std::make_shared<LeagueArguments>();
  LeagueOptions& options = arguments->options;
  CLI::App* league = app.add_subcommand(
      "league", "Play recorded loads with every policy: what each costs, and whom it fails");
  league->add_option("--traces", options.traces, "Folder of trace files")->required();
  league->add_option("--scrape", arguments->scrapes, "Seconds between scrapes: a league for each")
      ->check(CLI::Range(1.0, 600.0))
      ->capture_default_str();
  league
      ->add_option("--days", arguments->days,
                   "Of longer traces only so many are played, around the peak")
      ->check(CLI::Range(0.01, 1'000.0))
      ->capture_default_str();
  league
      ->add_option("--parts", options.parts,
                   "So many parts of longer traces, by falling peak; the second one is named like "
                   "the first with #2 behind")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  league
      ->add_option("--seen-late", arguments->seen_late,
                   "Seconds that the pool without lag sees the load late; half an interval between "
                   "scrapes is the age of what they tell")
      ->check(CLI::Range(0.0, 600.0))
      ->capture_default_str();
  league->add_option("--only", options.only, "Contestants")->check(CLI::IsMember(Names()));
  league->add_option("--trace", options.names, "Only loads whose names hold one of these");
  league->add_flag("--defaults-only", options.defaults_only,
                   "Don't look for the cheapest settings that keep the objective");
  league->add_option("--threads", options.threads, "One for each processor by default")
      ->check(CLI::Range(1, 1'024));
  league->add_option("--report", options.page, "Write an HTML page here");
  league
      ->add_option_function<std::string>(
          "-o,--output", [&options](const std::string& form) { options.json = form == "json"; },
          "text (default) or json")
      ->check(CLI::IsMember({"text", "json"}));
  league->footer(
      "Each load is scaled so that its peak needs 60 replicas of 8 workers (lognormal service\n"
      "times, mean 50 ms, variation 0.5; 20 s to start and probed every 5 s, 10 s to drain), with\n"
      "budgets of 100 % and 25 %. Bad is who waits longer than 200 ms, which leaves 250 ms with "
      "the\n"
      "mean service time. Objective: at most 0.1 % bad.\n\n"
      "Examples:\n  tidesim league --traces traces/data --report league.html\n"
      "  tidesim league --traces traces/data --parts 4 --trace '#'\n"
      "      the other days of long traces, without the busiest ones");
  return [arguments](Streams streams) {
    for (const double seconds : arguments->scrapes) {
      std::vector<Duration>& scrapes = arguments->options.scrapes;
      if (std::ranges::count(scrapes, FromSeconds(seconds)) == 0)
        scrapes.push_back(FromSeconds(seconds));
    }
    arguments->options.seen_late = FromSeconds(arguments->seen_late);
    arguments->options.part = FromSeconds(arguments->days * 86'400);
    return RunLeague(arguments->options, streams);
  };
}

}  // namespace tidegate::sim
