#include "scheduler/adapters/prometheus/query_client.h"

#include <cstddef>
#include <utility>

#include "traces/net/url.h"

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

}  // namespace

Expected<net::HttpClient> MakePrometheusClient(const config::PrometheusConfig& config) {
  TIDEGATE_TRY(const net::Url url, net::ParseUrl(config.url));
  return net::HttpClient::Create(url, ClientOptions(config));
}

Expected<traces::RangeReader> MakeRangeReader(const config::PrometheusConfig& config) {
  TIDEGATE_TRY(net::HttpClient client, MakePrometheusClient(config));
  return traces::RangeReader(std::move(client), config.timeout);
}

}  // namespace tidegate::adapters
