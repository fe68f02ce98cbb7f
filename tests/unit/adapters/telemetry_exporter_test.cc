#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/metrics/metric_table.h"
#include "scheduler/telemetry/exporter.h"
#include "tests/testing/metrics_text.h"
#include "tests/testing/tick_story.h"

namespace tidegate::telemetry {
namespace {

using testing::MetricsSample;
using testing::MetricsText;
using testing::ParseMetricsText;
using testing::TickStory;
using testing::ValueOf;
using Labels = std::map<std::string, std::string>;

constexpr Instant kStart = FromUnixMillis(1'795'651'200'000);
const Labels kFirst = {{"namespace", "shop"}, {"pool", "edge-00000"}};

Labels With(Labels labels, const std::string& name, const std::string& value) {
  labels[name] = value;
  return labels;
}

class ExporterTest : public ::testing::Test {
 protected:
  void Record(const TickStory& story) {
    exporter_.RecordTick({.tick = &story.tick(),
                          .state = &story.state(),
                          .pools = story.pools(),
                          .took = Duration(12),
                          .late = Duration(3),
                          .period = Duration(1'000)});
  }

  void Play(TickStory& story, int ticks) {
    for (int i = 0; i < ticks; ++i) {
      story.Advance(kStart + Duration(1'000) * i);
      Record(story);
    }
  }

  // One pool with one decision that the test has filled in.
  void RecordOne(const decision::Decision& decision) {
    loop::Tick tick;
    tick.at = kStart;
    tick.decisions = {decision};
    decision::PoolSpec spec;
    spec.id = decision.pool;
    const std::vector<decision::PoolSpec> pools = {spec};
    exporter_.RecordTick({.tick = &tick, .state = &state_, .pools = pools});
  }

  MetricsText Scrape() const {
    auto parsed = ParseMetricsText(exporter_.Serialize());
    EXPECT_TRUE(parsed.has_value()) << parsed.error().message;
    return parsed ? *parsed : MetricsText{};
  }

  double Read(const std::string& name, const Labels& labels = {}) const {
    const auto value = ValueOf(Scrape(), name, labels);
    EXPECT_TRUE(value.has_value()) << value.error().message;
    return value.value_or(-1);
  }

  bool Has(const std::string& name, const Labels& labels) const {
    return ValueOf(Scrape(), name, labels).has_value();
  }

  Exporter exporter_{{"0.1.0", "abc"}};
  decision::DecisionState state_;
};

decision::Decision FirstDecision() {
  decision::Decision decision;
  decision.at = kStart;
  decision.pool = {"shop", "edge-00000"};
  return decision;
}

signals::Reading Usable(const std::string& signal, double value) {
  signals::Reading reading;
  reading.signal = signal;
  reading.quality = signals::Quality::kOk;
  reading.value = value;
  return reading;
}

// The table's metric that a sample belongs to.
const Metric* MetricOf(const MetricsSample& sample) {
  for (const Metric& metric : MetricTable()) {
    if (metric.name == sample.name) return &metric;
    if (metric.type != MetricType::kHistogram) continue;
    for (const char* suffix : {"_bucket", "_sum", "_count"}) {
      if (fmt::format("{}{}", metric.name, suffix) == sample.name) return &metric;
    }
  }
  return nullptr;
}

std::set<std::string> LabelsOf(const Metric& metric) {
  std::set<std::string> labels;
  std::string_view rest = metric.labels;
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    labels.emplace(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return labels;
}

TEST_F(ExporterTest, ExportsEveryMetricOfTheTableAndNoOther) {
  TickStory story(3);
  Play(story, TickStory::kLength + 1);
  exporter_.RecordQuery({.query = "istio", .took = Duration(7), .error = {}, .empty = false});
  exporter_.RecordReload({.at = kStart, .ok = true, .problems = 0, .version = "v1"});
  exporter_.RecordJournal({.bytes = 4096, .records = 12});
  exporter_.RecordFront({"shop", "edge-00000"}, true);
  const MetricsText text = Scrape();
  std::set<MetricId> seen;
  for (const MetricsSample& sample : text.samples) {
    const Metric* metric = MetricOf(sample);
    ASSERT_NE(metric, nullptr) << sample.name << " is not in the metric table";
    seen.insert(metric->id);
    EXPECT_EQ(text.types.at(std::string(metric->name)), Name(metric->type));
    std::set<std::string> labels;
    for (const auto& [name, value] : sample.labels) {
      if (name != "le") labels.insert(name);
    }
    EXPECT_EQ(labels, LabelsOf(*metric)) << sample.name;
  }
  for (const Metric& metric : MetricTable()) {
    EXPECT_TRUE(seen.count(metric.id)) << metric.name << " is in the table and is not exported";
  }
}

TEST_F(ExporterTest, ExportsNoSeriesTwice) {
  TickStory story(3);
  Play(story, TickStory::kLength);
  std::set<std::pair<std::string, Labels>> seen;
  for (const MetricsSample& sample : Scrape().samples) {
    EXPECT_TRUE(seen.emplace(sample.name, sample.labels).second) << sample.name;
  }
}

TEST_F(ExporterTest, ShowsTheSizesOfADecision) {
  decision::Decision decision = FirstDecision();
  decision.current = 4;
  decision.min = 2;
  decision.max = 9;
  decision.counts = {.starting = 1, .ready = 3, .draining = 2, .failed = 0};
  decision.desired.proposed = 12;
  decision.desired.stabilized = 11;
  decision.desired.replicas = 8;
  RecordOne(decision);
  EXPECT_EQ(Read("tidegate_pool_proposed_replicas", kFirst), 12);
  EXPECT_EQ(Read("tidegate_pool_stabilized_replicas", kFirst), 11);
  EXPECT_EQ(Read("tidegate_pool_desired_replicas", kFirst), 8);
  EXPECT_EQ(Read("tidegate_pool_current_replicas", kFirst), 4);
  EXPECT_EQ(Read("tidegate_pool_max_replicas", kFirst), 9);
  EXPECT_EQ(Read("tidegate_pool_replicas", With(kFirst, "phase", "draining")), 2);
  EXPECT_EQ(Read("tidegate_pool_scalings_total", With(kFirst, "direction", "up")), 1);
  EXPECT_EQ(Read("tidegate_decisions_total", {{"action", "up"}, {"reason", "DesiredWithinRange"}}),
            1);
}

TEST_F(ExporterTest, KeepsAnEarlierReasonAtZero) {
  decision::Decision decision = FirstDecision();
  decision.desired.reason = guards::Reason::kScaleUpLimit;
  RecordOne(decision);
  decision.desired.reason = guards::Reason::kTooManyReplicas;
  RecordOne(decision);
  EXPECT_EQ(Read("tidegate_pool_limiting_reason", With(kFirst, "reason", "TooManyReplicas")), 1);
  EXPECT_EQ(Read("tidegate_pool_limiting_reason", With(kFirst, "reason", "ScaleUpLimit")), 0);
}

TEST_F(ExporterTest, LeavesOutTheValueOfASignalThatCannotBeUsed) {
  decision::Decision decision = FirstDecision();
  decision.readings = {Usable("requests", 250)};
  RecordOne(decision);
  const Labels signal = With(kFirst, "signal", "requests");
  EXPECT_EQ(Read("tidegate_signal_value", signal), 250);
  decision.readings[0].quality = signals::Quality::kEmpty;
  decision.readings[0].value = 0;
  RecordOne(decision);
  EXPECT_FALSE(Has("tidegate_signal_value", signal));
  EXPECT_FALSE(Has("tidegate_signal_age_seconds", signal));
  EXPECT_EQ(Read("tidegate_signal_quality", With(signal, "quality", "empty")), 1);
  EXPECT_EQ(Read("tidegate_signal_quality", With(signal, "quality", "ok")), 0);
}

TEST_F(ExporterTest, KeepsWhatIsKnownOfAPoolThatCannotBeDecided) {
  decision::Decision decision = FirstDecision();
  decision.counts.ready = 5;
  RecordOne(decision);
  decision.counts = {};
  decision.error = "no answer";
  RecordOne(decision);
  EXPECT_EQ(Read("tidegate_pool_replicas", With(kFirst, "phase", "ready")), 5);
  EXPECT_EQ(Read("tidegate_pool_decision_error", kFirst), 1);
}

TEST_F(ExporterTest, MarksAllPoolsWhenNothingCouldBeObserved) {
  TickStory story(2);
  story.Advance(kStart);
  Record(story);
  loop::Tick blind;
  blind.observe_error = "no connection";
  exporter_.RecordTick({.tick = &blind, .state = &story.state(), .pools = story.pools()});
  EXPECT_EQ(Read("tidegate_pool_decision_error", kFirst), 1);
  EXPECT_TRUE(Has("tidegate_pool_desired_replicas", kFirst));
  EXPECT_EQ(Read("tidegate_observe_errors_total"), 1);
}

TEST_F(ExporterTest, RemovesAllSeriesOfAPoolThatVanishes) {
  TickStory story(3);
  Play(story, 4);
  const std::string gone = story.pools().back().id.name;
  const auto count = [&] {
    const auto samples = Scrape().samples;
    return std::count_if(samples.begin(), samples.end(), [&](const MetricsSample& sample) {
      return sample.labels.count("pool") > 0 && sample.labels.at("pool") == gone;
    });
  };
  EXPECT_GT(count(), 20);
  story.RemoveLastPool();
  Play(story, 1);
  EXPECT_EQ(count(), 0);
  EXPECT_EQ(Read("tidegate_pools"), 2);
}

TEST_F(ExporterTest, CountsAcceptedStepsAndFailuresApart) {
  decision::Decision decision = FirstDecision();
  const rollout::Step first{rollout::StepKind::kStart, "edge-1", "r", rollout::StepReason::kGrow};
  const rollout::Step second{rollout::StepKind::kStart, "edge-2", "r", rollout::StepReason::kGrow};
  decision.plan.steps = {first, second};
  loop::Tick tick;
  tick.decisions = {decision};
  tick.failures = {{decision.pool, second, {ErrorCode::kTimeout, "no answer"}}};
  decision::PoolSpec spec;
  spec.id = decision.pool;
  const std::vector<decision::PoolSpec> pools = {spec};
  exporter_.RecordTick({.tick = &tick, .state = &state_, .pools = pools});
  EXPECT_EQ(Read("tidegate_pool_steps_total", With(kFirst, "kind", "start")), 1);
  EXPECT_EQ(Read("tidegate_pool_step_failures_total", kFirst), 1);
  const std::string grow = rollout::Name(rollout::StepReason::kGrow);
  EXPECT_EQ(Read("tidegate_steps_total", {{"kind", "start"}, {"reason", grow}}), 1);
  EXPECT_EQ(Read("tidegate_step_failures_total", {{"code", "timeout"}}), 1);
}

TEST_F(ExporterTest, CountsNoStepsOfADryRun) {
  decision::Decision decision = FirstDecision();
  decision.dry_run = true;
  decision.plan.steps = {{rollout::StepKind::kStart, "edge-1", "r", rollout::StepReason::kGrow}};
  RecordOne(decision);
  EXPECT_EQ(Read("tidegate_pool_steps_total", With(kFirst, "kind", "start")), 0);
}

TEST_F(ExporterTest, ShowsTheTimeLeftOfABackoff) {
  state_.pools[{"shop", "edge-00000"}].rollout.failed_starts = 3;
  state_.pools[{"shop", "edge-00000"}].rollout.retry_at = kStart + Duration(2'500);
  RecordOne(FirstDecision());
  EXPECT_EQ(Read("tidegate_pool_failed_starts", kFirst), 3);
  EXPECT_EQ(Read("tidegate_pool_backoff_seconds", kFirst), 2.5);
}

TEST_F(ExporterTest, TellsAnEmptyAnswerFromAFailedQuery) {
  exporter_.RecordQuery({.query = "istio", .took = Duration(20), .error = {}, .empty = true});
  exporter_.RecordQuery(
      {.query = "istio", .took = Duration(40), .error = ErrorCode::kTimeout, .empty = false});
  const Labels query = {{"query", "istio"}};
  EXPECT_EQ(Read("tidegate_query_empty_results_total", query), 1);
  EXPECT_EQ(Read("tidegate_query_errors_total", query), 1);
  EXPECT_EQ(Read("tidegate_query_duration_seconds_count", query), 2);
  EXPECT_NEAR(Read("tidegate_query_duration_seconds_sum", query), 0.06, 1e-12);
}

TEST_F(ExporterTest, BoundsTheNumberOfQueriesToldApart) {
  for (int i = 0; i < 80; ++i)
    exporter_.RecordQuery({fmt::format("q{}", i), Duration(1), {}, false});
  EXPECT_EQ(Read("tidegate_query_duration_seconds_count", {{"query", "other"}}), 16);
}

TEST_F(ExporterTest, AFailedReloadKeepsTheTimeOfTheGoodOne) {
  exporter_.RecordReload({.at = kStart, .ok = true, .problems = 0, .version = "v1"});
  exporter_.RecordReload(
      {.at = kStart + Duration(5'000), .ok = false, .problems = 3, .version = "v1"});
  EXPECT_EQ(Read("tidegate_config_last_reload_successful"), 0);
  EXPECT_EQ(Read("tidegate_config_problems"), 3);
  EXPECT_EQ(Read("tidegate_config_last_reload_success_timestamp_seconds"), 1'795'651'200.0);
  EXPECT_EQ(Read("tidegate_config_reloads_total", {{"result", "failure"}}), 1);
}

TEST_F(ExporterTest, IgnoresTheFrontOfAPoolThatNoTickHasNamed) {
  exporter_.RecordFront({"shop", "nobody"}, true);
  EXPECT_FALSE(Has("tidegate_pool_front_up", {{"pool", "nobody"}}));
}

TEST_F(ExporterTest, SurvivesASignalNameThatIsNoUtf8) {
  decision::Decision decision = FirstDecision();
  decision.readings = {Usable("a\xff\"\n", 1)};
  RecordOne(decision);
  EXPECT_EQ(Read("tidegate_signal_value", With(kFirst, "signal", "a\xEF\xBF\xBD\"\n")), 1);
}

}  // namespace
}  // namespace tidegate::telemetry
