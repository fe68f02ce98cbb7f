#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "traces/cli/cli.h"
#include "traces/format/trace_file.h"
#include "traces/import/prometheus_range.h"
#include "traces/net/http_server.h"
#include "traces/net/url.h"

namespace tidegate::traces {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Outcome {
  int status = 0;
  std::string out;
  std::string err;
};

class ImportCliTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = testing::TempDir() + "import_XXXXXX";
    ASSERT_NE(mkdtemp(dir_.data()), nullptr);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(dir_ + "/" + name, std::ios::binary) << text;
    return dir_ + "/" + name;
  }

  // tidetrace import ..., with the trace written to out_.
  Outcome Import(std::vector<std::string> words) {
    words.insert(words.begin(), {"tidetrace", "import"});
    words.insert(words.end(), {"-o", out_ = dir_ + "/out.tgtrace"});
    std::vector<const char*> argv;
    for (const std::string& word : words) argv.push_back(word.c_str());
    std::ostringstream out, err;
    const int status = Main(static_cast<int>(argv.size()), argv.data(), out, err);
    return {status, out.str(), err.str()};
  }
  std::vector<double> Bins() const { return ReadTrace(out_).value().requests; }

  std::string dir_, out_;
};

constexpr const char* kLog =
    "1.2.3.4 - - [27/Nov/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 200 1\n"
    "1.2.3.4 - - [27/Nov/2026:00:00:02 +0000] \"GET / HTTP/1.1\" 200 1\n";

std::string Matrix(const std::string& values) {
  return R"({"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[)" +
         values + "]}]}}";
}

TEST_F(ImportCliTest, ReadsSeveralFilesPackedOrNot) {
  const std::string plain = Write("a.log", kLog), again = Write("b.log", kLog);
  const Outcome done = Import({plain, again, "--output", "json"});
  ASSERT_EQ(done.status, 0) << done.err;
  EXPECT_THAT(Bins(), ElementsAre(2, 0, 2));
  const auto report = boost::json::parse(done.out);
  EXPECT_EQ(report.at("format"), "combined");
  EXPECT_EQ(report.at("counted"), 4);
  EXPECT_EQ(report.at("start"), "2026-11-27T00:00:00Z");
  EXPECT_EQ(done.err, "");
  std::string comment;
  ASSERT_TRUE(ReadTrace(out_, &comment).has_value());
  EXPECT_THAT(comment, HasSubstr("tidetrace import " + plain));
  EXPECT_THAT(comment, HasSubstr("\nfrom 2026-11-27T00:00:00Z"));
}

TEST_F(ImportCliTest, RefusesBadFlagsAndFiles) {
  const std::string log = Write("a.log", kLog);
  const auto expect = [&](std::vector<std::string> words, const char* message) {
    const Outcome done = Import(std::move(words));
    EXPECT_EQ(done.status, 2) << message;
    EXPECT_THAT(done.err, HasSubstr(message));
  };
  expect({}, "there is nothing to import");
  expect({log, "--bin", "0"}, "--bin must be above 0");
  expect({log, "--bin", "x"}, "--bin: ");
  expect({log, "--status", "2x"}, "--status: \"2x\" is no status");
  expect({log, "--utc-offset", "Mars"}, "\"Mars\" is no zone");
  expect({log, "--max-bad", "101%"}, "\"101%\" is no share");
  expect({log, "--start", "1795737600", "--end", "1795737600"}, "--end must be after --start");
  expect({log, "--log-format", "$status"}, "there is no time in it");
  expect({log, "--query", "x"}, "--query needs --prometheus");
  expect({log, "--prometheus", "http://a"}, "takes no file");
  expect({"--prometheus", "http://a", "--query", "x"}, "needs --query, --start, --end and --step");
  expect({dir_ + "/none"}, "cannot be opened");
  expect({dir_}, "is a folder");
  expect({Write("b.log", "what is this\n")}, "no known log format fits");
}

TEST_F(ImportCliTest, ReadsARangeFromAFileThatItKnowsByItsContent) {
  const std::string file =
      Write("range.json", Matrix(R"([1795651260,"2"],[1795651320,"3.5"],[1795651380,"0"])"));
  const Outcome done = Import({file});
  ASSERT_EQ(done.status, 0) << done.err;
  EXPECT_THAT(Bins(), ElementsAre(120, 210, 0));
  EXPECT_THAT(done.err, HasSubstr("3 bins of 1m from 2026-11-26T00:00:00Z: 330 requests"));
  ASSERT_EQ(Import({file, "--values", "count"}).status, 0);
  EXPECT_THAT(Bins(), ElementsAre(2, 3.5, 0));
}

TEST_F(ImportCliTest, GapsOfARangeAreRefusedUnlessToldHowToFillThem) {
  const std::string file =
      Write("range.json", Matrix(R"([60,"1"],[120,"NaN"],[180,"3"],[240,"4"],[420,"7"])"));
  const Outcome refused = Import({file});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("3 of 7 steps have no sample (1970-01-01T00:02:00Z, "
                                     "1970-01-01T00:05:00Z, 1970-01-01T00:06:00Z), and no data is "
                                     "not no load"));
  ASSERT_EQ(Import({file, "--values", "count", "--gaps", "line"}).status, 0);
  EXPECT_THAT(Bins(), ElementsAre(1, 2, 3, 4, 5, 6, 7));
  ASSERT_EQ(Import({file, "--values", "count", "--gaps", "zero"}).status, 0);
  EXPECT_THAT(Bins(), ElementsAre(1, 0, 3, 4, 0, 0, 7));
}

std::string RangeError(std::vector<ResponseSeries> series, RangeOptions options = {}) {
  const auto trace = TraceOfRange({ResponseType::kMatrix, std::move(series)}, options);
  return trace ? "" : trace.error().message;
}
signals::Sample At(double seconds, double value) { return {Instant(FromSeconds(seconds)), value}; }

TEST(RangeTraceTest, SaysWhatMakesARangeNoTrace) {
  EXPECT_THAT(RangeError({}), HasSubstr("the query found nothing"));
  EXPECT_THAT(RangeError({{{}, {At(1, 1)}}}), HasSubstr("fewer than two samples"));
  EXPECT_THAT(RangeError({{{}, {At(1, 1), At(2, -1)}}}), HasSubstr("the value -1 at 1970"));
  EXPECT_THAT(RangeError({{{}, {At(1, 1), At(2, 1)}}, {{}, {At(1, 1)}}}),
              HasSubstr("it has 2 series; put sum(...) around the query"));
  EXPECT_THAT(RangeError({{{}, {At(0, 1), At(15.003, 1), At(30.001, 1)}}}),
              HasSubstr("not at equal steps"));
  EXPECT_THAT(RangeError({{{}, {At(0, 1), At(15, 1)}}}, {.step = std::chrono::seconds(10)}),
              HasSubstr("not at steps of 10s"));
  EXPECT_THAT(RangeError({{{}, {At(0, 1), At(1e9, 1)}}}, {.step = std::chrono::seconds(1)}),
              HasSubstr("1000000001 steps; at most"));
}

TEST(RangeTraceTest, SumsSeriesThatComeAndGo) {
  const Response response{ResponseType::kMatrix,
                          {{{}, {At(0, 1), At(10, 1), At(20, 1)}}, {{}, {At(10, 4), At(20, 5)}}}};
  const auto range = TraceOfRange(response, {.sum_series = true}).value();
  EXPECT_EQ(range.trace.bin, std::chrono::seconds(10));
  EXPECT_THAT(range.trace.requests, ElementsAre(10, 50, 60));
  EXPECT_EQ(range.start, FromUnixMillis(-10'000));
}

TEST_F(ImportCliTest, AsksAPrometheusInPiecesWithItsCredentials) {
  std::mutex mutex;
  int pieces = 0;
  std::string authorization;
  const auto server =
      net::HttpServer::Start({}, [&](const net::HttpRequest& request) {
        const std::lock_guard lock(mutex);
        ++pieces;
        if (const auto* auth = net::FindHeader(request.headers, "authorization")) {
          authorization = *auth;
        }
        const auto target = net::ParseTarget(request.target).value();
        const auto number = [&](const char* name) {
          return std::stod(*net::FindParameter(target.parameters, name));
        };
        std::string values;
        for (double at = number("start"); at <= number("end"); at += number("step")) {
          values +=
              fmt::format("{}[{:.3f},\"{}\"]", values.empty() ? "" : ",", at, at - 1'795'651'200);
        }
        return net::MakeResponse(200, "application/json", Matrix(values));
      }).value();
  const Outcome done =
      Import({"--prometheus", server->url(), "--bearer-token-file", Write("token", "secret"),
              "--query", "sum(rate(x[1m]))", "--start", "2026-11-26T00:00:00Z", "--end",
              "2026-11-26T04:10:00Z", "--step", "1s"});
  ASSERT_EQ(done.status, 0) << done.err;
  const std::vector<double> bins = Bins();
  ASSERT_EQ(bins.size(), 15'000U);
  for (std::size_t i = 0; i < bins.size(); ++i) ASSERT_EQ(bins[i], static_cast<double>(i + 1));
  EXPECT_EQ(pieces, 2);
  EXPECT_EQ(authorization, "Bearer secret");
  EXPECT_THAT(done.err, HasSubstr("15000 bins of 1s from 2026-11-26T00:00:00Z"));
}

TEST_F(ImportCliTest, AnAnswerThatBeginsLateHasGaps) {
  const auto server =
      net::HttpServer::Start({}, [](const net::HttpRequest&) {
        return net::MakeResponse(200, "application/json", Matrix(R"([180,"1"],[240,"1"])"));
      }).value();
  const Outcome done = Import({"--prometheus", server->url(), "--query", "x", "--start", "0",
                               "--end", "240", "--step", "1m"});
  EXPECT_EQ(done.status, 2);
  EXPECT_THAT(done.err, HasSubstr("2 of 4 steps have no sample (1970-01-01T00:01:00Z"));
}

}  // namespace
}  // namespace tidegate::traces
