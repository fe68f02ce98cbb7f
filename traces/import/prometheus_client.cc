#include "traces/import/prometheus_client.h"

#include <cstdint>
#include <random>

#include <fmt/format.h>

#include "traces/net/retry.h"

namespace tidegate::traces {
namespace {

// Jitter between retries; no decision sees it.
std::uint64_t RandomBits() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

}  // namespace

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

}  // namespace tidegate::traces
