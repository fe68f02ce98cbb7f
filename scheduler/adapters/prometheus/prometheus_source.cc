#include "scheduler/adapters/prometheus/prometheus_source.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <random>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "scheduler/adapters/prometheus/query_plan.h"
#include "scheduler/adapters/prometheus/response_parser.h"
#include "traces/net/http_client.h"
#include "traces/net/retry.h"
#include "traces/net/url.h"

namespace tidegate::adapters {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kMostClients = 4;  // queries at once; Prometheus has other users

net::HttpClientOptions ClientOptions(const config::PrometheusConfig& config) {
  net::HttpClientOptions options;
  options.tls.ca_file = config.tls.ca_file;
  options.tls.cert_file = config.tls.cert_file;
  options.tls.key_file = config.tls.key_file;
  options.tls.server_name = config.tls.server_name;
  options.tls.insecure_skip_verify = config.tls.insecure_skip_verify;
  options.credentials.bearer_token_file = config.bearer_token_file;
  if (config.basic_auth) {
    options.credentials.basic_username = config.basic_auth->username;
    options.credentials.basic_password_file = config.basic_auth->password_file;
  }
  options.max_body_bytes = static_cast<std::size_t>(config.max_response_bytes);
  return options;
}

// Jitter between retries; no decision sees it.
std::uint64_t RandomBits() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

}  // namespace

struct PrometheusSource::Impl {
  config::PrometheusConfig config;
  net::Url url;
  std::vector<net::HttpClient> clients;  // one for each thread of a call
  std::vector<QueryStats> stats;

  Expected<void> AddClient();
  Expected<Response> Ask(net::HttpClient& client, Instant now, const PlannedQuery& query,
                         Duration deadline) const;
  std::vector<Expected<Response>> AskAll(Instant now, const std::vector<PlannedQuery>& queries);
};

Expected<void> PrometheusSource::Impl::AddClient() {
  TIDEGATE_TRY(net::HttpClient client, net::HttpClient::Create(url, ClientOptions(config)));
  clients.push_back(std::move(client));
  return {};
}

Expected<Response> PrometheusSource::Impl::Ask(net::HttpClient& client, Instant now,
                                               const PlannedQuery& query, Duration deadline) const {
  if (deadline <= Duration(0)) return Fail(ErrorCode::kTimeout, "no time was left for the query");
  const net::Parameters parameters{
      {"query", query.query.promql},
      {"time", fmt::format("{:.3f}", static_cast<double>(UnixMillis(now)) / 1000)}};
  const net::HttpRequest request{.method = "GET",
                                 .target = "/api/v1/query?" + net::EncodeParameters(parameters),
                                 .headers = {},
                                 .body = {}};
  TIDEGATE_TRY(const net::HttpResponse response,
               net::SendWithRetry(client, request, deadline, {}, RandomBits));
  if (response.status == 401 || response.status == 403) {
    return Fail(ErrorCode::kDenied, fmt::format("{} answers {}: check the credentials",
                                                ToString(url), response.status));
  }
  auto parsed = ParseResponse(response.body, query.labels, {});
  if (response.status == 200 || (!parsed && response.body.starts_with("{\"status\":\"error\"")))
    return parsed;
  return Fail(ErrorCode::kUnavailable,
              fmt::format("{} answers {}", ToString(url), response.status));
}

std::vector<Expected<Response>> PrometheusSource::Impl::AskAll(
    Instant now, const std::vector<PlannedQuery>& queries) {
  const auto begin = steady_clock::now();
  std::vector<Expected<Response>> answers(queries.size());
  stats.assign(queries.size(), {});
  std::atomic<std::size_t> next = 0;
  const auto work = [&](net::HttpClient& client) {
    for (std::size_t i = next++; i < queries.size(); i = next++) {
      const auto asked = steady_clock::now();
      const auto spent = std::chrono::duration_cast<Duration>(asked - begin);
      answers[i] = Ask(client, now, queries[i], config.timeout - spent);
      stats[i].query = queries[i].name;
      stats[i].took = std::chrono::duration_cast<Duration>(steady_clock::now() - asked);
      if (!answers[i]) stats[i].error = answers[i].error().code;
      stats[i].empty = answers[i].has_value() && answers[i]->series.empty();
    }
  };
  const std::size_t wanted = std::min(queries.size(), kMostClients);
  while (clients.size() < wanted && AddClient()) {
  }
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < std::min(wanted, clients.size()); ++i)
    threads.emplace_back(work, std::ref(clients[i]));
  if (!queries.empty()) work(clients[0]);
  for (std::thread& thread : threads) thread.join();
  return answers;
}

PrometheusSource::PrometheusSource(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PrometheusSource::~PrometheusSource() = default;

Expected<std::unique_ptr<PrometheusSource>> PrometheusSource::Create(
    const config::PrometheusConfig& config) {
  auto impl = std::make_unique<Impl>();
  impl->config = config;
  TIDEGATE_TRY(impl->url, net::ParseUrl(config.url));
  TIDEGATE_TRY_VOID(impl->AddClient());
  return std::unique_ptr<PrometheusSource>(new PrometheusSource(std::move(impl)));
}

std::vector<std::vector<signals::Reading>> PrometheusSource::Read(
    Instant now, std::span<const PoolQuery> pools) {
  std::vector<std::vector<signals::Reading>> readings(pools.size());
  for (std::size_t i = 0; i < pools.size(); ++i) readings[i].resize(pools[i].signals->size());
  const auto queries = PlanQueries(pools, impl_->config);
  const auto answers = impl_->AskAll(now, queries);
  for (std::size_t i = 0; i < queries.size(); ++i) {
    FillReadings(now, queries[i], answers[i], impl_->config, pools, readings);
  }
  return readings;
}

const std::vector<QueryStats>& PrometheusSource::stats() const { return impl_->stats; }

}  // namespace tidegate::adapters
