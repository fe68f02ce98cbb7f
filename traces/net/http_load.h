#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "policies/base/expected.h"
#include "policies/base/histogram.h"
#include "policies/base/instant.h"
#include "traces/net/http_message.h"
#include "traces/net/url.h"

namespace tidegate::net {

// Open-loop load: requests start when the schedule says so, whether or not earlier ones have been
// answered, as real users do. Latency is measured from the intended start. A generator that
// waited for the answers, or measured from the moment of sending, would go easy on a server just
// when it is slow, and hide it (coordinated omission).

using LoadTime = std::chrono::microseconds;  // since the load began

// The next intended start, never before the one given last; nothing when the schedule is at its
// end.
using LoadSchedule = std::function<std::optional<LoadTime>()>;

struct LoadOptions {
  Url url;          // http only; each request is a GET of its path and query
  Headers headers;  // sent with each request; a Host here replaces the URL's
  Duration timeout = std::chrono::seconds(10);  // from the intended start to the last byte
  // Connections are opened as needed, up to this many. Beyond it requests wait, and the wait is
  // part of their latency.
  std::size_t max_connections = 1024;
};

// Why a request failed. Exactly one per failed request.
namespace failure {
constexpr const char* kConnect = "connect";                  // refused, unreachable
constexpr const char* kTimeout = "timeout";                  // no complete answer in time
constexpr const char* kNoConnection = "no_free_connection";  // timed out waiting for one of ours
constexpr const char* kReset = "reset";        // the connection broke before the answer's end
constexpr const char* kProtocol = "protocol";  // the answer was not HTTP
constexpr const char* kHttp4xx = "http_4xx";
constexpr const char* kHttp5xx = "http_5xx";
}  // namespace failure

// What happened within one second since the load began.
struct LoadSecond {
  std::int64_t second = 0;
  std::uint64_t started = 0;    // requests that fell due
  std::uint64_t succeeded = 0;  // answered within this second
  std::uint64_t failed = 0;
  std::uint64_t unanswered = 0;        // at the second's end, waiting ones included
  std::uint64_t open_connections = 0;  // at the second's end
  LoadTime p50{0}, p99{0}, max{0};     // of the requests that succeeded in it
};

struct LoadReport {
  std::uint64_t started = 0;
  std::uint64_t succeeded = 0;   // answered completely with a status below 400
  std::uint64_t failed = 0;      // sum of `failures`
  std::uint64_t unfinished = 0;  // still unanswered when the load was stopped; not failures
  std::map<std::string, std::uint64_t> failures;  // by kind, see above
  std::map<int, std::uint64_t> statuses;
  Histogram latency_us;          // of the requests that succeeded, from their intended start
  Histogram failure_latency_us;  // of those that failed
  std::uint64_t connections_opened = 0;
  std::uint64_t max_open_connections = 0;
  // Kept connections that the server had closed. `idle_closed` were seen before sending;
  // `reused_closed` showed after sending and before any byte of an answer, and the GET was sent
  // once more on a new connection (RFC 9110 9.2.2). Neither is a failure.
  std::uint64_t idle_closed = 0;
  std::uint64_t reused_closed = 0;
  LoadTime max_lag{0};  // the latest that we ourselves were in starting a request
  LoadTime elapsed{0};
  bool stopped = false;             // ended by `stop`, before the schedule's end
  std::vector<LoadSecond> seconds;  // at most kMaxLoadSeconds; later seconds are not kept
};
constexpr std::size_t kMaxLoadSeconds = 86'400;

// What can be watched and done while it runs.
struct LoadControl {
  std::function<void(const LoadSecond&)> on_second;  // may be empty; called on the same thread
  const std::atomic<bool>* stop = nullptr;  // set from anywhere (a signal handler, say) to end
};

// Runs the schedule to its end on the calling thread and waits for the last answers. After a stop,
// requests in flight get up to a second to finish. kInvalid for an https URL or unsafe headers,
// kUnavailable if the host cannot be resolved; everything else is counted in the report.
Expected<LoadReport> RunLoad(const LoadOptions& options, const LoadSchedule& schedule,
                             const LoadControl& control);

}  // namespace tidegate::net
