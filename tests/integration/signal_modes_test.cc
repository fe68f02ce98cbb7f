// Both ways to a rate, asked of a real Prometheus that scrapes a real pool: raw samples with our
// estimator, and plain PromQL.

#include <filesystem>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "scheduler/adapters/prometheus/prometheus_source.h"
#include "tests/demo/parts.h"
#include "tests/testing/front_watcher.h"
#include "tests/testing/steady_load.h"

namespace tidegate::demo {
namespace {

using config::PrometheusMode;
using signals::Quality;
using signals::Reading;
using testing::WaitUntil;

constexpr Duration kPatience{60'000};
constexpr double kRate = 80;
constexpr double kTolerance = 0.08 * kRate;  // both, at 5 s scrapes of a paced load

Instant Now() {
  return Instant(
      std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()));
}

class SignalModesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::filesystem::path build = TIDEGATE_BINARY_DIR;
    const Programs programs{build / "scheduler/tidegate", build / "traces/tidetrace",
                            build / "sim/tidesim"};
    auto stage = Stage::Build(dir_.path(), programs, "unused.csv");
    ASSERT_TRUE(stage) << stage.error().message;
    stage_ = *std::move(stage);
    ASSERT_TRUE(stage_->StartPrometheus());
    ASSERT_TRUE(stage_->StartDaemon({}));
    ASSERT_TRUE(stage_->WaitSettled(2, kPatience));
    const auto started = Now() - std::chrono::hours(1);
    for (const auto& [replica, pid] :
         testing::FrontWatcher(stage_->pool_dir()).Latest().processes) {
      replicas_.push_back({replica, "r", signals::Phase::kReady, started, started, started});
    }
  }

  Reading Read(const config::SignalDefinition& signal, PrometheusMode mode) {
    config::PrometheusConfig config;
    config.url = stage_->prometheus_url();
    config.scrape_interval = Duration(5'000);
    config.window = Duration(20'000);
    config.stale_after = Duration(12'500);
    config.mode = mode;
    auto source = adapters::PrometheusSource::Create(config);
    EXPECT_TRUE(source);
    const std::vector<config::SignalDefinition> signals{signal};
    const adapters::PoolQuery query{{"istio-system", "ingressgateway"}, &replicas_, &signals};
    return (*source)->Read(Now(), {&query, 1}).at(0).at(0);
  }

  testing::TempDir dir_;
  std::unique_ptr<Stage> stage_;
  std::vector<signals::ReplicaView> replicas_;
};

TEST_F(SignalModesTest, SamplesAndPromqlSeeTheSameSteadyLoad) {
  testing::SteadyLoad load(stage_->FrontUrl() + "/", kRate);
  const config::SignalDefinition preset{
      .name = "rps", .preset = "haproxy", .metric = {}, .promql = "", .per_replica = 50.0};
  const config::SignalDefinition expression{
      .name = "mine",
      .preset = "",
      .metric = {},
      .promql =
          "sum(rate(haproxy_frontend_http_requests_total{gateway=\"{{gateway}}\","
          "proxy=~\"traffic.*\"}[{{window}}]))",
      .per_replica = 50.0};
  const auto sees = [](const Reading& reading) {
    return reading.quality == Quality::kOk && std::abs(reading.value - kRate) < kTolerance;
  };
  Reading samples, promql, custom;
  EXPECT_TRUE(WaitUntil(kPatience,
                        [&] {
                          samples = Read(preset, PrometheusMode::kSamples);
                          promql = Read(preset, PrometheusMode::kPromql);
                          custom = Read(expression, PrometheusMode::kSamples);
                          return sees(samples) && sees(promql) && sees(custom);
                        }))
      << samples.value << " " << samples.detail << "; " << promql.value << " " << promql.detail
      << "; " << custom.value << " " << custom.detail;
  EXPECT_EQ(samples.series, 2);  // replicas
  RecordProperty("samples", std::to_string(samples.value));
  RecordProperty("promql", std::to_string(promql.value));
  EXPECT_EQ(load.Finish().failed, 0u);
}

}  // namespace
}  // namespace tidegate::demo
