#include "traces/import/range_reader.h"

#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/adapters/prometheus/presets.h"
#include "scheduler/adapters/prometheus/query_client.h"
#include "tests/testing/child_process.h"
#include "traces/net/http_server.h"
#include "traces/net/url.h"

namespace tidegate::adapters {
namespace {

using std::chrono::seconds;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::SizeIs;
using traces::RangeQuery;
using traces::RangeReader;
using traces::ResponseSeries;

constexpr Instant kBegin = FromUnixMillis(1'800'000'000'000);

// What one piece asked for, in seconds.
struct Piece {
  double start = 0;
  double end = 0;
  double step = 0;
  int points() const { return static_cast<int>(std::lround((end - start) / step)) + 1; }
};

// A Prometheus that answers each point with its time, in the series that `series` names.
class FakePrometheus {
 public:
  FakePrometheus() {
    server_ = *net::HttpServer::Start({}, [this](const net::HttpRequest& request) {
      const std::lock_guard lock(mutex_);
      const auto target = net::ParseTarget(request.target);
      const auto number = [&](const char* name) {
        return std::stod(*net::FindParameter(target->parameters, name));
      };
      pieces.push_back({number("start"), number("end"), number("step")});
      if (const auto* auth = net::FindHeader(request.headers, "authorization")) credentials = *auth;
      if (pieces.back().points() > most_points) return net::MakeResponse(status, "", refusal);
      return net::MakeResponse(200, "application/json", Matrix(pieces.back()));
    });
  }

  config::PrometheusConfig Config() const {
    config::PrometheusConfig config;
    config.url = fmt::format("http://127.0.0.1:{}", server_->port());
    return config;
  }

  std::string Matrix(const Piece& piece) const {
    std::string result;
    for (const char* name : series) {
      std::string values;
      for (int i = 0; i < piece.points(); ++i) {
        const double at = piece.start + i * piece.step;
        values += fmt::format("{}[{:.3f},\"{}\"]", i == 0 ? "" : ",", at, at);
      }
      result += fmt::format(R"({}{{"metric":{{"replica":"{}"}},"values":[{}]}})",
                            result.empty() ? "" : ",", name, values);
    }
    return R"({"status":"success","data":{"resultType":"matrix","result":[)" + result + "]}}";
  }

  std::vector<const char*> series{"a"};
  int most_points = 1'000'000;
  int status = 422;
  std::string refusal;
  std::vector<Piece> pieces;
  std::string credentials;

 private:
  std::mutex mutex_;
  std::unique_ptr<net::HttpServer> server_;
};

RangeQuery Points(int count) {
  return {.promql = "x",
          .begin = kBegin,
          .end = kBegin + seconds(15) * (count - 1),
          .step = seconds(15),
          .labels = {"replica"}};
}

std::vector<int> PointsOf(const std::vector<Piece>& pieces) {
  std::vector<int> points;
  for (const Piece& piece : pieces) points.push_back(piece.points());
  return points;
}

// Every point once, in order.
void ExpectWhole(const ResponseSeries& series, std::size_t count) {
  ASSERT_THAT(series.samples, SizeIs(count));
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_EQ(series.samples[i].at, kBegin + seconds(15) * static_cast<std::int64_t>(i));
    ASSERT_EQ(series.samples[i].value, Seconds(series.samples[i].at.time_since_epoch()));
  }
}

TEST(RangeReaderTest, AsksInPiecesThatPrometheusAnswers) {
  FakePrometheus prometheus;
  prometheus.series = {"b", "a"};
  auto reader = MakeRangeReader(prometheus.Config());
  ASSERT_TRUE(reader);
  std::vector<double> shares;
  const auto series = reader->Read(Points(25'001), [&](double share) { shares.push_back(share); });
  ASSERT_TRUE(series) << series.error().message;
  EXPECT_THAT(PointsOf(prometheus.pieces), ElementsAre(10'000, 10'000, 5'001));
  ASSERT_THAT(*series, SizeIs(2));
  EXPECT_THAT((*series)[0].labels, ElementsAre("a"));
  for (const ResponseSeries& one : *series) ExpectWhole(one, 25'001);
  EXPECT_THAT(shares, SizeIs(3));
  EXPECT_EQ(shares.back(), 1);
}

TEST(RangeReaderTest, HalvesPiecesThatAreTooMuch) {
  FakePrometheus prometheus;
  prometheus.most_points = 3'000;
  prometheus.refusal =
      R"({"status":"error","errorType":"execution","error":"query processing would load too many samples into memory in query execution"})";
  auto reader = MakeRangeReader(prometheus.Config());
  const auto series = reader->Read(Points(10'000), {});
  ASSERT_TRUE(series) << series.error().message;
  EXPECT_THAT(PointsOf(prometheus.pieces), ElementsAre(10'000, 5'000, 2'500, 2'500, 2'500, 2'500));
  ExpectWhole((*series)[0], 10'000);
}

TEST(RangeReaderTest, HalvesAnswersThatAreTooLarge) {
  FakePrometheus prometheus;
  config::PrometheusConfig config = prometheus.Config();
  config.max_response_bytes = 64'000;
  auto reader = MakeRangeReader(config);
  const auto series = reader->Read(Points(4'000), {});
  ASSERT_TRUE(series) << series.error().message;
  ExpectWhole((*series)[0], 4'000);
  EXPECT_GT(reader->pieces(), 2u);
}

TEST(RangeReaderTest, SaysWhichPieceFailed) {
  FakePrometheus prometheus;
  prometheus.most_points = 0;
  prometheus.status = 400;
  prometheus.refusal = R"({"status":"error","errorType":"bad_data","error":"parse error: oops"})";
  auto reader = MakeRangeReader(prometheus.Config());
  const auto series = reader->Read(Points(100), {});
  ASSERT_FALSE(series);
  EXPECT_EQ(series.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(series.error().message, HasSubstr("parse error: oops"));
  EXPECT_THAT(series.error().message, HasSubstr(FormatInstant(kBegin)));
  EXPECT_THAT(prometheus.pieces, SizeIs(1));
}

TEST(RangeReaderTest, GivesUpWhereOnePointIsTooMuch) {
  FakePrometheus prometheus;
  prometheus.most_points = 0;
  prometheus.refusal = R"({"status":"error","errorType":"execution","error":"too many samples"})";
  auto reader = MakeRangeReader(prometheus.Config());
  EXPECT_FALSE(reader->Read(Points(8), {}));
  EXPECT_THAT(PointsOf(prometheus.pieces), ElementsAre(8, 4, 2, 1));
}

TEST(RangeReaderTest, RefusesSeriesThatItsLabelsDoNotTellApart) {
  FakePrometheus prometheus;
  prometheus.series = {"a", "a"};
  auto reader = MakeRangeReader(prometheus.Config());
  const auto series = reader->Read(Points(10), {});
  ASSERT_FALSE(series);
  EXPECT_THAT(series.error().message, HasSubstr("several series with the same labels"));
}

TEST(RangeReaderTest, ShowsItsCredentials) {
  FakePrometheus prometheus;
  const testing::TempDir dir;
  config::PrometheusConfig config = prometheus.Config();
  config.bearer_token_file = dir.Write("token", "sesame\n").string();
  auto reader = MakeRangeReader(config);
  ASSERT_TRUE(reader->Read(Points(10), {}));
  EXPECT_EQ(prometheus.credentials, "Bearer sesame");
}

TEST(RequestsOfPoolTest, SelectsOnePoolsCounters) {
  const config::PrometheusConfig config;
  const PoolId pool{"shop", "edge"};
  EXPECT_EQ(
      RequestsOfPool(*FindPreset("haproxy"), pool, config),
      R"(haproxy_frontend_http_requests_total{proxy=~"traffic.*",namespace="shop",gateway="edge"})");
  EXPECT_EQ(RequestsOfPool(*FindPreset("nginx"), pool, config),
            R"(nginx_http_requests_total{namespace="shop",gateway="edge"})");
  EXPECT_EQ(RequestsOfPool(*FindPreset("istio"), pool, config),
            R"(istio_requests_total{reporter="source",source_workload=~"istio-.+",)"
            R"(source_workload_namespace="shop",source_workload="istio-edge"})");
}

}  // namespace
}  // namespace tidegate::adapters
