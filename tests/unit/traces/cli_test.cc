#include "traces/cli/cli.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "traces/cli/commands.h"
#include "traces/format/trace_file.h"
#include "traces/generate/catalog.h"
#include "traces/net/http_server.h"

namespace tidegate::traces {
namespace {

using testing::HasSubstr;

struct Outcome {
  int status = 0;
  std::string out;
  std::string err;
};

Outcome Tidetrace(std::vector<std::string> words) {
  words.insert(words.begin(), "tidetrace");
  std::vector<const char*> argv;
  for (const std::string& word : words) argv.push_back(word.c_str());
  std::ostringstream out, err;
  const int status = Main(static_cast<int>(argv.size()), argv.data(), out, err);
  return {status, out.str(), err.str()};
}

class TidetraceTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = testing::TempDir() + "tidetrace_XXXXXX";
    ASSERT_NE(mkdtemp(dir_.data()), nullptr);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  std::string Write(const std::string& text) const {
    std::ofstream(dir_ + "/trace.csv") << text;
    return dir_ + "/trace.csv";
  }
  std::string dir_;
};

TEST_F(TidetraceTest, GeneratesEveryKindOfTheCatalog) {
  for (const Generator& generator : Generators()) {
    const std::string file = dir_ + "/made.csv";
    const Outcome made = Tidetrace({"generate", std::string(generator.name), "--duration", "10m",
                                    "--bin", "10s", "--seed", "4", "-o", file});
    ASSERT_EQ(made.status, 0) << made.err;
    EXPECT_EQ(ReadTrace(file).value().requests.size(), 60U);
  }
}

TEST_F(TidetraceTest, WritesTheCommandThatMakesTheSameTraceAgain) {
  const Outcome first = Tidetrace({"generate", "flash-crowd", "--seed", "5", "--ramp-s", "3"});
  EXPECT_THAT(first.out, HasSubstr("# tidetrace generate flash-crowd --seed 5 --ramp-s 3\n"));
  EXPECT_EQ(Tidetrace({"generate", "flash-crowd", "--seed", "5", "--ramp-s", "3"}).out, first.out);
}

TEST_F(TidetraceTest, TheSamplesAreWhatTheirFirstLineMakes) {
  for (const auto& entry :
       std::filesystem::directory_iterator(TIDEGATE_SOURCE_DIR "/traces/data")) {
    if (entry.path().extension() != ".csv") continue;
    std::ifstream file(entry.path());
    std::stringstream text;
    text << file.rdbuf();
    std::istringstream line(text.str().substr(0, text.str().find('\n')));
    std::vector<std::string> words;
    for (std::string word; line >> word;) words.push_back(word);
    ASSERT_GT(words.size(), 2U);
    words.erase(words.begin(), words.begin() + 2);  // "#" and "tidetrace"
    EXPECT_EQ(Tidetrace(words).out, text.str()) << entry.path();
  }
}

TEST_F(TidetraceTest, InspectsAsTextAndJson) {
  const std::string file = Write("t_seconds,requests\n0,10\n10,30\n");
  const Outcome text = Tidetrace({"inspect", file});
  EXPECT_EQ(text.status, 0);
  EXPECT_THAT(text.out, HasSubstr("peak          3.00 rps at 10s, 1.50 times the mean"));
  const Outcome json = Tidetrace({"inspect", file, "--output", "json"});
  EXPECT_DOUBLE_EQ(boost::json::parse(json.out).at("mean_rps").as_double(), 2);
}

TEST_F(TidetraceTest, BadInputExitsWithTwo) {
  EXPECT_EQ(Tidetrace({}).status, 2);
  EXPECT_EQ(Tidetrace({"inspect", "/nonexistent.csv"}).status, 2);
  EXPECT_EQ(Tidetrace({"inspect", Write("nonsense\n")}).status, 2);
  EXPECT_EQ(Tidetrace({"generate", "colour"}).status, 2);
  EXPECT_EQ(Tidetrace({"generate", "flash-crowd", "--duration", "x"}).status, 2);
  EXPECT_EQ(Tidetrace({"generate", "flash-crowd", "--base-rps", "-1"}).status, 2);
  const std::string file = Write("t_seconds,requests\n0,1\n1,1\n");
  EXPECT_EQ(Tidetrace({"replay", file, "--url", "ftp://a"}).status, 2);
  EXPECT_EQ(Tidetrace({"replay", file, "--url", "http://a", "--compress", "0"}).status, 2);
  EXPECT_EQ(Tidetrace({"replay", file, "--url", "http://a", "--header", "x"}).status, 2);
}

TEST_F(TidetraceTest, HelpTeachesWithExamples) {
  const Outcome help = Tidetrace({"--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_THAT(help.out, HasSubstr("tidetrace generate flash-crowd"));
  EXPECT_THAT(Tidetrace({"replay", "--help"}).out, HasSubstr("Example:"));
}

TEST_F(TidetraceTest, ReplaysEveryRequestAndReportsAsJson) {
  const auto server = net::HttpServer::Start({}, [](const net::HttpRequest& request) {
                        const std::string* host = net::FindHeader(request.headers, "Host");
                        const bool right = host != nullptr && *host == "shop.example";
                        return net::MakeResponse(right ? 200 : 400, "text/plain", "ok");
                      }).value();
  const std::string file = Write("t_seconds,requests\n0,200\n1,200\n");
  const Outcome replay =
      Tidetrace({"replay", file, "--url", server->url(), "--compress", "10", "--scale", "2",
                 "--header", "Host: shop.example", "--output", "json"});
  EXPECT_EQ(replay.status, 0) << replay.err;
  const auto report = boost::json::parse(replay.out);
  EXPECT_EQ(report.at("started").to_number<int>(), 80);
  EXPECT_EQ(report.at("succeeded").to_number<int>(), 80);
  EXPECT_EQ(report.at("latency_ms").at("count").to_number<int>(), 80);
  EXPECT_THAT(replay.err, HasSubstr("80 requests in 0 s"));
}

TEST_F(TidetraceTest, FailedRequestsExitWithOneUnlessTolerated) {
  const auto server = net::HttpServer::Start({}, [](const net::HttpRequest&) {
                        return net::MakeResponse(503, "text/plain", "no");
                      }).value();
  const std::string file = Write("t_seconds,requests\n0,5\n0.1,5\n");
  const Outcome strict = Tidetrace({"replay", file, "--url", server->url(), "--quiet"});
  EXPECT_EQ(strict.status, 1);
  EXPECT_THAT(strict.out, HasSubstr("http_5xx             10"));
  EXPECT_EQ(strict.err, "");
  EXPECT_EQ(Tidetrace({"replay", file, "--url", server->url(), "--tolerate"}).status, 0);
}

TEST(SparklineTest, ScalesToTheHighestBlock) {
  EXPECT_EQ(Sparkline(Trace{.requests = {0, 4, 8}}, 10), "▁▅█");
  EXPECT_EQ(Sparkline(Trace{.requests = {0, 0, 8, 8}}, 2), "▁█");
  EXPECT_EQ(Sparkline(Trace{.requests = {0, 0}}, 2), "▁▁");
}

}  // namespace
}  // namespace tidegate::traces
