#include "scheduler/adapters/prometheus/query_client.h"

#include <cstddef>
#include <cstdint>
#include <random>

#include <fmt/format.h>

#include "traces/net/retry.h"

namespace tidegate::adapters {
namespace {

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

Expected<net::HttpClient> MakePrometheusClient(const config::PrometheusConfig& config) {
  TIDEGATE_TRY(const net::Url url, net::ParseUrl(config.url));
  return net::HttpClient::Create(url, ClientOptions(config));
}

Expected<Response> AskPrometheus(net::HttpClient& client, std::string_view path,
                                 const net::Parameters& parameters,
                                 std::span<const std::string> labels, Duration deadline) {
  if (deadline <= Duration(0)) return Fail(ErrorCode::kTimeout, "no time was left for the query");
  const net::HttpRequest request{
      .method = "GET",
      .target = fmt::format("{}?{}", path, net::EncodeParameters(parameters)),
      .headers = {},
      .body = {}};
  TIDEGATE_TRY(const net::HttpResponse response,
               net::SendWithRetry(client, request, deadline, {}, RandomBits));
  if (response.status == 401 || response.status == 403) {
    return Fail(ErrorCode::kDenied, fmt::format("{} answers {}: check the credentials",
                                                ToString(client.base()), response.status));
  }
  auto parsed = ParseResponse(response.body, labels, {});
  if (response.status == 200 || (!parsed && response.body.starts_with("{\"status\":\"error\"")))
    return parsed;
  return Fail(ErrorCode::kUnavailable,
              fmt::format("{} answers {}", ToString(client.base()), response.status));
}

std::string PrometheusTime(Instant at) {
  return fmt::format("{:.3f}", static_cast<double>(UnixMillis(at)) / 1000);
}

}  // namespace tidegate::adapters
