#include "scheduler/adapters/prometheus/prometheus_source.h"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/adapters/prometheus/presets.h"
#include "tests/testing/child_process.h"
#include "traces/net/http_server.h"

namespace tidegate::adapters {
namespace {

using config::PrometheusMode;
using config::SignalDefinition;
using config::SignalMetric;
using signals::Phase;
using signals::Quality;
using signals::Reading;
using signals::ReplicaView;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr Instant kNow = FromUnixMillis(1'800'000'000'000);
const std::string kEmptyAnswer =
    R"({"status":"success","data":{"resultType":"vector","result":[]}})";

SignalDefinition Requests(const std::string& preset = "haproxy") {
  return {.name = "rps",
          .preset = preset,
          .metric = SignalMetric::kRequests,
          .promql = "",
          .per_replica = 50.0};
}

SignalDefinition Expression(const std::string& promql) {
  return {.name = "custom", .preset = "", .metric = {}, .promql = promql, .per_replica = 10.0};
}

// One series of a counter that grows by `rate` per second, sampled each 15 s, the last time `age`
// before now.
std::string Counter(const std::string& gateway, const std::string& replica, double rate,
                    Duration age = Duration(2'000)) {
  std::string text =
      fmt::format(R"({{"metric":{{"namespace":"shop","gateway":"{}","replica":"{}"}},"values":[)",
                  gateway, replica);
  for (int i = 3; i >= 0; --i) {
    const double at = Seconds((kNow - age).time_since_epoch()) - 15 * i;
    text += fmt::format(R"([{:.3f},"{}"]{})", at, 1'000'000 - rate * 15 * i, i == 0 ? "" : ",");
  }
  return text + "]}";
}

std::string Matrix(const std::vector<std::string>& series) {
  return fmt::format(R"({{"status":"success","data":{{"resultType":"matrix","result":[{}]}}}})",
                     fmt::join(series, ","));
}

std::string Vector(const std::string& labels, const std::string& value) {
  return fmt::format(R"({{"status":"success","data":{{"resultType":"vector","result":[)"
                     R"({{"metric":{{{}}},"value":[1800000000,"{}"]}}]}}}})",
                     labels, value);
}

// A pool's part of a call, with replicas that have served for an hour.
struct Pool {
  Pool(const std::string& name, int replicas, std::vector<SignalDefinition> wanted)
      : id{"shop", name}, signals(std::move(wanted)) {
    const Instant started = kNow - std::chrono::hours(1);
    for (int i = 1; i <= replicas; ++i) {
      views.push_back(
          {fmt::format("{}-{}", name, i), "r", Phase::kReady, started, started, started});
    }
  }
  PoolQuery Query() const { return {id, &views, &signals}; }

  PoolId id;
  std::vector<SignalDefinition> signals;
  std::vector<ReplicaView> views;
};

// A source that asks a server of ours.
class PrometheusSourceTest : public ::testing::Test {
 protected:
  void Serve(net::HttpHandler handler) {
    auto server = net::HttpServer::Start({}, [this, handler](const net::HttpRequest& request) {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
      return handler(request);
    });
    ASSERT_TRUE(server) << server.error().message;
    server_ = *std::move(server);
    config_.url = server_->url();
    config_.scrape_interval = Duration(15'000);
    config_.window = Duration(60'000);
    config_.stale_after = Duration(37'500);
    config_.timeout = Duration(5'000);
  }
  void Answer(int status, const std::string& body) {
    Serve([=](const net::HttpRequest&) {
      return net::MakeResponse(status, "application/json", body);
    });
  }

  std::vector<std::vector<Reading>> Read(const std::vector<Pool>& pools) {
    auto source = PrometheusSource::Create(config_);
    EXPECT_TRUE(source) << source.error().message;
    std::vector<PoolQuery> queries;
    for (const Pool& pool : pools) queries.push_back(pool.Query());
    auto readings = (*source)->Read(kNow, queries);
    stats_ = (*source)->stats();
    return readings;
  }
  Reading ReadOne(const Pool& pool) { return Read({pool}).at(0).at(0); }

  config::PrometheusConfig config_;
  std::mutex mutex_;
  std::vector<net::HttpRequest> requests_;
  std::unique_ptr<net::HttpServer> server_;
  std::vector<QueryStats> stats_;
};

TEST_F(PrometheusSourceTest, OneQueryServesAllPoolsOfAPreset) {
  Answer(200, Matrix({Counter("a", "a-1", 10), Counter("b", "b-1", 30), Counter("b", "b-2", 5)}));
  const auto readings = Read({{"a", 1, {Requests()}}, {"b", 2, {Requests()}}});
  EXPECT_EQ(requests_.size(), 1u);
  EXPECT_EQ(readings[0][0].quality, Quality::kOk) << readings[0][0].detail;
  EXPECT_NEAR(readings[0][0].value, 10, 1e-6);
  EXPECT_NEAR(readings[1][0].value, 35, 1e-6);
  EXPECT_EQ(readings[1][0].series, 2);
  EXPECT_EQ(readings[1][0].age, Duration(2'000));
  EXPECT_EQ(readings[1][0].signal, "rps");
}

TEST_F(PrometheusSourceTest, EachPresetMetricAndExpressionIsAskedOnce) {
  Answer(200, kEmptyAnswer);
  SignalDefinition inflight = Requests();
  inflight.metric = SignalMetric::kInflight;
  Read({{"a", 1, {Requests(), inflight, Expression("x")}},
        {"b", 1, {Requests(), Expression("x"), Expression("y{gateway=\"{{gateway}}\"}")}}});
  EXPECT_EQ(requests_.size(), 4u);
}

TEST_F(PrometheusSourceTest, FewerSeriesThanReadyReplicasArePartial) {
  Answer(200, Matrix({Counter("a", "a-1", 10)}));
  const Reading reading = ReadOne({"a", 2, {Requests()}});
  EXPECT_EQ(reading.quality, Quality::kPartial);
  EXPECT_EQ(reading.series, 1);
  EXPECT_EQ(reading.expected, 2);
}

TEST_F(PrometheusSourceTest, OldSamplesAreStale) {
  Answer(200, Matrix({Counter("a", "a-1", 10, Duration(40'000))}));
  const Reading reading = ReadOne({"a", 1, {Requests()}});
  EXPECT_EQ(reading.quality, Quality::kStale);
  EXPECT_EQ(reading.value, 0);
  EXPECT_EQ(reading.age, Duration(40'000));
}

TEST_F(PrometheusSourceTest, NoSeriesIsEmptyAndNotZero) {
  Answer(200, Matrix({Counter("other", "o-1", 10)}));
  EXPECT_EQ(ReadOne({"a", 1, {Requests()}}).quality, Quality::kEmpty);
  EXPECT_FALSE(stats_.at(0).empty);
}

TEST_F(PrometheusSourceTest, NaNIsNotANumber) {
  Answer(200, Matrix({R"({"metric":{"namespace":"shop","gateway":"a","replica":"a-1"},)"
                      R"("values":[[1799999980,"NaN"],[1799999995,"NaN"]]})"}));
  EXPECT_EQ(ReadOne({"a", 1, {Requests()}}).quality, Quality::kNaN);
}

TEST_F(PrometheusSourceTest, FailuresAreReadingsThatSaySo) {
  struct Case {
    int status;
    std::string body;
    std::string says;
    ErrorCode code;
  };
  const std::vector<Case> cases{
      {400, R"({"status":"error","errorType":"bad_data","error":"no such function"})",
       "no such function", ErrorCode::kInvalid},
      {401, "", "credentials", ErrorCode::kDenied},
      {403, "", "credentials", ErrorCode::kDenied},
      {404, "<html>", "answers 404", ErrorCode::kUnavailable},
      {200, "<html>", "not understood", ErrorCode::kInvalid},
  };
  for (const Case& one : cases) {
    Answer(one.status, one.body);
    const Reading reading = ReadOne({"a", 1, {Requests()}});
    EXPECT_EQ(reading.quality, Quality::kError);
    EXPECT_THAT(reading.detail, HasSubstr(one.says));
    EXPECT_EQ(stats_.at(0).error, one.code) << one.status;
  }
}

TEST_F(PrometheusSourceTest, AServerThatComesBackWithinTheTimeoutIsAskedAgain) {
  int left = 1;
  Serve([&left](const net::HttpRequest&) {
    return left-- > 0
               ? net::MakeResponse(503, "text/plain", "starting")
               : net::MakeResponse(200, "application/json", Matrix({Counter("a", "a-1", 10)}));
  });
  EXPECT_EQ(ReadOne({"a", 1, {Requests()}}).quality, Quality::kOk);
  EXPECT_EQ(requests_.size(), 2u);
}

TEST_F(PrometheusSourceTest, AServerThatIsGoneIsAnError) {
  Answer(200, kEmptyAnswer);
  server_->Stop();
  config_.timeout = Duration(300);
  EXPECT_EQ(ReadOne({"a", 1, {Requests()}}).quality, Quality::kError);
  EXPECT_TRUE(stats_.at(0).error.has_value());
}

TEST_F(PrometheusSourceTest, AnAnswerThatDoesNotComeIsATimeout) {
  std::vector<net::Responder> held;  // never answered
  auto server = net::HttpServer::StartAsync(
      {.stop_grace = Duration(0)},
      [&held](const net::HttpRequest&, net::Responder responder) { held.push_back(responder); });
  ASSERT_TRUE(server);
  config_.url = (*server)->url();
  config_.timeout = Duration(200);
  const Reading reading = ReadOne({"a", 1, {Requests()}});
  EXPECT_EQ(reading.quality, Quality::kError);
  EXPECT_EQ(stats_.at(0).error, ErrorCode::kTimeout) << reading.detail;
}

TEST_F(PrometheusSourceTest, AnAnswerThatIsTooLargeIsAnError) {
  Answer(200, Matrix({Counter("a", "a-1", 10)}) + std::string(4'096, ' '));
  config_.max_response_bytes = 1'024;
  EXPECT_EQ(ReadOne({"a", 1, {Requests()}}).quality, Quality::kError);
  EXPECT_EQ(stats_.at(0).error, ErrorCode::kTooLarge);
}

TEST_F(PrometheusSourceTest, TokensAreReadFromTheirFile) {
  const testing::TempDir dir;
  dir.Write("token", "secret-1\n");
  Answer(200, kEmptyAnswer);
  config_.bearer_token_file = (dir.path() / "token").string();
  ReadOne({"a", 1, {Requests()}});
  const std::string* header = net::FindHeader(requests_.at(0).headers, "Authorization");
  ASSERT_NE(header, nullptr);
  EXPECT_EQ(*header, "Bearer secret-1");
}

TEST_F(PrometheusSourceTest, PasswordsAreReadFromTheirFile) {
  const testing::TempDir dir;
  dir.Write("password", "secret\n");
  Answer(200, kEmptyAnswer);
  config_.basic_auth = {"tide", (dir.path() / "password").string()};
  ReadOne({"a", 1, {Requests()}});
  const std::string* header = net::FindHeader(requests_.at(0).headers, "Authorization");
  ASSERT_NE(header, nullptr);
  EXPECT_EQ(*header, "Basic dGlkZTpzZWNyZXQ=");
}

TEST_F(PrometheusSourceTest, PromqlModeAsksForTheRateAndBelievesIt) {
  Answer(200, Vector(R"("namespace":"shop","gateway":"a")", "123.5"));
  config_.mode = PrometheusMode::kPromql;
  const Reading reading = ReadOne({"a", 2, {Requests()}});
  EXPECT_EQ(reading.quality, Quality::kOk) << reading.detail;
  EXPECT_EQ(reading.value, 123.5);
  EXPECT_THAT(requests_.at(0).target, HasSubstr("rate"));
}

TEST_F(PrometheusSourceTest, AnExpressionGivesOneValue) {
  Answer(200, Vector("", "42"));
  EXPECT_EQ(ReadOne({"a", 1, {Expression("sum(x)")}}).value, 42);
  Answer(200, Vector("", "NaN"));
  EXPECT_EQ(ReadOne({"a", 1, {Expression("sum(x)")}}).quality, Quality::kNaN);
  Answer(200, Vector("", "-1"));
  EXPECT_EQ(ReadOne({"a", 1, {Expression("sum(x)")}}).quality, Quality::kNaN);
  Answer(200, kEmptyAnswer);
  EXPECT_EQ(ReadOne({"a", 1, {Expression("sum(x)")}}).quality, Quality::kEmpty);
  Answer(200, Vector(R"("gateway":"b","namespace":"shop")", "1"));
  EXPECT_EQ(ReadOne({"a", 1, {Expression("sum(x)")}}).quality, Quality::kEmpty);
  Answer(200, Matrix({Counter("a", "a-1", 1)}));
  EXPECT_EQ(ReadOne({"a", 1, {Expression("x[1m]")}}).quality, Quality::kError);
}

std::string PromqlOf(const char* preset, SignalMetric metric, PrometheusMode mode) {
  config::PrometheusConfig config;
  config.mode = mode;
  config.window = Duration(60'000);
  return MakePresetQuery(*FindPreset(preset), metric, config).promql;
}

TEST(Presets, AskForRawSamplesByDefault) {
  constexpr auto kSamples = PrometheusMode::kSamples;
  EXPECT_EQ(PromqlOf("haproxy", SignalMetric::kRequests, kSamples),
            R"(haproxy_frontend_http_requests_total{proxy=~"traffic.*",gateway!=""}[1m])");
  EXPECT_EQ(PromqlOf("istio", SignalMetric::kRequests, kSamples),
            R"(istio_requests_total{reporter="source",source_workload=~"istio-.+"}[1m])");
  EXPECT_EQ(PromqlOf("kong", SignalMetric::kRequests, kSamples),
            R"(kong_http_requests_total{gateway!=""}[1m])");
}

TEST(Presets, OfferAllThatTheirGatewaysExport) {
  for (const std::string& name : config::PresetNames()) {
    ASSERT_NE(FindPreset(name), nullptr) << name;
    for (const auto metric :
         {SignalMetric::kRequests, SignalMetric::kInflight, SignalMetric::kLatency}) {
      if (!config::PresetOffers(name, metric)) continue;
      const std::string promql = PromqlOf(name.c_str(), metric, PrometheusMode::kPromql);
      EXPECT_THAT(promql, HasSubstr(" by ")) << name;
    }
  }
  EXPECT_THAT(PromqlOf("envoy", SignalMetric::kLatency, PrometheusMode::kSamples),
              HasSubstr("histogram_quantile(0.99"));
}

TEST(Presets, ExpressionsNameTheirPool) {
  EXPECT_EQ(ExpandPromql("x{ns=\"{{namespace}}\",g=\"{{gateway}}\"}[{{window}}]", {"shop", "edge"},
                         Duration(90'000)),
            R"(x{ns="shop",g="edge"}[1m30s])");
}

}  // namespace
}  // namespace tidegate::adapters
