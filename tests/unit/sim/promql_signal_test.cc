#include "sim/world/promql_signal.h"

#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate::sim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr Instant kNow = FromUnixMillis(1'767'225'600'000);

Expected<PromqlSignal> Parse(const std::string& text) {
  return ParsePromqlSignal(text, minutes(2));
}

TEST(ParsePromqlSignalTest, ReadsTheFormsThatItKnows) {
  const PromqlSignal rate{RangeFunction::kRate, minutes(1)};
  for (const char* text :
       {"sum(rate(x_total[1m]))", " sum ( rate ( x_total { a = \"b\" } [60s] ) ) ",
        "sum by (namespace, gateway) (rate(x_total{proxy=~\"traffic}.*\"}[1m]))",
        "sum without (replica)(rate(x_total[1m]))", "sum(rate(x_total[1m])) by (gateway)",
        "sum(rate(x_total{a='\\'}'}[1m]))"}) {
    const auto parsed = Parse(text);
    ASSERT_TRUE(parsed) << text << ": " << parsed.error().message;
    EXPECT_EQ(*parsed, rate) << text;
  }
  EXPECT_EQ(Parse("sum(irate(x_total[{{window}}]))")->function, RangeFunction::kIrate);
  EXPECT_EQ(Parse("sum(irate(x_total[{{window}}]))")->range, minutes(2));
  EXPECT_EQ(Parse("sum(increase(x_total[5m]))")->function, RangeFunction::kIncrease);
}

TEST(ParsePromqlSignalTest, ReadsARateOfASum) {
  const PromqlSignal rate{RangeFunction::kRate, minutes(2), seconds(15)};
  for (const char* text :
       {"rate(sum(x_total)[2m:15s])", " rate ( sum by (gateway) ( x_total{a=\"b\"} ) [2m:15s] ) ",
        "rate(sum(x_total) without (replica) [{{window}}:15s])"}) {
    const auto parsed = Parse(text);
    ASSERT_TRUE(parsed) << text << ": " << parsed.error().message;
    EXPECT_EQ(*parsed, rate) << text;
  }
}

TEST(ParsePromqlSignalTest, RefusesWhatItWouldGetWrong) {
  for (const char* text : {"",
                           "x_total",
                           "rate(x_total[1m])",
                           "avg(rate(x_total[1m]))",
                           "sum(rate(x_total))",
                           "sum(rate(x_total[1m] offset 5m))",
                           "sum(rate(x_total[1m:10s]))",
                           "sum(rate(x_total[0s]))",
                           "sum(delta(x_total[1m]))",
                           "sum(rate(x_total[1m])) * 2",
                           "sum(rate(x_total[1m]))/60",
                           "rate(sum(x_total)[1m])",
                           "rate(sum(x_total)[1m:])",
                           "rate(sum(x_total)[1m:0s])",
                           "rate(sum(x_total)[1h:1ms])",
                           "rate(sum(x_total[1m])[1m:5s])",
                           "sum(x_total)[1m:5s]",
                           "rate(sum(x_total)[1m:5s]) by (a)",
                           "sum(rate(x_total{a=\"b[1m]))",
                           "sum(rate(x_total[1m])",
                           "sum(rate([1m]))"}) {
    EXPECT_FALSE(Parse(text)) << text;
  }
  EXPECT_THAT(Parse("avg(x)").error().message, HasSubstr("sum(rate("));
}

std::vector<signals::SampleSeries> Series(double grown) {
  return {{"a", {{kNow - seconds(60), 1'000}, {kNow, 1'000 + grown}}},
          {"b", {{kNow, 500}}},
          {"c", {{kNow - seconds(60), 2'000}, {kNow, 2'000 + grown}}}};
}

TEST(ReadPromqlSignalTest, AddsWhatHasTwoSamples) {
  const auto reading =
      ReadPromqlSignal({RangeFunction::kRate, minutes(1)}, kNow, Series(600), kPrometheus2);
  EXPECT_EQ(reading.quality, signals::Quality::kOk);
  EXPECT_DOUBLE_EQ(reading.value, 20);
  EXPECT_EQ(reading.series, 2);
}

TEST(ReadPromqlSignalTest, NothingIsEmptyAndNonsenseIsNaN) {
  const PromqlSignal rate{RangeFunction::kRate, minutes(1)};
  const auto empty = ReadPromqlSignal(rate, kNow, Series(600), kPrometheus3);
  EXPECT_EQ(empty.quality, signals::Quality::kEmpty);
  const auto nonsense =
      ReadPromqlSignal(rate, kNow, Series(std::numeric_limits<double>::infinity()), kPrometheus2);
  EXPECT_EQ(nonsense.quality, signals::Quality::kNaN);
  EXPECT_EQ(nonsense.value, 0);
}

// Two replicas that served 10/s each; one went 30 s ago.
std::vector<signals::SampleSeries> OneEnds(bool marked) {
  std::vector<signals::SampleSeries> series{{"goes", {}}, {"stays", {}}};
  for (int ago = 120; ago >= 0; ago -= 10) {
    series[1].samples.push_back({kNow - seconds(ago), 1'200.0 - 10 * ago});
    if (ago >= 40) series[0].samples.push_back({kNow - seconds(ago), 9'000.0 - 10 * ago});
  }
  if (marked) series[0].samples.push_back({kNow - seconds(30), StaleMarker()});
  return series;
}

TEST(ReadPromqlSignalTest, ASumTakesAMarkedSeriesForAReset) {
  const PromqlSignal rate{RangeFunction::kRate, minutes(1), seconds(10)};
  const auto marked = ReadPromqlSignal(rate, kNow, OneEnds(true), kPrometheus2);
  EXPECT_EQ(marked.quality, signals::Quality::kOk);
  // From 9,000 to 1,200, over a fall that begins at 9,400.
  EXPECT_DOUBLE_EQ(marked.value, (1'200 - 9'000 + 9'400) / 60.0);
  // Without a marker the last value holds for five minutes.
  const auto unmarked = ReadPromqlSignal(rate, kNow, OneEnds(false), kPrometheus2);
  EXPECT_DOUBLE_EQ(unmarked.value, (600 + 200) / 60.0);
}

TEST(ReadPromqlSignalTest, ASumIsTakenAtWholeMultiplesOfItsResolution) {
  const PromqlSignal rate{RangeFunction::kIncrease, minutes(1), seconds(25)};
  // Asked 5 s later: 50, 25 and 0 s before now, 700 to 1,200, extrapolated by 5 s at both ends.
  const std::vector<signals::SampleSeries> one{OneEnds(false)[1]};
  EXPECT_DOUBLE_EQ(ReadPromqlSignal(rate, kNow + seconds(5), one, kPrometheus2).value, 600);
}

}  // namespace
}  // namespace tidegate::sim
