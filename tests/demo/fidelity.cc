#include "tests/demo/fidelity.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <limits>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "policies/base/instant.h"
#include "tests/testing/child_process.h"

namespace tidegate::demo {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr Duration kPatience{60'000};
constexpr Duration kScrapeInterval{5'000};
constexpr double kTickSeconds = 1;
constexpr int kSeeds = 5;  // of each run; they draw little but service times

// Requests come as the replay of the demo sends them, with its default seed.
constexpr const char* kScenario = R"(apiVersion: tidegate.dev/v1alpha1
kind: Scenario
metadata: {{name: demo}}
spec:
  manifests: [fidelity]
  trace: {trace}
  tick: {tick}ms
  firstTick: {first_tick}ms
  scrapeInterval: {interval}ms
  discovery: {discovery}ms
  metrics: {{phases: [{phases}]}}
  tail: 30s
  mode: requests
  rollouts: [{rollout}ms]
  service: {{workersPerReplica: 6, startup: {startup}ms, drain: 1s}}
  requests:
    balancing: oneLine
    arrivals: {{spacing: replay}}
    serviceTimes:
      distribution: empirical
      seconds: [{times}]
)";

// What the journal tells of a run, by time since the replay began.
struct Seen {
  double at = 0;  // seconds
  Replicas ready = 0;
  Replicas starting = 0;
  std::vector<std::string> starts;  // the replicas that it asks for
  std::string revision;
};

Expected<json::value> Parse(const std::string& text, const std::string& what) {
  json::error_code error;
  json::value value = json::parse(text, error);
  if (error) return Fail(ErrorCode::kInvalid, what + " is no JSON: " + text.substr(0, 200));
  return value;
}

// The replay's report is written when it ends.
double BeganAt(const fs::path& report, double elapsed) {
  const auto written = fs::last_write_time(report);
  const auto system = std::chrono::file_clock::to_sys(written).time_since_epoch();
  return std::chrono::duration<double>(system).count() - elapsed;
}

Expected<std::vector<Seen>> ReadJournal(const fs::path& dir, const Programs& programs,
                                        double began) {
  TIDEGATE_TRY(const testing::ProgramResult told,
               testing::RunProgram({programs.tidegate.string(), "explain",
                                    "istio-system/ingressgateway", "--last", "1000", "--journal",
                                    (dir / "state" / "journal.db").string(), "--output", "json"},
                                   kPatience));
  TIDEGATE_TRY(const json::value decisions, Parse(told.output, "tidegate explain"));
  std::vector<Seen> seen;
  for (const json::value& decision : decisions.as_array()) {
    TIDEGATE_TRY(const Instant at, ParseInstant(std::string(decision.at("at").as_string())));
    const json::value& counts = decision.at("counts");
    std::vector<std::string> starts;
    for (const json::value& step : decision.at("plan").at("steps").as_array()) {
      if (step.at("kind") == "start") starts.emplace_back(step.at("replica").as_string());
    }
    seen.push_back({.at = static_cast<double>(UnixMillis(at)) / 1'000 - began,
                    .ready = counts.at("ready").to_number<Replicas>(),
                    .starting = counts.at("starting").to_number<Replicas>(),
                    .starts = std::move(starts),
                    .revision = std::string(decision.at("revision").as_string())});
  }
  std::ranges::stable_sort(seen, {}, &Seen::at);
  if (seen.empty()) return Fail(ErrorCode::kNotFound, "the journal has no decision");
  return seen;
}

// From the first start of a group until none is starting any more; the median of them.
double StartupOf(const std::vector<Seen>& seen) {
  std::vector<double> took;
  double since = -1;
  for (const Seen& one : seen) {
    if (since >= 0 && one.starting == 0) {
      took.push_back(one.at - since);
      since = -1;
    }
    if (!one.starts.empty() && since < 0) since = one.at;
  }
  if (took.empty()) return 0;
  std::ranges::sort(took);
  return took[took.size() / 2];
}

// When the daemon ticked, in milliseconds since the replay began.
struct Ticks {
  std::int64_t first = 0;
  std::int64_t period = 0;  // the median: most ticks wait for it, and it holds what waking up takes
};

Expected<Ticks> TicksOf(const std::vector<Seen>& seen) {
  const auto first = std::ranges::find_if(seen, [](const Seen& one) { return one.at >= 0; });
  std::vector<double> gaps;
  for (std::size_t i = 1; i < seen.size(); ++i) gaps.push_back(seen[i].at - seen[i - 1].at);
  if (first == seen.end() || gaps.empty()) {
    return Fail(ErrorCode::kNotFound, "the journal has no decision of during the replay");
  }
  std::ranges::nth_element(gaps, gaps.begin() + static_cast<std::ptrdiff_t>(gaps.size() / 2));
  const double period = gaps[gaps.size() / 2];
  if (period < kTickSeconds || period > 1.5 * kTickSeconds) {
    return Fail(ErrorCode::kInvalid, "the journal does not have every tick of the run");
  }
  return Ticks{std::llround(first->at * 1'000), std::llround(period * 1'000)};
}

// What the way to the upstream and back adds to its time: from the medians of the replay's seconds,
// most of which are calm.
Expected<double> OverheadMillis(const json::value& report) {
  std::vector<double> medians;
  for (const json::value& second : report.at("seconds").as_array()) {
    medians.push_back(second.at("p50_ms").to_number<double>());
  }
  if (medians.empty()) return Fail(ErrorCode::kNotFound, "the replay's report has no second");
  const auto middle = medians.begin() + static_cast<std::ptrdiff_t>(medians.size() / 2);
  std::ranges::nth_element(medians, middle);
  return *middle - kUpstreamMillis[kUpstreamMillis.size() / 2];
}

double RolloutOf(const std::vector<Seen>& seen) {
  for (const Seen& one : seen) {
    if (one.revision != seen.front().revision) return one.at;
  }
  return 0;
}

// The number at the end of a replica's name: the order in which replicas were asked for.
int OrdinalOf(std::string_view replica) {
  const auto dash = replica.rfind('-');
  int ordinal = 0;
  if (dash != std::string_view::npos) {
    std::from_chars(replica.data() + dash + 1, replica.data() + replica.size(), ordinal);
  }
  return ordinal;
}

// How Prometheus came by the run's replicas.
struct Scrapes {
  // When it scraped them, in the order in which they were asked for: since the replay began, modulo
  // the interval.
  std::vector<Duration> phases;
  // From a start until it knew the replica, on average: what is left of the time to the first
  // scrape when half an interval, the wait for a phase that is drawn, is taken off.
  Duration discovery{0};
};

// The first scrape of each replica, in seconds since the replay began. The server is gone; what it
// wrote is there.
Expected<std::map<std::string, double>> FirstScrapes(const fs::path& dir, double began) {
  constexpr std::string_view kLabel = "replica=\"";
  TIDEGATE_TRY(const testing::ProgramResult told,
               testing::RunProgram({"promtool", "tsdb", "dump",
                                    "--match={__name__=\"haproxy_frontend_http_requests_total\"}",
                                    (dir / "prometheus").string()},
                                   kPatience));
  std::map<std::string, double> first;
  std::istringstream lines(told.output);
  // {__name__="...", replica="ingressgateway-f6b47dc7-5"} 579 1795740605842
  for (std::string line; std::getline(lines, line);) {
    const auto label = line.find(kLabel);
    if (label == std::string::npos) continue;
    const auto name = label + kLabel.size();
    const std::string time = line.substr(line.rfind(' ') + 1);
    const double at = std::strtod(time.c_str(), nullptr) / 1'000 - began;
    const auto [known, is_new] =
        first.try_emplace(line.substr(name, line.find('"', name) - name), at);
    if (!is_new) known->second = std::min(known->second, at);
  }
  if (first.empty()) {
    return Fail(ErrorCode::kNotFound, "its Prometheus holds no scrape: " + told.output);
  }
  return first;
}

Expected<Scrapes> ReadScrapes(const fs::path& dir, double began, const std::vector<Seen>& seen) {
  TIDEGATE_TRY(const auto first, FirstScrapes(dir, began));
  std::map<int, Duration> by_ordinal;
  for (const auto& [replica, at] : first) {
    const Duration since(std::llround(at * 1'000));
    by_ordinal[OrdinalOf(replica)] = (since % kScrapeInterval + kScrapeInterval) % kScrapeInterval;
  }
  double waits = 0;
  int started = 0;
  for (const Seen& one : seen) {
    for (const std::string& replica : one.starts) {
      const auto scraped = first.find(replica);
      if (scraped == first.end()) continue;
      waits += scraped->second - one.at;
      ++started;
    }
  }
  Scrapes scrapes;
  for (const auto& [ordinal, phase] : by_ordinal) scrapes.phases.push_back(phase);
  if (started > 0) {
    scrapes.discovery = std::max(Duration(0), FromSeconds(waits / started) - kScrapeInterval / 2);
  }
  return scrapes;
}

// The manifests as they were before the switch.
void WriteManifests(const fs::path& dir) {
  fs::create_directories(dir / "fidelity");
  std::string gateway = testing::ReadFile(dir / "manifests" / "gateway.yaml");
  const auto logs = gateway.find("    asm.alibabacloud.com/aliyun-logs-project");
  if (logs != std::string::npos) gateway.erase(logs, gateway.find('\n', logs) + 1 - logs);
  std::ofstream(dir / "fidelity" / "gateway.yaml") << gateway;
  std::ofstream(dir / "fidelity" / "scaler.yaml")
      << testing::ReadFile(dir / "manifests" / "scaler.yaml");
}

// The run's scenario, but for its last line, the seed.
Expected<std::string> ScenarioOf(const fs::path& dir, const fs::path& trace, double began,
                                 const std::vector<Seen>& seen, double overhead_ms) {
  TIDEGATE_TRY(const Scrapes scrapes, ReadScrapes(dir, began, seen));
  TIDEGATE_TRY(const Ticks ticks, TicksOf(seen));
  std::string times, phases;
  for (const Duration phase : scrapes.phases) {
    phases += fmt::format("{}{}ms", phases.empty() ? "" : ", ", phase.count());
  }
  for (const int millis : kUpstreamMillis) {
    times += fmt::format("{}{:.5f}", times.empty() ? "" : ", ", (millis + overhead_ms) / 1'000);
  }
  return fmt::format(
      kScenario, fmt::arg("trace", trace.string()), fmt::arg("tick", ticks.period),
      fmt::arg("first_tick", ticks.first), fmt::arg("interval", kScrapeInterval.count()),
      fmt::arg("discovery", scrapes.discovery.count()), fmt::arg("phases", phases),
      fmt::arg("rollout", std::lround(RolloutOf(seen) * 1'000)),
      fmt::arg("startup", std::lround(StartupOf(seen) * 1'000)), fmt::arg("times", times));
}

Expected<json::value> SimulateRun(const fs::path& dir, const Programs& programs,
                                  const std::string& text, int seed) {
  const fs::path scenario = dir / "fidelity.yaml";
  std::ofstream(scenario) << text << "  seed: " << seed << "\n";
  TIDEGATE_TRY(const testing::ProgramResult run,
               testing::RunProgram(
                   {programs.tidesim.string(), "run", scenario.string(), "-o", "json"}, kPatience));
  TIDEGATE_TRY(const json::value summary, Parse(run.output, "tidesim run"));
  return summary.at("pools").at(0);
}

Replicas ReadyAt(const std::vector<Seen>& seen, double at) {
  const auto after = std::ranges::upper_bound(seen, at, {}, &Seen::at);
  return after == seen.begin() ? after->ready : std::prev(after)->ready;
}

// One simulated pool's part of the means of `seeds`.
void Add(const json::value& pool, const std::vector<Seen>& seen, double length, int seeds,
         Fidelity* fidelity) {
  Replicas peak = 0;
  double difference = 0;
  int moments = 0;
  for (const json::value& moment : pool.at("moments").as_array()) {
    const auto ready = moment.at("ready").to_number<Replicas>();
    const auto at = moment.at("seconds").to_number<double>();
    peak = std::max(peak, ready);
    if (at > length) continue;
    difference += std::abs(ready - ReadyAt(seen, at));
    ++moments;
  }
  const double p99 = pool.at("requests").at("latencySeconds").at("p99").to_number<double>() * 1'000;
  fidelity->ready_difference += difference / std::max(moments, 1) / seeds;
  fidelity->simulated_peak += static_cast<double>(peak) / seeds;
  fidelity->simulated_p99_ms += p99 / seeds;
  fidelity->least_p99_ms = std::min(fidelity->least_p99_ms, p99);
  fidelity->most_p99_ms = std::max(fidelity->most_p99_ms, p99);
}

// Percentiles of latency that are called the same.
bool Near(double live, double simulated) { return std::abs(simulated - live) <= 0.25 * live; }

}  // namespace

Expected<Fidelity> MeasureFidelity(const fs::path& dir, const Programs& programs,
                                   const fs::path& trace, int seeds) {
  TIDEGATE_TRY(const json::value report,
               Parse(testing::ReadFile(dir / "replay.json"), "replay.json"));
  const double length = report.at("elapsed_s").to_number<double>();
  const double began = BeganAt(dir / "replay.json", length);
  TIDEGATE_TRY(const auto seen, ReadJournal(dir, programs, began));
  Fidelity fidelity;
  TIDEGATE_TRY(fidelity.overhead_ms, OverheadMillis(report));
  TIDEGATE_TRY(const std::string scenario,
               ScenarioOf(dir, trace, began, seen, fidelity.overhead_ms));
  fidelity.startup_seconds = StartupOf(seen);
  fidelity.live_p99_ms = report.at("latency_ms").at("p99").to_number<double>();
  fidelity.least_p99_ms = std::numeric_limits<double>::max();
  for (const Seen& one : seen) fidelity.live_peak = std::max(fidelity.live_peak, one.ready);
  WriteManifests(dir);
  for (int seed = 1; seed <= seeds; ++seed) {
    TIDEGATE_TRY(const json::value pool, SimulateRun(dir, programs, scenario, seed));
    Add(pool, seen, length, seeds, &fidelity);
  }
  return fidelity;
}

bool PrintFidelity(const std::vector<fs::path>& dirs, const Programs& programs,
                   const fs::path& trace) {
  bool good = true;
  double live = 0, simulated = 0;
  int close = 0;
  std::cout << fmt::format(
      "Each run is simulated with {} seeds: requests sent, replicas scraped and the daemon's ticks "
      "when they were.\n"
      "start-up  overhead   ready differ by   p99 live, simulated (from - to)           peak live, "
      "simulated\n",
      kSeeds);
  for (const fs::path& dir : dirs) {
    const auto run = MeasureFidelity(dir, programs, trace, kSeeds);
    if (!run) {
      std::cerr << dir.string() << ": " << run.error().message << "\n";
      return false;
    }
    std::cout << fmt::format(
        "{:>5.0f} ms  {:>5.2f} ms   {:>15.2f}   {:>5.0f} ms {:>6.0f} ms ({:>3.0f} - {:>3.0f}) "
        "{:>+4.0f} %   "
        "{:>9} {:>11.1f}   {}\n",
        run->startup_seconds * 1'000, run->overhead_ms, run->ready_difference, run->live_p99_ms,
        run->simulated_p99_ms, run->least_p99_ms, run->most_p99_ms,
        (run->simulated_p99_ms / run->live_p99_ms - 1) * 100, run->live_peak, run->simulated_peak,
        dir.filename().string());
    close += Near(run->live_p99_ms, run->simulated_p99_ms) ? 1 : 0;
    good =
        good && run->ready_difference <= 1 && std::abs(run->live_peak - run->simulated_peak) <= 1;
    live += run->live_p99_ms;
    simulated += run->simulated_p99_ms;
  }
  const auto runs = static_cast<double>(dirs.size());
  good = good && Near(live, simulated);
  std::cout << fmt::format(
      "mean p99 of {} runs: live {:.0f} ms, simulated {:.0f} ms ({:+.0f} %); {} of them "
      "within 25 % by themselves\n{}\n",
      dirs.size(), live / runs, simulated / runs, (simulated / live - 1) * 100, close,
      good ? "faithful: ready within 1, peaks within 1, mean p99 within 25 %"
           : "NOT faithful: asked are ready within 1, peaks within 1, mean "
             "p99 within 25 %");
  return good;
}

}  // namespace tidegate::demo
