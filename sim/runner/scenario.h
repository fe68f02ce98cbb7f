#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policies/base/instant.h"
#include "scheduler/config/load.h"
#include "scheduler/config/yaml_tree.h"
#include "sim/ports/slow_ports.h"
#include "sim/runner/fleet_model.h"
#include "sim/world/service_model.h"
#include "traces/format/trace.h"

namespace tidegate::sim {

// Prometheus is down: nothing is scraped, no query is answered.
struct MetricsOutage {
  Duration at{0};  // since the trace's start
  Duration lasts{0};
};

// What gets lost and delayed on the way from replicas to the scaler, and how rates come about.
struct MetricsModel {
  double lost_scrapes = 0;       // share of scrapes; 0 .. 1
  int first_scrapes_lost = 0;    // of each new replica; 0 .. 100
  bool born_by_request = false;  // series begin with their first request, not at zero
  Duration latency{0};           // of a scrape; 0 .. its timeout, 10 s or the interval
  Duration query_delay{0};       // queries see what was stored this long before; 0 .. 1 h
  // When the first replicas of each pool are scraped, in the order in which they are discovered:
  // since the trace's start, 0 .. interval. Those of others are drawn.
  std::vector<Duration> phases;
  std::vector<MetricsOutage> outages;
  // Presets by rate(), as with the daemon's prometheus.mode promql, instead of by raw samples.
  bool promql = false;
  std::optional<Duration> window;  // that rates look back; 4 scrape intervals where unset
  int prometheus_version = 2;      // 2: ranges are [t - range, t]; 3: (t - range, t]
  std::string request_counter = "haproxy_frontend_http_requests_total";  // in exports
};

// What a pool promises. It is not enforced: a run's cost is measured against the fewest
// replica-seconds that keep it.
struct Objective {
  double bad_fraction = 0.001;   // at most this share of requests is bad; 0 .. 1
  std::optional<Duration> wait;  // waiting longer is bad; 0 .. patience, patience where unset
};

enum class Mode {
  kFluid,     // flows; days in a second
  kRequests,  // each request by itself: latencies, balancing, retries
};

// What one pool has of its own, in the place of what the scenario says for all.
struct OwnWorld {
  std::string trace_file;
  std::shared_ptr<const traces::Trace> trace;  // null: the scenario's
  std::optional<ServiceModel> service;         // unset: the scenario's
};

// What to simulate: kind Scenario, apiVersion tidegate.dev/v1alpha1. Relative paths are relative to
// the file.
struct Scenario {
  std::string name;
  std::vector<std::string> manifests;  // gateways and scalers, as the daemon reads them
  std::string trace;  // a trace file of any form; the load of pools without their own
  // The load before the trace, as policies that learn from the past (`forecast`) find it in
  // Prometheus; unset: the run begins without a past.
  std::shared_ptr<const traces::Trace> history;
  double scale = 1;      // the requests of both times this; > 0
  Duration tick{5'000};  // of the control loop; 1 s .. 1 h
  TickModel tick_takes;
  // Since the trace's start, 0 .. 1 h; where unset, as soon as replicas that were asked for at the
  // start would be ready.
  std::optional<Duration> first_tick;
  // A tick doesn't wait for its period once a replica's phase or a template changed. Where unset,
  // as the daemon has it: with managed replicas, and not with a Deployment's.
  std::optional<bool> early_ticks;
  Duration scrape_interval{30'000};  // 1 s .. 1 h
  // Until Prometheus knows a new replica. It passes on what its discovery finds every 5 s and takes
  // that over every 5 s; in 108 starts under http_sd_configs refreshed each second it took 4.1 s on
  // average, with the first scrape 2.5 to 10.2 s after the start.
  Duration discovery{4'000};
  MetricsModel metrics;
  Objective objective;
  Duration tail{60'000};  // goes on this long after the trace's end
  Mode mode = Mode::kFluid;
  // Pools one behind the other: what one has served goes on to the next; only the first takes the
  // trace. In mode requests.
  std::vector<PoolId> chain;
  ServiceModel service;
  std::map<PoolId, OwnWorld> pools;
  FleetModel fleet;
  std::uint64_t seed = 1;                             // of what is drawn
  Instant start = FromUnixMillis(1'767'225'600'000);  // 2026-01-01T00:00:00Z, when the trace begins
};

bool TicksEarly(const Scenario& scenario);
const ServiceModel& ServiceOf(const Scenario& scenario, const PoolId& pool);
// What clients are promised, of pools without a service of their own and of this one.
Duration LongestGoodWait(const Scenario& scenario);
Duration LongestGoodWait(const Scenario& scenario, const PoolId& pool);

// Reads one scenario file. Its problems are of the same form as those of manifests.
struct LoadedScenario {
  Scenario scenario;
  config::Problems problems;  // `scenario` is of use only where this is empty
};
LoadedScenario LoadScenario(const std::string& path);

// The same in two steps, for documents that get changed in between.
struct ScenarioDocument {
  std::string path;
  config::Node root;
  config::Problems problems;  // `root` is of use only where this is empty
};
ScenarioDocument ReadScenario(const std::string& path);
LoadedScenario LoadScenario(const ScenarioDocument& document);

}  // namespace tidegate::sim
