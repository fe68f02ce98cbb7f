#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/traces/raw_server.h"
#include "traces/net/http_load.h"
#include "traces/net/http_server.h"

namespace tidegate::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::Pair;

// `count` requests, one every `gap`.
LoadSchedule Every(LoadTime gap, int count) {
  auto next = std::make_shared<int>(0);
  return [gap, count, next]() -> std::optional<LoadTime> {
    if (*next == count) return std::nullopt;
    return gap * (*next)++;
  };
}

LoadOptions To(const std::string& url) {
  LoadOptions options;
  options.url = ParseUrl(url).value();
  return options;
}

LoadReport ToEnd(const LoadOptions& options, const LoadSchedule& schedule) {
  return RunLoad(options, schedule, {}).value();
}

std::unique_ptr<HttpServer> Serve(HttpHandler handler) {
  return HttpServer::Start({}, std::move(handler)).value();
}

TEST(HttpLoadTest, CountsEveryRequestExactlyOnce) {
  std::atomic<int> seen = 0;
  const auto server = Serve([&](const HttpRequest& request) {
    seen += request.target == "/a?b=1" ? 1 : 1000;
    return MakeResponse(200, "text/plain", "ok");
  });
  const LoadReport report = ToEnd(To(server->url() + "/a?b=1"), Every(LoadTime(200), 1000));
  EXPECT_EQ(seen, 1000);
  EXPECT_EQ(report.started, 1000U);
  EXPECT_EQ(report.succeeded, 1000U);
  EXPECT_EQ(report.failed, 0U);
  EXPECT_EQ(report.unfinished, 0U);
  EXPECT_THAT(report.statuses, ElementsAre(Pair(200, 1000U)));
  EXPECT_EQ(report.latency_us.count(), 1000U);
  std::uint64_t in_seconds = 0;
  for (const LoadSecond& second : report.seconds) in_seconds += second.succeeded;
  EXPECT_EQ(in_seconds, 1000U);
}

TEST(HttpLoadTest, ReusesConnections) {
  const auto server = Serve([](const HttpRequest&) { return MakeResponse(200, "a/b", "ok"); });
  const LoadReport report = ToEnd(To(server->url()), Every(milliseconds(2), 100));
  EXPECT_EQ(report.succeeded, 100U);
  EXPECT_LT(report.connections_opened, 50U);
}

TEST(HttpLoadTest, CountsErrorStatusesByClass) {
  std::atomic<int> calls = 0;
  const auto server = Serve([&](const HttpRequest&) {
    const int call = calls++;
    return MakeResponse(call % 4 == 0 ? 503 : call % 4 == 1 ? 404 : 200, "a/b", "x");
  });
  const LoadReport report = ToEnd(To(server->url()), Every(LoadTime(100), 400));
  EXPECT_THAT(report.failures,
              ElementsAre(Pair(failure::kHttp4xx, 100U), Pair(failure::kHttp5xx, 100U)));
  EXPECT_EQ(report.failed, 200U);
  EXPECT_EQ(report.succeeded, 200U);
  EXPECT_EQ(report.failure_latency_us.count(), 200U);
}

TEST(HttpLoadTest, CountsRefusedConnections) {
  std::string url;
  {
    const auto server = Serve([](const HttpRequest&) { return HttpResponse(); });
    url = server->url();
  }
  const LoadReport report = ToEnd(To(url), Every(LoadTime(100), 20));
  EXPECT_THAT(report.failures, ElementsAre(Pair(failure::kConnect, 20U)));
}

TEST(HttpLoadTest, CountsBrokenAnswers) {
  const RawServer server([](int descriptor, int number) {
    ReadRequestHeader(descriptor);
    if (number == 0) WriteAll(descriptor, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    if (number == 1) WriteAll(descriptor, "this is not HTTP\r\n\r\n");
  });
  LoadOptions options = To(server.url());
  options.max_connections = 1;
  const LoadReport report = ToEnd(options, Every(milliseconds(1), 3));
  // Cut short, not HTTP, and no answer at all on a new connection.
  EXPECT_THAT(report.failures,
              ElementsAre(Pair(failure::kProtocol, 1U), Pair(failure::kReset, 2U)));
}

TEST(HttpLoadTest, TimesOutFromTheIntendedStart) {
  HttpServerOptions stop_at_once;
  stop_at_once.stop_grace = milliseconds(0);
  const auto server =
      HttpServer::StartAsync(stop_at_once, [](const HttpRequest&, Responder responder) {
        responder.SendAfter(seconds(30), HttpResponse());
      }).value();
  LoadOptions options = To(server->url());
  options.timeout = milliseconds(100);
  options.max_connections = 2;
  const LoadReport report = ToEnd(options, Every(LoadTime(0), 5));
  EXPECT_EQ(report.failed, 5U);
  EXPECT_EQ(report.failures.at(failure::kTimeout), 2U);
  EXPECT_EQ(report.failures.at(failure::kNoConnection), 3U);
  EXPECT_EQ(report.max_open_connections, 2U);
  EXPECT_LT(report.elapsed, seconds(5));
}

TEST(HttpLoadTest, AStalledServerMakesLatencyGrowFromTheIntendedStart) {
  // One connection, 20 ms per answer, a request every millisecond: request i is answered at about
  // 20 (i + 1) ms and was meant to start at i ms. Measured from sending, each would look like
  // 20 ms.
  const auto server = HttpServer::StartAsync({}, [](const HttpRequest&, Responder responder) {
                        responder.SendAfter(milliseconds(20), HttpResponse());
                      }).value();
  LoadOptions options = To(server->url());
  options.max_connections = 1;
  const LoadReport report = ToEnd(options, Every(milliseconds(1), 20));
  EXPECT_EQ(report.succeeded, 20U);
  EXPECT_GE(report.latency_us.max(), 380'000U);
  EXPECT_GE(report.latency_us.Quantile(0.5), 180'000U);
}

// Answers one request of a connection, then takes the second one and hangs up without a byte.
void AnswerOnce(int descriptor, int) {
  ReadRequestHeader(descriptor);
  WriteAll(descriptor, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  ReadRequestHeader(descriptor);
}

TEST(HttpLoadTest, SendsAgainWhenAKeptConnectionWasClosedAndCountsItApart) {
  const RawServer server(AnswerOnce);
  LoadOptions options = To(server.url());
  options.max_connections = 1;
  const LoadReport report = ToEnd(options, Every(milliseconds(5), 4));
  EXPECT_EQ(report.succeeded, 4U);
  EXPECT_EQ(report.failed, 0U);
  EXPECT_EQ(report.reused_closed, 3U);
}

TEST(HttpLoadTest, SendsAgainOnANewConnectionWhileOthersWait) {
  // As above, with all requests due at once: none that waits may take the new connection first, as
  // then the one sent again would meet a second hang-up.
  const RawServer server(AnswerOnce);
  LoadOptions options = To(server.url());
  options.max_connections = 1;
  const LoadReport report = ToEnd(options, Every(LoadTime(0), 4));
  EXPECT_EQ(report.succeeded, 4U);
  EXPECT_EQ(report.failed, 0U);
}

TEST(HttpLoadTest, ReplacesIdleConnectionsThatTheServerClosed) {
  const RawServer server([](int descriptor, int) {
    ReadRequestHeader(descriptor);
    WriteAll(descriptor, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  const LoadReport report = ToEnd(To(server.url()), Every(milliseconds(50), 3));
  EXPECT_EQ(report.succeeded, 3U);
  EXPECT_EQ(report.failed, 0U);
  EXPECT_EQ(report.idle_closed + report.reused_closed, 2U);
}

TEST(HttpLoadTest, StopsWhenToldAndReportsWhatWasDone) {
  const auto server = Serve([](const HttpRequest&) { return MakeResponse(200, "a/b", "ok"); });
  std::atomic<bool> stop = false;
  LoadControl control;
  control.stop = &stop;
  control.on_second = [&](const LoadSecond&) { stop = true; };
  const auto report = RunLoad(To(server->url()), Every(milliseconds(10), 1'000'000), control);
  ASSERT_TRUE(report.has_value());
  EXPECT_TRUE(report->stopped);
  EXPECT_EQ(report->started, report->succeeded);
  EXPECT_GT(report->succeeded, 10U);
  EXPECT_LT(report->elapsed, seconds(10));
}

TEST(HttpLoadTest, RequestsUnansweredAtAStopAreNoFailures) {
  HttpServerOptions stop_at_once;
  stop_at_once.stop_grace = milliseconds(0);
  std::atomic<bool> stop = false;
  const auto server =
      HttpServer::StartAsync(stop_at_once, [&](const HttpRequest&, Responder responder) {
        stop = true;
        responder.SendAfter(seconds(30), HttpResponse());
      }).value();
  LoadControl control;
  control.stop = &stop;
  const auto report = RunLoad(To(server->url()), Every(LoadTime(0), 1), control).value();
  EXPECT_EQ(report.failed, 0U);
  EXPECT_EQ(report.unfinished, 1U);
}

TEST(HttpLoadTest, AnEmptyScheduleEndsAtOnce) {
  const LoadReport report = ToEnd(To("http://127.0.0.1:1"), Every(LoadTime(0), 0));
  EXPECT_EQ(report.started, 0U);
}

TEST(HttpLoadTest, RefusesHttpsAndUnsafeHeaders) {
  EXPECT_EQ(RunLoad(To("https://127.0.0.1"), Every(LoadTime(0), 1), {}).error().code,
            ErrorCode::kInvalid);
  LoadOptions options = To("http://127.0.0.1:1");
  options.headers = {{"X", "a\r\nb"}};
  EXPECT_EQ(RunLoad(options, Every(LoadTime(0), 1), {}).error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace tidegate::net
