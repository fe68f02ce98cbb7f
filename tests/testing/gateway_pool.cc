#include "tests/testing/gateway_pool.h"

#include <chrono>
#include <utility>

#include "policies/base/check.h"
#include "traces/net/http_client.h"

namespace tidegate::testing {
namespace {

constexpr Duration kDeadline = std::chrono::seconds(20);

net::HttpClient MakeClient(const std::string& address) {
  const auto url = net::ParseUrl("http://" + address);
  TIDEGATE_CHECK(url.has_value(), address);
  auto client = net::HttpClient::Create(*url, {});
  TIDEGATE_CHECK(client.has_value(), client.error().message);
  return std::move(*client);
}

Expected<net::HttpResponse> Get(const std::string& address, const std::string& target) {
  net::HttpClient client = MakeClient(address);
  net::HttpRequest request;
  request.target = target;
  return client.Send(request, kDeadline);
}

}  // namespace

SlowUpstream::SlowUpstream(Duration delay) {
  auto server =
      net::HttpServer::StartAsync({}, [this, delay](const auto&, net::Responder responder) {
        ++requests_;
        responder.SendAfter(delay, net::MakeResponse(200, "text/plain", "hello"));
      });
  TIDEGATE_CHECK(server.has_value(), server.error().message);
  server_ = std::move(*server);
}

std::string SlowUpstream::address() const { return "127.0.0.1:" + std::to_string(server_->port()); }

ClosedLoopLoad::ClosedLoopLoad(std::string address, int clients) : address_(std::move(address)) {
  for (int i = 0; i < clients; ++i) threads_.emplace_back([this] { RunClient(); });
}

void ClosedLoopLoad::Stop() {
  stop_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void ClosedLoopLoad::RunClient() {
  net::HttpClient client = MakeClient(address_);
  while (!stop_) {
    const auto before = client.counts().reconnects;
    const auto response = client.Send({}, kDeadline);
    ++requests_;
    if (!response || response->status != 200 || client.counts().reconnects != before) ++failures_;
  }
}

int StatusOf(const std::string& address, const std::string& target) {
  const auto response = Get(address, target);
  return response ? response->status : 0;
}

std::string BodyOf(const std::string& address, const std::string& target) {
  const auto response = Get(address, target);
  return response ? response->body : "";
}

}  // namespace tidegate::testing
