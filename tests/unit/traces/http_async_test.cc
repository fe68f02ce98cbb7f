#include <future>
#include <mutex>
#include <optional>

#include <gtest/gtest.h>

#include "tests/testing/child_process.h"
#include "traces/net/http_client.h"
#include "traces/net/http_server.h"

namespace tidegate::net {
namespace {

// An answer that a handler keeps for later must find its connection.
TEST(HttpServer, AHeldAnswerIsSentWhenItComes) {
  std::mutex mutex;
  std::optional<Responder> held;
  auto server = HttpServer::StartAsync({}, [&](const HttpRequest&, Responder responder) {
    const std::lock_guard lock(mutex);
    held = responder;
  });
  ASSERT_TRUE(server);
  auto client = HttpClient::Create(*ParseUrl((*server)->url()), {});
  ASSERT_TRUE(client);
  auto answer = std::async(std::launch::async, [&] { return client->Send({}, Duration(10'000)); });
  EXPECT_TRUE(testing::WaitUntil(Duration(5'000), [&] {
    const std::lock_guard lock(mutex);
    return held.has_value();
  }));
  {
    const std::lock_guard lock(mutex);
    held->Send(MakeResponse(200, "text/plain", "late"));
  }
  const auto response = answer.get();
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "late");
}

}  // namespace
}  // namespace tidegate::net
