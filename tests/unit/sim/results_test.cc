#include "sim/runner/results.h"

#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/report/measures.h"
#include "sim/runner/results_writer.h"
#include "tests/testing/child_process.h"

namespace tidegate::sim {
namespace {

using ::testing::HasSubstr;

ResultsHeader Header() {
  ResultsHeader header;
  header.name = "test";
  header.search = Search::kRandom;
  header.fingerprint = "0123456789abcdef";
  header.objective.measure = 3;
  header.objective.limits.push_back({0, 0.1});
  header.rungs = {{6, 1.0 / 3, 2}};
  header.fields = {"scaler.spec.maxReplicas"};
  return header;
}

// Numbers that many ways of writing lose a digit of.
SweepCell Cell(std::size_t number) {
  SweepCell cell{number, number, {"v\"" + std::to_string(number)}, {}};
  const double value = 0.1 + 0.2 + static_cast<double>(number) / 3;
  cell.runs.assign(2, std::vector<double>(Measures().size(), value));
  cell.runs[1][0] = 1e-300;
  return cell;
}

void ExpectEqual(const SweepCell& a, const SweepCell& b) {
  EXPECT_EQ(a.number, b.number);
  EXPECT_EQ(a.point, b.point);
  EXPECT_EQ(a.values, b.values);
  EXPECT_EQ(a.runs, b.runs);
}

TEST(ResultsTest, ComeBackBitByBit) {
  const std::string text = FormatResults(Header(), {Cell(2), Cell(0), Cell(5)});
  const auto read = ParseResults(text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(HeaderLine(read->header), HeaderLine(Header()));
  EXPECT_TRUE(read->damaged.empty());
  ASSERT_EQ(read->cells.size(), 3U);
  ExpectEqual(read->cells[0], Cell(0));
  ExpectEqual(read->cells[1], Cell(2));
  ExpectEqual(read->cells[2], Cell(5));
  EXPECT_EQ(FormatResults(read->header, read->cells), text);
}

TEST(ResultsTest, WhatARunDoesNotKnowStaysUnknown) {
  SweepCell cell = Cell(0);
  cell.runs[1][3] = std::numeric_limits<double>::quiet_NaN();
  const std::string text = FormatResults(Header(), {cell});
  const auto read = ParseResults(text);
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->cells.size(), 1U);
  EXPECT_TRUE(std::isnan(read->cells[0].runs[1][3]));
  EXPECT_EQ(FormatResults(read->header, read->cells), text);
  // It keeps no limit and is ranked last.
  Ranking objective;
  objective.measure = 3;
  SweepCell other = Cell(1);
  EXPECT_EQ(Ranked({&cell, &other}, objective).front(), &other);
  objective.measure = 0;
  objective.limits = {{3, 1e9}};
  EXPECT_FALSE(Keeps(cell, objective));
  EXPECT_TRUE(Keeps(other, objective));
}

TEST(ResultsTest, ACutAnywhereLosesTheLastCellOnly) {
  const std::string whole = HeaderLine(Header()) + CellLine(Cell(0)) + CellLine(Cell(1));
  const std::size_t last = whole.size() - CellLine(Cell(1)).size();
  for (std::size_t size = last + 1; size < whole.size(); ++size) {
    const auto read = ParseResults(whole.substr(0, size));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->cells.size(), 1U) << size;
    EXPECT_EQ(read->damaged, (std::vector<std::size_t>{3})) << size;
  }
}

TEST(ResultsTest, AnyChangedByteIsSeen) {
  const std::string head = HeaderLine(Header());
  const std::string line = CellLine(Cell(0));
  for (std::size_t i = 0; i + 1 < line.size(); ++i) {
    std::string bad = line;
    bad[i] = bad[i] == '1' ? '2' : '1';
    const auto read = ParseResults(head + bad);
    ASSERT_TRUE(read);
    EXPECT_TRUE(read->cells.empty()) << i;
  }
  for (std::size_t i = 0; i + 1 < head.size(); ++i) {
    std::string bad = head;
    bad[i] = bad[i] == '1' ? '2' : '1';
    EXPECT_FALSE(ParseResults(bad)) << i;
  }
}

TEST(ResultsTest, CellsThatDoNotFitDoNotCount) {
  SweepCell other_run = Cell(0), other_field = Cell(0), beyond = Cell(6), short_run = Cell(0);
  other_run.runs.pop_back();
  other_field.values.emplace_back("x");
  short_run.runs[0].pop_back();
  for (const SweepCell& cell : {other_run, other_field, beyond, short_run}) {
    const auto read = ParseResults(HeaderLine(Header()) + CellLine(cell));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->damaged.size(), 1U);
  }
  ResultsHeader shard = Header();
  shard.shard = {1, 3};
  EXPECT_EQ(ParseResults(HeaderLine(shard) + CellLine(Cell(4)))->cells.size(), 1U);
  EXPECT_EQ(ParseResults(HeaderLine(shard) + CellLine(Cell(3)))->cells.size(), 0U);
}

TEST(ResultsTest, OtherFilesAreRefused) {
  for (const char* text : {"", "hello\n", "0123456789abcdef {}\n", "\n\n\n"})
    EXPECT_FALSE(ParseResults(text)) << text;
}

class ResultsWriterTest : public ::testing::Test {
 protected:
  std::string Path() const { return (dir_.path() / "a.results").string(); }
  std::string Text() const { return testing::ReadFile(Path()); }

  const testing::TempDir dir_;
};

TEST_F(ResultsWriterTest, GoesOnWhereAFileEnds) {
  {
    const auto writer = ResultsWriter::Open(Path(), Header());
    ASSERT_TRUE(writer) << writer.error().message;
    EXPECT_TRUE((*writer)->found().empty());
    ASSERT_TRUE((*writer)->Append(Cell(4)));
    ASSERT_TRUE((*writer)->Append(Cell(1)));
  }
  EXPECT_EQ(Text(), HeaderLine(Header()) + CellLine(Cell(4)) + CellLine(Cell(1)));
  const auto writer = ResultsWriter::Open(Path(), Header());
  ASSERT_TRUE(writer);
  ASSERT_EQ((*writer)->found().size(), 2U);
  ExpectEqual((*writer)->found()[0], Cell(4));
  ASSERT_TRUE((*writer)->Finish({Cell(4), Cell(1)}));
  EXPECT_EQ(Text(), FormatResults(Header(), {Cell(1), Cell(4)}));
}

TEST_F(ResultsWriterTest, TakesDamagedLinesOut) {
  const std::string good = HeaderLine(Header()) + CellLine(Cell(0)) + CellLine(Cell(1));
  dir_.Write("a.results", good + CellLine(Cell(2)).substr(0, 30));
  const auto writer = ResultsWriter::Open(Path(), Header());
  ASSERT_TRUE(writer) << writer.error().message;
  EXPECT_EQ((*writer)->damaged(), 1U);
  EXPECT_EQ((*writer)->found().size(), 2U);
  ASSERT_TRUE((*writer)->Append(Cell(3)));
  EXPECT_EQ(Text(), good + CellLine(Cell(3)));
}

TEST_F(ResultsWriterTest, ABeginningThatWasCutOffBeginsAgain) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{5}, HeaderLine(Header()).size() - 1}) {
    dir_.Write("a.results", HeaderLine(Header()).substr(0, size));
    const auto writer = ResultsWriter::Open(Path(), Header());
    ASSERT_TRUE(writer) << writer.error().message;
    EXPECT_EQ(Text(), HeaderLine(Header()));
  }
}

TEST_F(ResultsWriterTest, LeavesWhatIsNotItsOwnAlone) {
  const std::string letter = "Dear diary,\n";
  dir_.Write("a.results", letter);
  EXPECT_EQ(ResultsWriter::Open(Path(), Header()).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(Text(), letter);
  ResultsHeader other = Header();
  other.fingerprint = "fedcba9876543210";
  dir_.Write("a.results", FormatResults(other, {Cell(0)}));
  const auto refused = ResultsWriter::Open(Path(), Header());
  EXPECT_THAT(refused.error().message, HasSubstr("another sweep"));
  EXPECT_EQ(Text(), FormatResults(other, {Cell(0)}));
  other = Header();
  other.shard = {0, 2};
  dir_.Write("a.results", FormatResults(other, {}));
  EXPECT_THAT(ResultsWriter::Open(Path(), Header()).error().message, HasSubstr("shard 0/2"));
}

TEST_F(ResultsWriterTest, OneProcessHoldsAFile) {
  const auto first = ResultsWriter::Open(Path(), Header());
  ASSERT_TRUE(first);
  EXPECT_EQ(ResultsWriter::Open(Path(), Header()).error().code, ErrorCode::kConflict);
  ASSERT_TRUE((*first)->Finish({Cell(0)}));
  EXPECT_EQ(ResultsWriter::Open(Path(), Header()).error().code, ErrorCode::kConflict);
}

TEST_F(ResultsWriterTest, SaysWhatTheSystemRefuses) {
  const auto refused = ResultsWriter::Open("/no/such/folder/a.results", Header());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("/no/such/folder/a.results"));
}

}  // namespace
}  // namespace tidegate::sim
