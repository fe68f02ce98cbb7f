#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "traces/net/http_client.h"

namespace tidegate::net {

struct RetryOptions {
  int max_attempts = 3;  // in total, >= 1
  Duration first_backoff = std::chrono::milliseconds(100);
  Duration most_backoff = std::chrono::seconds(5);
  Duration attempt_timeout{0};  // for each attempt; 0: all that is left of the deadline
};

// How long to wait after attempt number `attempt` (1, 2, ...): first_backoff doubled each time up
// to most_backoff, of which the upper half is random, so that clients that failed together do not
// come back together. `random` is any 64 random bits.
Duration Backoff(const RetryOptions& options, int attempt, std::uint64_t random);

// True if the same request may do better later: kUnavailable, kTimeout, or a status of 429, 502,
// 503 or 504. Never for a method that is not idempotent.
bool MayRetry(std::string_view method, const Expected<HttpResponse>& result);

// Sends until an attempt succeeds, must not be retried or is the last one, and returns its result.
// Waits on the calling thread between attempts: for Backoff, or for the response's Retry-After
// (in seconds) if that is longer. Does not begin a wait that would pass the deadline, which covers
// everything. `random` gives 64 random bits per call.
Expected<HttpResponse> SendWithRetry(HttpClient& client, const HttpRequest& request,
                                     Duration deadline, const RetryOptions& options,
                                     const std::function<std::uint64_t()>& random);

}  // namespace tidegate::net
