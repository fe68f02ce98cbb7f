#include "traces/net/retry.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>
#include <thread>

namespace tidegate::net {
namespace {

using SteadyClock = std::chrono::steady_clock;

// A Retry-After in seconds; 0 without one. The date form is not used by the services we ask.
Duration RetryAfter(const Expected<HttpResponse>& result) {
  if (!result) return Duration(0);
  const std::string* value = FindHeader(result->headers, "Retry-After");
  if (value == nullptr) return Duration(0);
  std::int32_t seconds = 0;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), seconds);
  const bool whole = error == std::errc() && end == value->data() + value->size();
  return whole && seconds > 0 ? std::chrono::seconds(seconds) : Duration(0);
}

}  // namespace

Duration Backoff(const RetryOptions& options, int attempt, std::uint64_t random) {
  Duration full = options.first_backoff;
  for (int i = 1; i < attempt && full < options.most_backoff; ++i) full *= 2;
  full = std::min(full, options.most_backoff);
  const double share = static_cast<double>(random >> 11) * 0x1.0p-53;  // in [0, 1)
  return Duration(full.count() / 2 +
                  static_cast<Duration::rep>(share * static_cast<double>(full.count() / 2 + 1)));
}

bool MayRetry(std::string_view method, const Expected<HttpResponse>& result) {
  if (!IsIdempotent(method)) return false;
  if (!result) {
    return result.error().code == ErrorCode::kUnavailable ||
           result.error().code == ErrorCode::kTimeout;
  }
  const int status = result->status;
  return status == 429 || status == 502 || status == 503 || status == 504;
}

Expected<HttpResponse> SendWithRetry(HttpClient& client, const HttpRequest& request,
                                     Duration deadline, const RetryOptions& options,
                                     const std::function<std::uint64_t()>& random) {
  const auto end = SteadyClock::now() + deadline;
  for (int attempt = 1;; ++attempt) {
    Duration left = std::chrono::duration_cast<Duration>(end - SteadyClock::now());
    if (options.attempt_timeout > Duration(0)) left = std::min(left, options.attempt_timeout);
    auto result = client.Send(request, left);
    if (attempt >= options.max_attempts || !MayRetry(request.method, result)) return result;
    const Duration wait = std::max(Backoff(options, attempt, random()), RetryAfter(result));
    if (SteadyClock::now() + wait >= end) return result;
    std::this_thread::sleep_for(wait);
  }
}

}  // namespace tidegate::net
