#pragma once

#include <span>
#include <string>
#include <string_view>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "traces/format/prometheus_response.h"
#include "traces/net/http_client.h"
#include "traces/net/url.h"

namespace tidegate::traces {

// Asks "/api/v1/query" or "/api/v1/query_range" and reads the answer's series with these labels.
// Tries again what may do better then, within the deadline. Besides the errors of the client and
// of ParseResponse: kDenied where the credentials are refused, kUnavailable for an answer that is
// not Prometheus's.
Expected<Response> AskPrometheus(net::HttpClient& client, std::string_view path,
                                 const net::Parameters& parameters,
                                 std::span<const std::string> labels, Duration deadline);

// A time as Prometheus takes it: seconds since 1970 with three decimals.
std::string PrometheusTime(Instant at);

}  // namespace tidegate::traces
