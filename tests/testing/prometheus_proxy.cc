#include "tests/testing/prometheus_proxy.h"

#include <utility>

#include <boost/json.hpp>

#include "traces/net/http_client.h"
#include "traces/net/url.h"

namespace tidegate::testing {
namespace {

namespace json = boost::json;

void MakeNaN(json::array& series) {
  for (json::value& one : series) {
    for (json::value& sample : one.at("values").as_array()) sample.as_array()[1] = "NaN";
  }
}

}  // namespace

PrometheusProxy::PrometheusProxy(std::string upstream) : upstream_(std::move(upstream)) {
  auto server = net::HttpServer::Start(
      {}, [this](const net::HttpRequest& request) { return Handle(request); });
  server_ = *std::move(server);
}

void PrometheusProxy::Set(Mode mode, const std::string& replica) {
  const std::lock_guard lock(mutex_);
  mode_ = mode;
  replica_ = replica;
  frozen_.clear();
}

net::HttpResponse PrometheusProxy::Handle(const net::HttpRequest& request) {
  const std::lock_guard lock(mutex_);
  const Mode mode = mode_;
  if (mode == Mode::kDown) return net::MakeResponse(503, "text/plain", "down\n");
  if (mode == Mode::kEmpty) {
    return net::MakeResponse(200, "application/json",
                             R"({"status":"success","data":{"resultType":"matrix","result":[]}})");
  }
  auto client = net::HttpClient::Create(*net::ParseUrl(upstream_), {});
  auto response = client->Send(
      {.method = "GET", .target = request.target, .headers = {}, .body = {}}, Duration(5'000));
  if (!response) return net::MakeResponse(502, "text/plain", response.error().message);
  if (mode == Mode::kPass)
    return net::MakeResponse(response->status, "application/json", response->body);
  json::value body = json::parse(response->body);
  json::array& series = body.at("data").at("result").as_array();
  if (mode == Mode::kNaN) MakeNaN(series);
  if (mode == Mode::kFrozen) {
    for (json::value& one : series) {
      const json::value* replica = one.at("metric").as_object().if_contains("replica");
      if (replica == nullptr || replica->as_string() != replica_) continue;
      const auto [first, fresh] =
          frozen_.try_emplace(json::serialize(one.at("metric")), json::serialize(one));
      if (!fresh) one = json::parse(first->second);
    }
  }
  return net::MakeResponse(200, "application/json", json::serialize(body));
}

}  // namespace tidegate::testing
