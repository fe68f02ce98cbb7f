#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "policies/base/expected.h"
#include "sim/runner/scenario.h"
#include "sim/runner/simulate.h"

namespace tidegate::sim {

// Runs that are to become one HTML page.
class RunReport {
 public:
  // `file` is where the scenario was read from. At most kMostReportRuns runs.
  void Add(const std::string& file, const Scenario& scenario, RunResult result);
  std::size_t size() const { return entries_.size(); }
  // Precondition: a run was added.
  Expected<void> Write(const std::string& path) const;

 private:
  struct Entry {
    std::string file;
    Scenario scenario;
    RunResult result;
  };
  std::string NameOf(const Entry& entry) const;

  std::vector<Entry> entries_;
};

}  // namespace tidegate::sim
