#include "tests/demo/fidelity.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "policies/base/instant.h"
#include "tests/testing/child_process.h"

namespace tidegate::demo {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr Duration kPatience{60'000};

// The upstream answers after 40 to 60 ms in turn; two proxies add a third of one.
constexpr const char* kScenario = R"(apiVersion: tidegate.dev/v1alpha1
kind: Scenario
metadata: {{name: demo}}
spec:
  manifests: [fidelity]
  trace: {trace}
  tick: 1s
  scrapeInterval: 5s
  discovery: 1s
  tail: 30s
  mode: requests
  seed: {seed}
  rollouts: [{rollout}ms]
  service: {{workersPerReplica: 6, startup: {startup}ms, drain: 1s}}
  requests:
    balancing: least
    arrivals: {{spacing: even}}
    serviceTimes:
      distribution: empirical
      seconds: [{times}]
)";

// What the journal tells of a run, by time since the replay began.
struct Seen {
  double at = 0;  // seconds
  Replicas ready = 0;
  Replicas starting = 0;
  bool starts = false;  // it asks for a start
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
    const auto& steps = decision.at("plan").at("steps").as_array();
    seen.push_back({.at = static_cast<double>(UnixMillis(at)) / 1'000 - began,
                    .ready = counts.at("ready").to_number<Replicas>(),
                    .starting = counts.at("starting").to_number<Replicas>(),
                    .starts = std::ranges::any_of(
                        steps, [](const json::value& s) { return s.at("kind") == "start"; }),
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
    if (one.starts && since < 0) since = one.at;
  }
  if (took.empty()) return 0;
  std::ranges::sort(took);
  return took[took.size() / 2];
}

double RolloutOf(const std::vector<Seen>& seen) {
  for (const Seen& one : seen) {
    if (one.revision != seen.front().revision) return one.at;
  }
  return 0;
}

Expected<json::value> SimulateRun(const fs::path& dir, const Programs& programs,
                                  const fs::path& trace, std::uint64_t seed,
                                  const std::vector<Seen>& seen) {
  // The manifests as they were before the switch.
  fs::create_directories(dir / "fidelity");
  std::string gateway = testing::ReadFile(dir / "manifests" / "gateway.yaml");
  const auto logs = gateway.find("    asm.alibabacloud.com/aliyun-logs-project");
  if (logs != std::string::npos) gateway.erase(logs, gateway.find('\n', logs) + 1 - logs);
  std::ofstream(dir / "fidelity" / "gateway.yaml") << gateway;
  std::ofstream(dir / "fidelity" / "scaler.yaml")
      << testing::ReadFile(dir / "manifests" / "scaler.yaml");
  std::string times;
  for (int millis = 40; millis <= 60; ++millis) {
    times += fmt::format("{}{:.4f}", times.empty() ? "" : ", ", (millis + 0.33) / 1'000);
  }
  const fs::path scenario = dir / "fidelity.yaml";
  std::ofstream(scenario) << fmt::format(
      kScenario, fmt::arg("trace", trace.string()), fmt::arg("seed", seed),
      fmt::arg("rollout", std::lround(RolloutOf(seen) * 1'000)),
      fmt::arg("startup", std::lround(StartupOf(seen) * 1'000)), fmt::arg("times", times));
  TIDEGATE_TRY(const testing::ProgramResult run,
               testing::RunProgram(
                   {programs.tidesim.string(), "run", scenario.string(), "-o", "json"}, kPatience));
  return Parse(run.output, "tidesim run");
}

Replicas ReadyAt(const std::vector<Seen>& seen, double at) {
  const auto after = std::ranges::upper_bound(seen, at, {}, &Seen::at);
  return after == seen.begin() ? after->ready : std::prev(after)->ready;
}

}  // namespace

Expected<Fidelity> MeasureFidelity(const fs::path& dir, const Programs& programs,
                                   const fs::path& trace, std::uint64_t seed) {
  TIDEGATE_TRY(const json::value report,
               Parse(testing::ReadFile(dir / "replay.json"), "replay.json"));
  const double length = report.at("elapsed_s").to_number<double>();
  TIDEGATE_TRY(const auto seen, ReadJournal(dir, programs, BeganAt(dir / "replay.json", length)));
  TIDEGATE_TRY(const json::value run, SimulateRun(dir, programs, trace, seed, seen));
  const json::value& pool = run.at("pools").at(0);
  Fidelity fidelity;
  fidelity.startup_seconds = StartupOf(seen);
  fidelity.live_p99_ms = report.at("latency_ms").at("p99").to_number<double>();
  fidelity.simulated_p99_ms =
      pool.at("requests").at("latencySeconds").at("p99").to_number<double>() * 1'000;
  for (const Seen& one : seen) fidelity.live_peak = std::max(fidelity.live_peak, one.ready);
  int seconds = 0;
  for (const json::value& moment : pool.at("moments").as_array()) {
    const auto ready = moment.at("ready").to_number<Replicas>();
    const auto at = moment.at("seconds").to_number<double>();
    fidelity.simulated_peak = std::max(fidelity.simulated_peak, ready);
    if (at > length) continue;
    fidelity.ready_difference += std::abs(ready - ReadyAt(seen, at));
    ++seconds;
  }
  if (seconds > 0) fidelity.ready_difference /= seconds;
  return fidelity;
}

bool PrintFidelity(const std::vector<fs::path>& dirs, const Programs& programs,
                   const fs::path& trace) {
  bool good = true;
  double live = 0, simulated = 0;
  std::uint64_t seed = 0;
  std::cout << "start-up   ready differ by   p99 live, simulated   peak live, simulated\n";
  for (const fs::path& dir : dirs) {
    const auto run = MeasureFidelity(dir, programs, trace, ++seed);
    if (!run) {
      std::cerr << dir.string() << ": " << run.error().message << "\n";
      return false;
    }
    std::cout << fmt::format(
        "{:>5.0f} ms   {:>15.2f}   {:>7.0f} ms {:>7.0f} ms   {:>9} {:>11}   {}\n",
        run->startup_seconds * 1'000, run->ready_difference, run->live_p99_ms,
        run->simulated_p99_ms, run->live_peak, run->simulated_peak, dir.filename().string());
    good =
        good && run->ready_difference <= 1 && std::abs(run->live_peak - run->simulated_peak) <= 1;
    live += run->live_p99_ms;
    simulated += run->simulated_p99_ms;
  }
  const auto runs = static_cast<double>(dirs.size());
  good = good && std::abs(simulated - live) <= 0.25 * live;
  std::cout << fmt::format(
      "mean p99 of {} runs: live {:.0f} ms, simulated {:.0f} ms ({:+.0f} %)\n{}\n", dirs.size(),
      live / runs, simulated / runs, (simulated / live - 1) * 100,
      good ? "faithful: ready within 1, peaks within 1, mean p99 within 25 %"
           : "NOT faithful: asked are ready within 1, peaks within 1, mean "
             "p99 within 25 %");
  return good;
}

}  // namespace tidegate::demo
