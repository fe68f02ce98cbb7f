#pragma once

#include <string>

#include "sim/report/openmetrics.h"
#include "sim/runner/scenario.h"
#include "sim/runner/simulate.h"

namespace tidegate::sim {

// Makes a recorder that fills `metrics` with what a Prometheus would hold of the run: the daemon
// scraped every scrape interval, the replicas as the scenario has them scraped. All arguments must
// outlive the run.
Recorder RecordTo(OpenMetrics& metrics, const Scenario& scenario);

// Writes a file, or says why it can't. It takes the file's place only once it is whole.
Expected<void> WriteExport(const OpenMetrics& metrics, const std::string& path);

}  // namespace tidegate::sim
