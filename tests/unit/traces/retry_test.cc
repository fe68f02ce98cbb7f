#include "traces/net/retry.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "traces/net/http_server.h"

namespace tidegate::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kMost = ~std::uint64_t{0};

TEST(BackoffTest, DoublesUpToItsMostAndHalfOfItIsRandom) {
  const RetryOptions options{.first_backoff = milliseconds(100), .most_backoff = milliseconds(350)};
  EXPECT_EQ(Backoff(options, 1, 0), milliseconds(50));
  EXPECT_EQ(Backoff(options, 1, kMost), milliseconds(100));
  EXPECT_EQ(Backoff(options, 2, kMost), milliseconds(200));
  EXPECT_EQ(Backoff(options, 3, kMost), milliseconds(350));
  EXPECT_EQ(Backoff(options, 1000, 0), milliseconds(175));
}

TEST(MayRetryTest, OnlyWhatMayDoBetterLater) {
  for (const int status : {429, 502, 503, 504}) {
    EXPECT_TRUE(MayRetry("GET", HttpResponse{.status = status, .headers = {}, .body = ""}));
  }
  for (const int status : {200, 400, 401, 404, 500}) {
    EXPECT_FALSE(MayRetry("GET", HttpResponse{.status = status, .headers = {}, .body = ""}));
  }
  EXPECT_TRUE(MayRetry("GET", Fail(ErrorCode::kUnavailable, "")));
  EXPECT_TRUE(MayRetry("GET", Fail(ErrorCode::kTimeout, "")));
  EXPECT_FALSE(MayRetry("GET", Fail(ErrorCode::kDenied, "")));
  EXPECT_FALSE(MayRetry("POST", Fail(ErrorCode::kUnavailable, "")));
}

// Fails the first `failures` requests with 503 and the given Retry-After.
struct FlakyServer {
  explicit FlakyServer(int failures, std::string retry_after = "") {
    server = HttpServer::Start({}, [this, failures, retry_after](const HttpRequest&) {
               if (++calls > failures) return MakeResponse(200, "text/plain", "ok");
               HttpResponse response = MakeResponse(503, "text/plain", "no");
               if (!retry_after.empty()) response.headers.push_back({"Retry-After", retry_after});
               return response;
             }).value();
  }
  int Status(int max_attempts, Duration deadline) {
    HttpClient client = HttpClient::Create(ParseUrl(server->url()).value(), {}).value();
    const RetryOptions options{.max_attempts = max_attempts, .first_backoff = milliseconds(2)};
    return SendWithRetry(client, {}, deadline, options, [] { return std::uint64_t{0}; })
        .value()
        .status;
  }
  std::atomic<int> calls = 0;
  std::unique_ptr<HttpServer> server;
};

TEST(SendWithRetryTest, ReturnsTheFirstSuccess) {
  FlakyServer server(2);
  EXPECT_EQ(server.Status(5, seconds(5)), 200);
  EXPECT_EQ(server.calls, 3);
}

TEST(SendWithRetryTest, GivesUpAfterItsAttempts) {
  FlakyServer server(10);
  EXPECT_EQ(server.Status(3, seconds(5)), 503);
  EXPECT_EQ(server.calls, 3);
}

TEST(SendWithRetryTest, DoesNotWaitPastTheDeadlineForARetryAfter) {
  FlakyServer server(1, "30");
  EXPECT_EQ(server.Status(3, seconds(5)), 503);
  EXPECT_EQ(server.calls, 1);
}

TEST(SendWithRetryTest, WaitsAsLongAsRetryAfterSays) {
  FlakyServer server(1, "1");
  const auto started = std::chrono::steady_clock::now();
  EXPECT_EQ(server.Status(3, seconds(5)), 200);
  EXPECT_GE(std::chrono::steady_clock::now() - started, seconds(1));
}

}  // namespace
}  // namespace tidegate::net
