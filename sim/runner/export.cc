#include "sim/runner/export.h"

#include <memory>
#include <ostream>

#include "scheduler/metrics/tick_record.h"
#include "sim/runner/whole_file.h"

namespace tidegate::sim {

Recorder RecordTo(OpenMetrics& metrics, const Scenario& scenario) {
  Recorder recorder;
  const auto next_scrape = std::make_shared<Instant>(scenario.start);
  recorder.tick = [&metrics, &scenario, next_scrape](const loop::ControlLoop& loop, World& world,
                                                     const TickTimes& times) {
    const auto tick = loop.last();
    const telemetry::TickRecord record{.tick = tick.get(),
                                       .state = &loop.state(),
                                       .pools = loop.pools(),
                                       .took = times.took,
                                       .late = times.late,
                                       .period = scenario.tick};
    if (tick->at >= *next_scrape) {
      metrics.AddTick(record);
      *next_scrape = tick->at + scenario.scrape_interval;
    } else {
      metrics.AddUnseenTick(record);
    }
    for (auto& [id, pool] : world) metrics.AddRequests(id, pool.scraper->Query(tick->at));
  };
  return recorder;
}

Expected<void> WriteExport(const OpenMetrics& metrics, const std::string& path) {
  return WriteWhole(path, [&metrics](std::ostream& out) { metrics.Write(out); });
}

}  // namespace tidegate::sim
