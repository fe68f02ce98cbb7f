#include "tests/testing/sweep_files.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace tidegate::testing {

std::string WriteSweep(const TempDir& dir, int days, int cells) {
  constexpr int kDay = 86'400;
  std::string trace = "t_seconds,requests\n";
  for (int t = 0; t < days * kDay; ++t) {
    const double wave = std::sin(static_cast<double>(t) / kDay * 2 * 3.141592653589793);
    trace += fmt::format("{},{:.1f}\n", t, 250 + 200 * wave + (t % 7'200 < 300 ? 150 : 0));
  }
  dir.Write("days.csv", trace);
  dir.Write("gateway.yaml",
            "apiVersion: istio.alibabacloud.com/v1beta1\n"
            "kind: IstioGateway\n"
            "metadata: {name: edge, namespace: shop}\n"
            "spec:\n"
            "  ports: [{name: http, port: 80}]\n"
            "  replicaCount: 2\n");
  dir.Write("scaler.yaml",
            "apiVersion: tidegate.dev/v1alpha1\n"
            "kind: GatewayScaler\n"
            "metadata: {name: edge, namespace: shop}\n"
            "spec:\n"
            "  scaleTargetRef: {kind: IstioGateway, name: edge}\n"
            "  minReplicas: 2\n"
            "  maxReplicas: 20\n"
            "  signals: [{name: requests, preset: haproxy, metric: requests, target: {perReplica: "
            "50}}]\n");
  dir.Write("days.yaml",
            "apiVersion: tidegate.dev/v1alpha1\n"
            "kind: Scenario\n"
            "metadata: {name: days}\n"
            "spec:\n"
            "  manifests: [gateway.yaml, scaler.yaml]\n"
            "  trace: days.csv\n"
            "  scrapeInterval: 15s\n"
            "  metrics: {lostScrapes: 0.05}\n"
            "  service: {workersPerReplica: 6, startup: 20s, drain: 10s}\n");
  return dir
      .Write("sweep.yaml",
             fmt::format("apiVersion: tidegate.dev/v1alpha1\n"
                         "kind: Sweep\n"
                         "metadata: {{name: days}}\n"
                         "spec:\n"
                         "  scenario: days.yaml\n"
                         "  fields:\n"
                         "    - field: scaler.spec.signals[requests].target.perReplica\n"
                         "      range: {{from: 40, to: 80, steps: {}}}\n",
                         cells))
      .string();
}

int WholeLines(const std::string& file) {
  return static_cast<int>(std::ranges::count(ReadFile(file), '\n'));
}

}  // namespace tidegate::testing
