#include "traces/format/trace.h"

#include <cstdlib>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "traces/format/csv.h"
#include "traces/format/trace_file.h"

namespace tidegate::traces {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

std::string ErrorOf(std::string_view text) {
  const auto trace = ParseTraceCsv(text, "a.csv");
  return trace ? "no error" : trace.error().message;
}

TEST(TraceCsvTest, ReadsBinsAndCounts) {
  const Trace trace = ParseTraceCsv("t_seconds,requests\n0,5\n10,7.5\n20,0\n", "a").value();
  EXPECT_EQ(trace.bin, seconds(10));
  EXPECT_THAT(trace.requests, ElementsAre(5, 7.5, 0));
}

TEST(TraceCsvTest, AllowsCommentsEmptyLinesCarriageReturnsAndNoLastLineEnd) {
  const Trace trace =
      ParseTraceCsv("# made\r\nt_seconds,requests\r\n0,1\r\n\r\n# more\r\n0.5,2", "a").value();
  EXPECT_EQ(trace.bin, milliseconds(500));
  EXPECT_THAT(trace.requests, ElementsAre(1, 2));
}

TEST(TraceCsvTest, NamesLineColumnAndWhatWasExpected) {
  EXPECT_EQ(ErrorOf("t_seconds,requests\n0,1\n1,x\n"),
            "a.csv:3:3: \"x\" is not a count of requests; expected a number from 0 to 1e12");
  EXPECT_THAT(ErrorOf("t_seconds,requests\n0,1\nx,1\n"),
              HasSubstr("a.csv:3:1: \"x\" is not a time"));
  EXPECT_THAT(ErrorOf("t,r\n0,1\n1,1\n"), HasSubstr("a.csv:1:1: \"t,r\" is not the header"));
}

TEST(TraceCsvTest, RefusesBadCounts) {
  for (const char* bad : {"-1", "nan", "inf", "", " 1", "1 ", "1e13", "0x10", "1;2"}) {
    EXPECT_THAT(ErrorOf(std::string("t_seconds,requests\n0,1\n1,") + bad), HasSubstr("a.csv:3:3"))
        << bad;
  }
}

TEST(TraceCsvTest, RefusesUnequalBins) {
  EXPECT_THAT(ErrorOf("t_seconds,requests\n0,1\n1,1\n3,1\n"),
              HasSubstr("a.csv:4:1: the bin starts at 3 s; expected 2 s"));
  EXPECT_THAT(ErrorOf("t_seconds,requests\n5,1\n6,1\n"), HasSubstr("a.csv:2:1"));
  EXPECT_THAT(ErrorOf("t_seconds,requests\n0,1\n0,1\n"), HasSubstr("a.csv:3:1"));
  EXPECT_THAT(ErrorOf("t_seconds,requests\n0,1\n0.0001,1\n"),
              HasSubstr("finer than a millisecond"));
}

TEST(TraceCsvTest, RefusesWrongColumnsAndTooFewRows) {
  EXPECT_THAT(ErrorOf("t_seconds,requests\n0,1,2\n1,1\n"), HasSubstr("a.csv:2:1"));
  EXPECT_THAT(ErrorOf("t_seconds,requests\n0,1\n1\n"), HasSubstr("a.csv:3:1"));
  EXPECT_THAT(ErrorOf("t_seconds,requests\n0,1\n"), HasSubstr("expected at least 2"));
  EXPECT_THAT(ErrorOf(""), HasSubstr("the header is missing"));
}

TEST(TraceCsvTest, ReportsAllProblemsUpToTwenty) {
  std::string text = "t_seconds,requests\n";
  for (int i = 0; i < 30; ++i) text += std::to_string(i) + ",x\n";
  const std::string error = ErrorOf(text);
  EXPECT_THAT(error, HasSubstr("a.csv:2:3"));
  EXPECT_THAT(error, HasSubstr("a.csv:21:4"));
  EXPECT_THAT(error, testing::Not(HasSubstr("a.csv:22:4")));
  EXPECT_THAT(error, HasSubstr("and 10 more problems"));
}

TEST(TraceCsvTest, ShowsNoControlCharactersOfAFile) {
  EXPECT_THAT(ErrorOf("t_seconds,requests\n0,1\n1,\x1b[2J\n"), HasSubstr("\"?[2J\""));
}

TEST(TraceCsvTest, RoundTrips) {
  const Trace trace{.bin = milliseconds(250), .requests = {0, 1, 0.1, 12345678.25, 3}};
  EXPECT_EQ(ParseTraceCsv(FormatTraceCsv(trace, "one\ntwo"), "a").value(), trace);
}

TEST(TraceCsvTest, SaysThatAFileIsMissing) {
  const auto trace = ReadTrace("/nonexistent/a.csv");
  ASSERT_FALSE(trace.has_value());
  EXPECT_EQ(trace.error().code, ErrorCode::kNotFound);
}

TEST(TraceCsvTest, ReadsTheSamplesOfTheTree) {
  for (const char* name : {"flash_crowd_2m", "promotion_10m", "diurnal_24h", "class_start_50m",
                           "match_70m", "slow_ramp_1h"}) {
    const auto file = std::string(TIDEGATE_SOURCE_DIR "/traces/data/") + name + ".csv";
    const auto trace = ReadTrace(file);
    ASSERT_TRUE(trace.has_value()) << trace.error().message;
    EXPECT_GT(TotalRequests(*trace), 0);
  }
}

TEST(TraceTest, TheDemosFlashCrowdClimbsSixfoldInTenSecondsAndFallsBack) {
  const auto trace = ReadTrace(TIDEGATE_SOURCE_DIR "/traces/data/flash_crowd_2m.csv").value();
  EXPECT_EQ(Length(trace), seconds(120));
  EXPECT_GE(TotalRequests(trace), 22'000);
  double before = 0, after = 0, end = 0;
  for (int second = 0; second < 10; ++second) {
    before += RateAt(trace, seconds(10 + second)) / 10;
    after += RateAt(trace, seconds(30 + second)) / 10;
    end += RateAt(trace, seconds(110 + second)) / 10;
  }
  EXPECT_NEAR(after / before, 6, 1);
  EXPECT_LT(end, before * 2);
}

TEST(TraceTest, RateIsThatOfTheBinAndZeroOutside) {
  const Trace trace{.bin = seconds(10), .requests = {50, 100}};
  EXPECT_DOUBLE_EQ(RateAt(trace, Duration(0)), 5);
  EXPECT_DOUBLE_EQ(RateAt(trace, milliseconds(9999)), 5);
  EXPECT_DOUBLE_EQ(RateAt(trace, seconds(10)), 10);
  EXPECT_DOUBLE_EQ(RateAt(trace, seconds(20)), 0);
  EXPECT_DOUBLE_EQ(RateAt(trace, milliseconds(-1)), 0);
}

TEST(TraceTest, DescribesItself) {
  const Trace trace{.bin = seconds(2), .requests = {2, 2, 10, 0, 6}};
  const TraceStatistics statistics = Describe(trace);
  EXPECT_EQ(statistics.bins, 5U);
  EXPECT_EQ(statistics.length, seconds(10));
  EXPECT_DOUBLE_EQ(statistics.total, 20);
  EXPECT_DOUBLE_EQ(statistics.mean, 2);
  EXPECT_DOUBLE_EQ(statistics.peak, 5);
  EXPECT_EQ(statistics.peak_at, seconds(4));
  EXPECT_DOUBLE_EQ(statistics.peak_to_mean, 2.5);
  // Deviations from 4: 2, 2, 6, 4, 2; mean of squares 64 / 5.
  EXPECT_NEAR(statistics.coefficient_of_variation, 0.8944, 0.0001);
  EXPECT_DOUBLE_EQ(statistics.largest_step_up, 4);
  EXPECT_EQ(statistics.largest_step_at, seconds(4));
  EXPECT_EQ(statistics.empty_bins, 1U);
}

TEST(TraceTest, AnEmptyOneDescribesItselfAsZeros) {
  EXPECT_DOUBLE_EQ(Describe(Trace{}).mean, 0);
  EXPECT_DOUBLE_EQ(Describe(Trace{.requests = {0, 0}}).peak_to_mean, 0);
}

TEST(TraceTest, ScalesEachBin) {
  EXPECT_THAT(Scaled(Trace{.requests = {1, 2}}, 2.5).requests, ElementsAre(2.5, 5));
}

}  // namespace
}  // namespace tidegate::traces
