#include "traces/import/log_import.h"

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate::traces {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A line of the common log, `second` seconds after 2026-11-27T00:00:00Z.
std::string Line(int second, const char* path = "/", int status = 200) {
  return fmt::format(
      "10.0.0.1 - - [27/Nov/2026:{:02}:{:02}:{:02} +0000] \"GET {} HTTP/1.1\" {} 5\n",
      second / 3600, second / 60 % 60, second % 60, path, status);
}

struct Result {
  Expected<Trace> trace;
  ImportCounts counts;
  std::vector<BadLine> bad;
  std::string error;
};

Result Import(const std::vector<std::string>& files, const ImportOptions& options = {}) {
  auto importer = LogImporter::Create(options);
  if (!importer) return {Fail(importer.error()), {}, {}, importer.error().message};
  Expected<Trace> trace;
  for (std::size_t i = 0; i < files.size(); ++i) {
    ByteStream stream = ByteStream::Of(files[i], fmt::format("log{}", i + 1));
    const auto read = importer->Read(stream, {});
    if (!read)
      return {Fail(read.error()), importer->counts(), importer->bad_lines(), read.error().message};
  }
  trace = importer->Finish();
  return {trace, importer->counts(), importer->bad_lines(), trace ? "" : trace.error().message};
}

TEST(LogImportTest, CountsRequestsBySecond) {
  const Result result = Import({Line(5) + Line(5) + Line(6) + "\n# x\n" + Line(9)});
  EXPECT_EQ(result.error, "");
  EXPECT_THAT(result.trace->requests, ElementsAre(2, 1, 0, 0, 1));
  EXPECT_EQ(result.counts.lines, 4U);
}

TEST(LogImportTest, BinsBeginAtMultiplesOfTheirLengthOrAtTheGivenStart) {
  ImportOptions options;
  options.bins.bin = std::chrono::seconds(10);
  const std::string log = Line(8) + Line(12) + Line(19) + Line(31);
  EXPECT_THAT(Import({log}, options).trace->requests, ElementsAre(1, 2, 0, 1));
  options.bins.start = ParseInstant("2026-11-27T00:00:12Z").value();
  options.bins.end = ParseInstant("2026-11-27T00:00:45Z").value();
  const Result result = Import({log}, options);
  EXPECT_THAT(result.trace->requests, ElementsAre(2, 1, 0, 0));
  EXPECT_EQ(result.counts.outside, 1U);
}

TEST(LogImportTest, LinesMayBeOutOfOrderWithinTheWindowOfTheirFile) {
  ImportOptions options;
  options.bins.reorder = std::chrono::seconds(10);
  options.max_bad = 0.5;
  const Result result = Import({Line(20) + Line(10) + Line(9) + Line(21), Line(7)}, options);
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.counts.late, 1U);
  ASSERT_EQ(result.bad.size(), 1U);
  EXPECT_EQ(result.bad[0].number, 3U);
  EXPECT_EQ(result.bad[0].why,
            "2026-11-27T00:00:09Z is more than 10s behind a line before it (--reorder)");
  EXPECT_THAT(result.trace->requests, ElementsAre(1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1));
}

TEST(LogImportTest, CountsBadLinesAndShowsTheFirstOnes) {
  std::string log;
  for (int i = 0; i < 100; ++i) log += Line(i);
  for (int i = 0; i < 6; ++i) log += "rubbish " + std::to_string(i) + "\n";
  ImportOptions options;
  options.max_bad = 0.06;
  const Result result = Import({log}, options);
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.counts.bad, 6U);
  ASSERT_EQ(result.bad.size(), LogImporter::kShownBadLines);
  EXPECT_EQ(result.bad[0].number, 101U);
  EXPECT_EQ(result.bad[0].text, "rubbish 0");
  options.max_bad = 0.05;
  EXPECT_THAT(
      Import({log}, options).error,
      HasSubstr("6 of 106 lines were not counted: 6 not understood as combined, 0 too late; "
                "more than 5 % (--max-bad)\nlog1:101: it has fewer fields"));
}

TEST(LogImportTest, StrictFailsAtTheFirstBadLine) {
  ImportOptions options;
  options.strict = true;
  const Result result = Import({Line(1) + Line(2) + "rubbish\n" + Line(3)}, options);
  EXPECT_THAT(result.error, HasSubstr("log1:3: it has fewer fields than the format\n  rubbish"));
}

TEST(LogImportTest, ManyBadLinesStopTheImportLongBeforeItsEnd) {
  std::string log = Line(0) + Line(1);
  for (int i = 0; i < 100'000; ++i) log += i < 200 ? Line(1) : "rubbish\n";
  const Result result = Import({log});
  EXPECT_THAT(result.error, HasSubstr("--max-bad"));
  EXPECT_LE(result.counts.lines, LogImporter::kLinesToJudge);
}

TEST(LogImportTest, FiltersByStatusPathAndHost) {
  const std::string log = Line(1, "/shop/a") + Line(2, "/shop", 404) + Line(3, "/x") +
                          Line(4, "https://a.example/shop/b", 201) + Line(5, "/shop/c", 302);
  ImportOptions options;
  options.filter.statuses = ParseStatuses("2xx,300-399").value();
  options.filter.path_prefixes = {"/shop"};
  const Result result = Import({log}, options);
  EXPECT_THAT(result.trace->requests, ElementsAre(1, 0, 0, 1, 1));
  EXPECT_EQ(result.counts.filtered, 2U);
  options.filter = {};
  options.filter.hosts = {"B.example"};
  EXPECT_THAT(Import({Line(1) + Line(2)}, options).error, HasSubstr("no line names a host"));
  options.format.log_format = "$host [$time_local] $status";
  const std::string hosts =
      "b.example:80 [27/Nov/2026:00:00:00 +0000] 200\n"
      "a.example [27/Nov/2026:00:00:01 +0000] 200\n"
      "b.EXAMPLE [27/Nov/2026:00:00:02 +0000] 200\n";
  EXPECT_THAT(Import({hosts}, options).trace->requests, ElementsAre(1, 0, 1));
}

TEST(LogImportTest, RefusesBadStatuses) {
  for (const char* text : {"", "6", "2x", "0xx", "599-500", "200,", "1000", "2xx;3xx", "-1"}) {
    const auto statuses = ParseStatuses(text);
    EXPECT_EQ(statuses.has_value(), std::string_view(text) == "6") << text;
  }
  EXPECT_EQ(ParseStatuses("2xx").value().count(), 100U);
  EXPECT_TRUE(ParseStatuses("0").value()[0]);
}

TEST(LogImportTest, AWrongClockIsToldByItsLineAndTheBinsThatItWouldNeed) {
  ImportOptions options;
  options.bins.max_bins = 1'000;
  const Result result = Import({Line(0) + Line(5) + Line(2'000)}, options);
  ASSERT_FALSE(result.trace.has_value());
  EXPECT_EQ(result.trace.error().code, ErrorCode::kTooLarge);
  EXPECT_THAT(result.error,
              HasSubstr("log1:3: 2026-11-27T00:33:20Z needs more than 1000 bins of 1s, since the "
                        "lines before it begin at 2026-11-27T00:00:00Z: use --bin 5s"));
  options.bins.bin = std::chrono::seconds(5);
  EXPECT_EQ(Import({Line(0) + Line(5) + Line(2'000)}, options).trace->requests.size(), 401U);
}

TEST(LogImportTest, LinesLongerThanTheBufferAreBadAndTheNextOneIsRead) {
  ImportOptions options;
  options.max_bad = 0.5;
  const std::string log =
      Line(1) + std::string(3 * LogImporter::kLongestLine + 17, 'x') + "\n" + Line(2);
  const Result result = Import({log + Line(3)}, options);
  EXPECT_THAT(result.trace->requests, ElementsAre(1, 1, 1));
  EXPECT_EQ(result.counts.bad, 1U);
  EXPECT_EQ(result.bad[0].number, 2U);
}

TEST(LogImportTest, LinesMayLieAnywhereInTheBlocks) {
  // Lines of all lengths around the block's, so that some begin or end at its very border.
  std::string log;
  for (int i = 0; log.size() < 3 * LogImporter::kLongestLine; ++i) {
    log += Line(i / 100, ("/" + std::string(static_cast<std::size_t>(i % 97), 'a')).c_str());
  }
  log.pop_back();  // the last line does not end
  const Result result = Import({log});
  EXPECT_EQ(result.counts.bad, 0U);
  for (std::size_t i = 0; i + 1 < result.trace->requests.size(); ++i) {
    EXPECT_EQ(result.trace->requests[i], 100) << i;
  }
}

TEST(LogImportTest, SaysThatNothingOrOneBinWasCounted) {
  EXPECT_THAT(Import({""}).error, HasSubstr("no request was counted: 0 lines"));
  EXPECT_THAT(Import({Line(1) + Line(1)}).error, HasSubstr("all requests are in one bin of 1s"));
}

}  // namespace
}  // namespace tidegate::traces
