#include "scheduler/daemon/server_query.h"

#include <utility>

#include "traces/net/http_client.h"
#include "traces/net/url.h"

namespace tidegate::daemon {
namespace {

constexpr Duration kDeadline{10'000};

Expected<net::HttpClient> ClientOf(const std::string& server) {
  TIDEGATE_TRY(const net::Url url, net::ParseUrl(server));
  return net::HttpClient::Create(url, {});
}

}  // namespace

Expected<void> CheckServer(const std::string& server) {
  const auto client = ClientOf(server);
  if (client || client.error().code != ErrorCode::kInvalid) return {};
  return Fail(ErrorCode::kInvalid, "--server: " + client.error().message);
}

Expected<std::string> AskServer(const std::string& server, const std::string& target) {
  TIDEGATE_TRY(net::HttpClient client, ClientOf(server));
  auto response =
      client.Send({.method = "GET", .target = target, .headers = {}, .body = {}}, kDeadline);
  if (!response) {
    return Fail(response.error().code,
                response.error().message + "; is `tidegate run` up, and is --server its address?");
  }
  if (response->status != 200) {
    while (response->body.ends_with('\n')) response->body.pop_back();
    return Fail(response->status == 404 ? ErrorCode::kNotFound : ErrorCode::kInvalid,
                server + " answers " + std::to_string(response->status) + ": " + response->body);
  }
  return std::move(response->body);
}

}  // namespace tidegate::daemon
