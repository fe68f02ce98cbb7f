// `schedule` of a GatewayScaler, and the policies that are listed by name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/config/schedule.h"
#include "tests/testing/manifests.h"

namespace tidegate::config {
namespace {

using testing::CompiledText;
using testing::GatewayManifest;
using ::testing::HasSubstr;
using testing::ProblemsOf;
using testing::ScalerManifest;

std::string Scaler(const std::string& schedule) {
  return ScalerManifest("  schedule:\n" + schedule);
}
std::string Problems(const std::string& schedule) { return ProblemsOf(Scaler(schedule)); }

decision::PoolSpec Compiled(const std::string& schedule) {
  CompiledConfig config = CompiledText(GatewayManifest("") + "---\n" + Scaler(schedule));
  EXPECT_EQ(config.pools.size(), 1u);
  return config.pools.empty() ? decision::PoolSpec{} : config.pools[0];
}
sizing::Schedule Resolved(const std::string& schedule) {
  const decision::PoolSpec spec = Compiled(schedule);
  const sizing::ScheduleOptions* options = FindSchedule(spec.policies);
  EXPECT_NE(options, nullptr);
  return options != nullptr ? options->resolved : sizing::Schedule{};
}

const char* const kPromotion = R"(  - name: promotion
    timeZone: Asia/Shanghai
    at: "2026-11-27 00:00"
    duration: 2h
    requestsPerSecond: 800
    ramp: 10m
)";

TEST(ScheduleManifestTest, ReadsADatedEvent) {
  const sizing::Schedule schedule = Resolved(kPromotion);
  ASSERT_EQ(schedule.entries.size(), 1u);
  const sizing::ScheduleEntry& entry = schedule.entries[0];
  EXPECT_EQ(entry.name, "promotion");
  EXPECT_EQ(schedule.zones[entry.zone].name, "Asia/Shanghai");
  EXPECT_EQ(entry.at, *ParseInstant("2026-11-26T16:00:00Z"));
  EXPECT_EQ(entry.duration, std::chrono::hours(2));
  EXPECT_EQ(entry.requests_per_second, 800);
  EXPECT_EQ(entry.ramp, std::chrono::minutes(10));
}

TEST(ScheduleManifestTest, ReadsAnEventWithAnOffsetOfItsOwn) {
  const auto schedule =
      Resolved("  - {at: \"2026-11-27T00:00:00+08:00\", duration: 1h, replicas: 3}\n");
  EXPECT_EQ(schedule.entries.at(0).at, *ParseInstant("2026-11-26T16:00:00Z"));
  EXPECT_EQ(schedule.entries.at(0).name, "schedule[0]");
}

TEST(ScheduleManifestTest, ReadsWindowsAndSharesTheirZones) {
  const sizing::Schedule schedule = Resolved(R"(  - name: office
    timeZone: Europe/Berlin
    start: "0 8 * * mon-fri"
    end: "0 20 * * mon-fri"
    replicas: 4
  - name: lunch
    timeZone: Europe/Berlin
    start: "0 12 * * *"
    duration: 90m
    replicas: 6
)");
  ASSERT_EQ(schedule.entries.size(), 2u);
  EXPECT_EQ(schedule.zones.size(), 1u);
  const auto next =
      sizing::OccurrencesAt(schedule.entries[1], schedule, *ParseInstant("2026-07-01T00:00:00Z"))
          .next;
  ASSERT_TRUE(next);
  EXPECT_EQ(FormatInstant(next->begin), "2026-07-01T10:00:00Z");
  EXPECT_EQ(FormatInstant(next->end), "2026-07-01T11:30:00Z");
}

TEST(ScheduleManifestTest, AddsThePolicyBesideTheListedOnes) {
  EXPECT_EQ(NamesOf(Compiled(kPromotion).policies), "target+schedule");
  const CompiledConfig config = CompiledText(
      GatewayManifest("") + "---\n" +
      Scaler(std::string(kPromotion) + "  policies: [{name: schedule, startup: 90s}, kpa]\n"));
  EXPECT_EQ(NamesOf(config.pools.at(0).policies), "schedule+kpa");
  EXPECT_EQ(FindSchedule(config.pools[0].policies)->startup, std::chrono::seconds(90));
}

TEST(ScheduleManifestTest, AnotherScheduleIsAnotherConfiguration) {
  const std::string other = "  - {start: \"0 8 * * *\", duration: 2h, replicas: 3}\n";
  EXPECT_NE(Compiled(kPromotion).config_version, Compiled(other).config_version);
  EXPECT_EQ(Compiled(kPromotion).config_version, Compiled(kPromotion).config_version);
}

TEST(ScheduleManifestTest, EveryProblemHasItsPlace) {
  EXPECT_THAT(Problems("  - {timeZone: Asia/Shangai, at: \"2026-11-27 00:00\", duration: 1h, "
                       "replicas: 3}\n"),
              HasSubstr("spec.schedule[0].timeZone: there is no time zone \"Asia/Shangai\"; did "
                        "you mean Asia/Shanghai?"));
  EXPECT_THAT(Problems("  - {start: \"0 25 * * *\", duration: 1h, replicas: 3}\n"),
              HasSubstr("spec.schedule[0].start: hour: 25 is not from 0 to 23, at character 3"));
  EXPECT_THAT(Problems("  - {start: \"0 8 * * *\", end: \"0 8 * * *\", replicas: 3}\n"),
              HasSubstr("spec.schedule[0].end: is the same as start"));
  EXPECT_THAT(Problems("  - {at: tomorrow, duration: 1h, replicas: 3}\n"),
              HasSubstr("spec.schedule[0].at: \"tomorrow\" is not a local time"));
  EXPECT_THAT(Problems("  - {start: \"0 8 * * *\", duration: 1h, replica: 3}\n"),
              HasSubstr("did you mean replicas"));
}

TEST(ScheduleManifestTest, WhatDoesNotGoTogetherIsRefused) {
  const auto problem = [](const char* entry) {
    return Problems("  - {" + std::string(entry) + "}\n");
  };
  EXPECT_THAT(problem("duration: 1h, replicas: 3"), HasSubstr("expected either at"));
  EXPECT_THAT(problem("at: \"2026-11-27 00:00\", start: \"0 8 * * *\", duration: 1h, replicas: 3"),
              HasSubstr("expected either at"));
  EXPECT_THAT(problem("at: \"2026-11-27 00:00\", replicas: 3"), HasSubstr("needs a duration"));
  EXPECT_THAT(problem("at: \"2026-11-27 00:00\", duration: 1h, end: \"0 8 * * *\", replicas: 3"),
              HasSubstr("ends a window"));
  EXPECT_THAT(problem("start: \"0 8 * * *\", replicas: 3"), HasSubstr("either end or duration"));
  EXPECT_THAT(problem("start: \"0 8 * * *\", end: \"0 9 * * *\", duration: 1h, replicas: 3"),
              HasSubstr("either end or duration"));
  EXPECT_THAT(problem("start: \"0 8 * * *\", duration: 1h"), HasSubstr("either replicas or"));
  EXPECT_THAT(problem("start: \"0 8 * * *\", duration: 1h, replicas: 3, requestsPerSecond: 5"),
              HasSubstr("either replicas or"));
  EXPECT_THAT(problem("start: \"0 8 * * *\", duration: 1h, replicas: 11"),
              HasSubstr("11 replicas are more than maxReplicas (10)"));
}

TEST(ScheduleManifestTest, ProblemsOfSeveralEntriesAreReportedAtOnce) {
  const std::string problems = Problems(
      "  - {name: a, start: \"0 8 * * *\", duration: 1h, replicas: 3}\n"
      "  - {name: a, start: \"0 8 32 * *\", duration: 1h, replicas: 3}\n"
      "  - {name: c, start: \"0 8 30 2 *\", duration: 1h, replicas: 3}\n");
  EXPECT_THAT(problems, HasSubstr("spec.schedule[1].name: another entry is called a too"));
  EXPECT_THAT(problems, HasSubstr("spec.schedule[1].start: day of month: 32"));
  EXPECT_THAT(problems, HasSubstr("spec.schedule[2].start: no date fits"));
}

TEST(ScheduleManifestTest, ARateNeedsToKnowWhatAReplicaTakes) {
  const std::string entry = "  - {start: \"0 8 * * *\", duration: 1h, requestsPerSecond: 500}\n";
  std::string text = Scaler(entry);
  text.replace(text.find("preset: haproxy"), 15, "preset: haproxy, metric: inflight");
  EXPECT_THAT(ProblemsOf(text), HasSubstr("capacity.requestsPerSecond"));
  EXPECT_EQ(ProblemsOf(text + "  capacity: {requestsPerSecond: 100}\n"), "");
}

TEST(ScheduleManifestTest, ThePolicyAloneHasNothingToDo) {
  EXPECT_THAT(ProblemsOf(ScalerManifest("  policies: [target, schedule]\n")),
              HasSubstr("there is no spec.schedule"));
}

TEST(ScheduleWarningsTest, TellOfWhatIsOverAndWhatDoesNotFit) {
  const decision::PoolSpec spec =
      Compiled(std::string(kPromotion) +
               "  - {start: \"0 8 * * *\", duration: 1h, requestsPerSecond: 5000}\n");
  const auto warnings = [&](const char* now) {
    std::string text;
    for (const AcceptedField& warning : ScheduleWarnings(spec, *ParseInstant(now))) {
      text += warning.path + ": " + warning.remark + "\n";
    }
    return text;
  };
  EXPECT_EQ(warnings("2026-11-26T17:59:59Z"),
            "spec.schedule[1]: schedule[1] needs 50 replicas, and maxReplicas is 10\n");
  EXPECT_EQ(warnings("2026-11-26T18:00:00Z"),
            "spec.schedule[0]: promotion was over at 2026-11-26T18:00:00Z and never comes again; "
            "take it out\n"
            "spec.schedule[1]: schedule[1] needs 50 replicas, and maxReplicas is 10\n");
}

TEST(KpaManifestTest, ReadsItsOptions) {
  const CompiledConfig config = CompiledText(
      GatewayManifest("") + "---\n" +
      ScalerManifest(
          "  policies: [{name: kpa, stableWindowSeconds: 120, scaleDownDelaySeconds: 30, "
          "targetBurstCapacity: -1, metricAggregationAlgorithm: weightedExponential}]\n"));
  const auto* options = std::get_if<sizing::KpaOptions>(&config.pools.at(0).policies.at(0));
  ASSERT_NE(options, nullptr);
  EXPECT_EQ(options->stable_window, std::chrono::minutes(2));
  EXPECT_EQ(options->scale_down_delay, std::chrono::seconds(30));
  EXPECT_EQ(options->target_burst_capacity, -1);
  EXPECT_EQ(options->aggregation, sizing::KpaAggregation::kWeightedExponential);
  EXPECT_EQ(config.pools[0].guards.guarding, sizing::Kpa::kGuarding);
}

TEST(KpaManifestTest, RefusesWhatKnativeRefuses) {
  for (const char* wrong :
       {"stableWindowSeconds: 5", "stableWindowSeconds: 3601", "panicThresholdPercentage: 109",
        "maxScaleUpRate: 1", "panicWindowPercentage: 0", "targetUtilizationPercentage: 101"}) {
    EXPECT_NE(ProblemsOf(ScalerManifest(std::string("  policies: [{name: kpa, ") + wrong + "}]\n")),
              "")
        << wrong;
  }
}

}  // namespace
}  // namespace tidegate::config
