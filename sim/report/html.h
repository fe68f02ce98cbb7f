#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "scheduler/decision/decision.h"
#include "sim/checks/budget_check.h"
#include "sim/report/table.h"

namespace tidegate::sim {

// One run as a report shows it. What it points to must outlive the call.
struct ReportRun {
  std::string name;
  const RunSummary* summary = nullptr;
  std::span<const decision::Decision> decisions;  // of all pools, in time order
  Instant start{};                                // when the trace began
  // What was run, in the words of the scenario: {"tick", "5s"}.
  std::vector<std::pair<std::string, std::string>> facts;
  // Where a promise of a pool was broken, in time order; pools without are left out.
  std::map<PoolId, std::vector<BudgetBreach>> breaches;
};

inline constexpr std::size_t kMostReportRuns = 2;

// Bounds of a page, whatever was run. Rows and decisions are shared out among the pools.
struct ReportBounds {
  std::size_t pools = 40;  // of each run; the others are left out, and the page says so
  std::size_t rows = 4'800;
  std::size_t rows_of_pool = 2'400;  // at most, of one pool in one run; even
  std::size_t decisions = 800;
  std::size_t decision_bytes = 3'000;  // of one text, which ends in "..." where it is cut
  std::size_t breaches = 100;          // of one pool in one run, the first ones
};

// The report as one HTML page that needs no other file and no network: scripts, styles and data
// are inside, and its security policy forbids everything else. The second run is laid over the
// first, pool by pool. Series are thinned to the bounds with both ends of every stretch kept, as
// TimeLine does. Equal runs give equal bytes.
// Precondition: 1 .. kMostReportRuns runs.
std::string ToHtml(std::span<const ReportRun> runs, const ReportBounds& bounds = {});

}  // namespace tidegate::sim
