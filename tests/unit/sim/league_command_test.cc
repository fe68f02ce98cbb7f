// `tidesim league`: which files it takes, what it calls them, and what it says.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/runner/cli.h"
#include "sim/runner/command.h"
#include "sim/runner/league_load.h"
#include "tests/testing/child_process.h"
#include "traces/format/trace_file.h"

namespace tidegate::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Ten minutes by default.
traces::Trace Waves(int bins = 30) {
  traces::Trace trace{Duration(20'000), {}};
  for (int i = 0; i < bins; ++i) trace.requests.push_back(400 * (1 + 0.8 * std::sin(i / 20.0)));
  return trace;
}

struct Ran {
  int status;
  std::string out;
  std::string err;
};
Ran RunTool(const std::vector<std::string>& arguments) {
  std::vector<const char*> argv{"tidesim"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  std::ostringstream out, err;
  const int status = Main(static_cast<int>(argv.size()), argv.data(), out, err);
  return {status, out.str(), err.str()};
}

void WriteWaves(const tidegate::testing::TempDir& folder, const std::string& name, int bins = 30) {
  std::ofstream(folder.path() / name) << traces::FormatTraceFor(name, Waves(bins), "");
}

TEST(League, GivesTheSameOnAnyNumberOfThreads) {
  const tidegate::testing::TempDir folder;
  WriteWaves(folder, "waves.csv");
  std::vector<std::string> arguments{
      "league",   "--traces", folder.path().string(), "--scrape", "15", "--only", "static", "tide",
      "--output", "json"};
  const Ran one = RunTool(arguments);
  ASSERT_EQ(one.status, kDone) << one.err;
  arguments.insert(arguments.end(),
                   {"--threads", "3", "--report", (folder.path() / "page.html").string()});
  EXPECT_EQ(RunTool(arguments).out, one.out);
  const boost::json::value leagues = boost::json::parse(one.out);
  ASSERT_EQ(leagues.as_array().size(), 1u);
  const auto& curves = leagues.at(0).at("traces").at(0).at("curves").as_array();
  ASSERT_EQ(curves.size(), 3u);
  for (const auto& curve : curves) {
    EXPECT_GE(curve.at("default").at("costMultiple").to_number<double>(), 1);
    ASSERT_TRUE(curve.at("best").is_object()) << curve;
    EXPECT_LE(curve.at("best").at("badPercent").to_number<double>(), 0.1);
  }
  std::ifstream page(folder.path() / "page.html");
  const std::string html{std::istreambuf_iterator<char>(page), {}};
  EXPECT_THAT(html, HasSubstr("<figcaption>waves</figcaption>"));
}

TEST(League, SaysWhatIsWrong) {
  EXPECT_THAT(RunTool({"league", "--traces", "/nowhere"}).err, HasSubstr("/nowhere"));
  const tidegate::testing::TempDir folder;
  EXPECT_THAT(RunTool({"league", "--traces", folder.path().string()}).err,
              HasSubstr("no trace file"));
  EXPECT_EQ(RunTool({"league", "--traces", folder.path().string(), "--only", "nobody"}).status,
            kBadInput);
}

TEST(League, ReadsNoTraceThatNobodyWants) {
  const tidegate::testing::TempDir folder;
  std::ofstream(folder.path() / "broken.csv") << "no trace\n";
  const std::string traces = folder.path().string();
  EXPECT_THAT(RunTool({"league", "--traces", traces, "--trace", "other"}).err,
              HasSubstr("no trace has such a name"));
  for (const char* const wanted : {"broken", "#2"}) {
    EXPECT_THAT(RunTool({"league", "--traces", traces, "--parts", "2", "--trace", wanted}).err,
                HasSubstr("broken.csv"));
  }
}

// The names of the traces of files that are called so, in their order.
std::vector<std::string> NamesOf(const std::vector<std::string>& files) {
  const tidegate::testing::TempDir folder;
  for (const std::string& file : files) std::ofstream(folder.path() / file) << "";
  const auto traces = TraceFiles(folder.path().string());
  std::vector<std::string> names;
  for (const TraceFile& trace : *traces) names.push_back(trace.name);
  return names;
}

TEST(TraceFiles, AreNamedWithoutTheEndOfTheirFormat) {
  EXPECT_THAT(NamesOf({"a.csv", "b.csv.gz", "c.csv.zst", "d.tgtrace", "e.txt"}),
              ElementsAre("a", "b", "c", "d"));
}

TEST(TraceFiles, DotsInNamesAreKept) {
  EXPECT_THAT(NamesOf({"a.csv", "a.second.csv"}), ElementsAre("a", "a.second"));
}

TEST(TraceFiles, AreNamedWholeWhereTwoWouldHaveOneName) {
  EXPECT_THAT(NamesOf({"a.csv", "a.csv.gz", "b.csv"}), ElementsAre("a.csv", "a.csv.gz", "b"));
}

TEST(TraceFiles, AWholeNameIsNoOthersShortOne) {
  EXPECT_THAT(NamesOf({"a.csv", "a.csv.csv", "a.csv.gz"}),
              ElementsAre("a.csv", "a.csv.csv", "a.csv.gz"));
}

TEST(League, ALinkThatLeadsNowhereIsBadInput) {
  const tidegate::testing::TempDir folder;
  WriteWaves(folder, "waves.csv");
  std::filesystem::create_symlink("/nowhere/gone.csv", folder.path() / "link.csv");
  const Ran ran = RunTool({"league", "--traces", folder.path().string()});
  EXPECT_EQ(ran.status, kBadInput);
  EXPECT_THAT(ran.err, HasSubstr("link.csv"));
}

TEST(League, AFileCalledLikeAnothersPartIsBadInput) {
  const tidegate::testing::TempDir folder;
  WriteWaves(folder, "waves.csv", 100);
  WriteWaves(folder, "waves#2.csv");
  const std::string traces = folder.path().string();
  const Ran ran = RunTool({"league", "--traces", traces, "--parts", "2", "--days", "0.01"});
  EXPECT_EQ(ran.status, kBadInput);
  EXPECT_THAT(ran.err, HasSubstr("waves#2"));
}

TEST(League, SaysWhichNameNoTraceHas) {
  const tidegate::testing::TempDir folder;
  WriteWaves(folder, "waves.csv");
  const Ran ran = RunTool({"league", "--traces", folder.path().string(), "--trace", "tides"});
  EXPECT_EQ(ran.status, kBadInput);
  EXPECT_THAT(ran.err, HasSubstr("--trace tides; there are: waves\n"));
}

TEST(League, ListsTenNamesAtMost) {
  const tidegate::testing::TempDir folder;
  for (int i = 10; i < 22; ++i) WriteWaves(folder, fmt::format("waves{}.csv", i));
  const Ran ran = RunTool({"league", "--traces", folder.path().string(), "--trace", "tides"});
  EXPECT_THAT(ran.err, HasSubstr("waves10, "));
  EXPECT_THAT(ran.err, HasSubstr("waves19 and 2 more\n"));
  EXPECT_THAT(ran.err, Not(HasSubstr("waves20")));
}

TEST(League, PlaysAnIntervalBetweenScrapesOnce) {
  const tidegate::testing::TempDir folder;
  WriteWaves(folder, "waves.csv");
  const Ran ran = RunTool({"league", "--traces", folder.path().string(), "--scrape", "15", "15",
                           "--only", "static", "--defaults-only", "--output", "json"});
  ASSERT_EQ(ran.status, kDone) << ran.err;
  EXPECT_EQ(boost::json::parse(ran.out).as_array().size(), 1u);
}

}  // namespace
}  // namespace tidegate::sim
