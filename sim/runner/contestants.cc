#include "sim/runner/contestants.h"

#include <array>
#include <cmath>

#include <fmt/format.h>

#include "scheduler/config/load.h"

namespace tidegate::sim {
namespace {

// A signal with this target and one policy with its options.
std::string Spec(double target, std::string_view policy) {
  return fmt::format(
      "  signals:\n"
      "    - {{name: requests, preset: haproxy, metric: requests, target: {{perReplica: "
      "{:.9g}}}}}\n"
      "  policies: [{}]\n",
      target, policy);
}

std::string KpaSpec(double knob) {
  return Spec(kLeagueCapacity,
              fmt::format("{{name: kpa, targetUtilizationPercentage: {:.9g}}}", knob));
}
std::string QueueingSpec(double knob) {
  return Spec(kLeagueCapacity, fmt::format("{{name: queueing, utilization: {:.9g}}}", knob));
}
std::string HpaSpec(double knob) { return Spec(kLeagueCapacity * knob, "hpa"); }
std::string KedaSpec(double knob) { return Spec(kLeagueCapacity * knob, "keda"); }
std::string ForecastSpec(double knob) { return Spec(kLeagueCapacity * knob, "forecast"); }
std::string TideSpec(double knob) {
  return Spec(kLeagueCapacity, fmt::format("{{name: tide, lateShare: {:.9g}}}", knob));
}

// Each system's own loop: the HPA looks every 15 s, Knative every 2 s at samples of each second,
// our daemon every 5 s and whenever a replica got ready or went.
constexpr std::array kContestants{
    Contestant{.name = "static",
               .knob = "replicas",
               .least = 1,
               .most = 4.0 * kLeaguePeak,
               .by_default = kLeaguePeak,
               .more_is_cheaper = false},
    // Of a metric other than the CPU it has no default; 80 % is that of the CPU.
    Contestant{.name = "hpa",
               .knob = "target utilization",
               .least = 0.02,
               .most = 1,
               .by_default = 0.8,
               .tick = Duration(15'000),
               .spec = HpaSpec},
    // An HPA of 15 s too; what is active it looks at every 30 s.
    Contestant{.name = "keda",
               .knob = "target utilization",
               .least = 0.02,
               .most = 1,
               .by_default = 0.8,
               .tick = Duration(15'000),
               .spec = KedaSpec},
    Contestant{.name = "kpa",
               .knob = "targetUtilizationPercentage",
               .least = 2,
               .most = 100,
               .by_default = 70,
               .tick = Duration(2'000),
               .scrape = Duration(1'000),
               .spec = KpaSpec},
    Contestant{.name = "queueing",
               .knob = "utilization",
               .least = 0.02,
               .most = 1,
               .by_default = 0.7,
               .early_ticks = true,
               .spec = QueueingSpec},
    Contestant{.name = "forecast",
               .knob = "target utilization",
               .least = 0.02,
               .most = 1,
               .by_default = 0.8,
               .early_ticks = true,
               .spec = ForecastSpec},
    Contestant{.name = "tide",
               .knob = "lateShare",
               .least = 1e-6,
               .most = 0.1,
               .by_default = 1e-3,
               .early_ticks = true,
               .spec = TideSpec},
};

constexpr const char* kGateway =
    "apiVersion: istio.alibabacloud.com/v1beta1\n"
    "kind: IstioGateway\n"
    "metadata: {{name: pool, namespace: league}}\n"
    "spec:\n"
    "  gatewayType: ingress\n"
    "  ports:\n"
    "    - {{name: http, port: 80, protocol: TCP, targetPort: 80}}\n"
    "  replicaCount: {}\n"
    "  rollingMaxSurge: 100%\n"
    "  rollingMaxUnavailable: 25%\n"
    "  serviceType: LoadBalancer\n";

constexpr const char* kScaler =
    "---\n"
    "apiVersion: tidegate.dev/v1alpha1\n"
    "kind: GatewayScaler\n"
    "metadata: {{name: pool, namespace: league}}\n"
    "spec:\n"
    "  scaleTargetRef: {{kind: IstioGateway, name: pool}}\n"
    "  minReplicas: 1\n"
    "  maxReplicas: {}\n"
    "  capacity:\n"
    "    {{requestsPerSecond: {:g}, workers: 8, serviceTime: 50ms, serviceTimeVariation: 0.5,\n"
    "     latencyObjective: 250ms, latencyShare: 0.999}}\n"
    "{}";

}  // namespace

std::span<const Contestant> Contestants() { return kContestants; }

Scenario LeagueScenario(const Contestant& contestant, Duration scrape) {
  Scenario scenario;
  scenario.name = contestant.name;
  scenario.tick = contestant.tick;
  scenario.early_ticks = contestant.early_ticks;
  scenario.discovery = Duration(1'000);  // kept, so that results compare with earlier ones
  scenario.scrape_interval = contestant.scrape > Duration(0) ? contestant.scrape : scrape;
  scenario.tail = Duration(0);
  scenario.objective = {.bad_fraction = 0.001, .wait = Duration(200)};
  scenario.service.workers = 8;
  scenario.service.service_seconds = 0.05;
  scenario.service.patience_seconds = 1;
  scenario.service.startup = Duration(20'000);
  scenario.service.readiness_quantum = Duration(5'000);
  scenario.service.drain = Duration(10'000);
  return scenario;
}

Expected<config::CompiledConfig> LeagueManifests(const Contestant& contestant, double knob,
                                                 Replicas initial) {
  const bool fixed = contestant.spec == nullptr;
  std::string text =
      fmt::format(kGateway, fixed ? static_cast<Replicas>(std::lround(knob)) : initial);
  if (!fixed) text += fmt::format(kScaler, 4 * kLeaguePeak, kLeagueCapacity, contestant.spec(knob));
  config::Compiled compiled = config::Compile(config::LoadText(text, "league", {}));
  if (!compiled.problems.empty()) return Fail(ErrorCode::kInvalid, compiled.problems.text());
  return std::move(compiled.config);
}

}  // namespace tidegate::sim
