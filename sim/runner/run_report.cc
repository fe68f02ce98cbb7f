#include "sim/runner/run_report.h"

#include <algorithm>
#include <map>
#include <ostream>
#include <utility>

#include <fmt/format.h>

#include "policies/base/check.h"
#include "sim/report/html.h"
#include "sim/runner/whole_file.h"

namespace tidegate::sim {
namespace {

using Facts = std::vector<std::pair<std::string, std::string>>;

void AddMetrics(const MetricsModel& metrics, Facts& facts) {
  facts.emplace_back("rates", metrics.promql ? "plain PromQL" : "from raw samples");
  if (metrics.window) facts.emplace_back("rates look back", FormatDuration(*metrics.window));
  if (metrics.lost_scrapes > 0) {
    facts.emplace_back("scrapes lost", fmt::format("{:g} %", metrics.lost_scrapes * 100));
  }
  if (metrics.first_scrapes_lost > 0) {
    facts.emplace_back("first scrapes lost", fmt::format("{}", metrics.first_scrapes_lost));
  }
  if (metrics.latency > Duration(0)) {
    facts.emplace_back("a scrape takes", FormatDuration(metrics.latency));
  }
  if (metrics.query_delay > Duration(0)) {
    facts.emplace_back("queries are behind by", FormatDuration(metrics.query_delay));
  }
}

void AddTick(const Scenario& scenario, Facts& facts) {
  facts.emplace_back("tick", FormatDuration(scenario.tick));
  const TickModel& takes = scenario.tick_takes;
  if (takes.queries > Duration(0)) {
    facts.emplace_back("a tick's queries take", FormatDuration(takes.queries));
  }
  if (takes.each_step > Duration(0)) {
    facts.emplace_back("a step takes", FormatDuration(takes.each_step));
  }
}

void AddFleet(const FleetModel& fleet, Facts& facts) {
  facts.emplace_back("replicas are",
                     fleet.owner == Owner::kManaged ? "ours, step by step" : "a Deployment's");
  if (fleet.placement.quota) {
    facts.emplace_back("quota", fmt::format("{}", *fleet.placement.quota));
  }
  if (!fleet.placement.zones.empty()) {
    facts.emplace_back("zones", fmt::format("{}", fmt::join(fleet.placement.zones, ", ")));
  }
  for (const ZoneLoss& loss : fleet.placement.losses) {
    facts.emplace_back("zone lost",
                       fmt::format("{} at {} for {}", loss.zone, FormatDuration(loss.at),
                                   FormatDuration(loss.lasts)));
  }
  for (const Duration at : fleet.rollouts) facts.emplace_back("rollout at", FormatDuration(at));
}

std::string OneReplica(const ServiceModel& service) {
  return fmt::format("{} workers of {:g} s a request: {:.4g} requests/s", service.workers,
                     service.service_seconds, service.capacity());
}

Facts FactsOf(const std::string& file, const Scenario& scenario) {
  const ServiceModel& service = scenario.service;
  Facts facts{{"scenario", file}};
  for (const std::string& manifest : scenario.manifests) facts.emplace_back("manifests", manifest);
  facts.emplace_back("trace", scenario.trace);
  if (scenario.scale != 1) facts.emplace_back("scaled by", fmt::format("{:g}", scenario.scale));
  facts.emplace_back("mode", scenario.mode == Mode::kFluid ? "fluid" : "requests, each by itself");
  facts.emplace_back("begins", FormatInstant(scenario.start));
  AddTick(scenario, facts);
  facts.emplace_back("scrape interval", FormatDuration(scenario.scrape_interval));
  AddMetrics(scenario.metrics, facts);
  facts.emplace_back("one replica", OneReplica(service));
  for (const auto& [pool, own] : scenario.pools) {
    if (own.trace) facts.emplace_back("trace of " + ToString(pool), own.trace_file);
    if (own.service)
      facts.emplace_back("one replica of " + ToString(pool), OneReplica(*own.service));
  }
  facts.emplace_back("clients wait", fmt::format("{:g} s", service.patience_seconds));
  AddFleet(scenario.fleet, facts);
  facts.emplace_back("start-up", FormatDuration(service.startup));
  facts.emplace_back("drain", FormatDuration(service.drain));
  facts.emplace_back("seed", fmt::format("{}", scenario.seed));
  return facts;
}

std::map<PoolId, std::vector<BudgetBreach>> BreachesOf(const RunResult& result) {
  std::map<PoolId, std::vector<BudgetBreach>> breaches;
  for (const auto& [pool, breach] : result.breaches) breaches[pool].push_back(breach);
  return breaches;
}

}  // namespace

void RunReport::Add(const std::string& file, const Scenario& scenario, RunResult result) {
  TIDEGATE_CHECK(entries_.size() < kMostReportRuns, "a page shows so many runs");
  entries_.push_back({file, scenario, std::move(result)});
}

// Two versions of one scenario are often called the same.
std::string RunReport::NameOf(const Entry& entry) const {
  const auto same = std::ranges::count(entries_, entry.scenario.name,
                                       [](const Entry& other) { return other.scenario.name; });
  return same == 1 ? entry.scenario.name : entry.file;
}

Expected<void> RunReport::Write(const std::string& path) const {
  std::vector<ReportRun> runs;
  for (const Entry& entry : entries_) {
    runs.push_back({.name = NameOf(entry),
                    .summary = &entry.result.summary,
                    .decisions = entry.result.decisions,
                    .start = entry.scenario.start,
                    .facts = FactsOf(entry.file, entry.scenario),
                    .breaches = BreachesOf(entry.result)});
  }
  const std::string html = ToHtml(runs);
  return WriteWhole(path, [&html](std::ostream& out) { out << html; });
}

}  // namespace tidegate::sim
