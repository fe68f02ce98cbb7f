#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "traces/net/http_server.h"

namespace tidegate::testing {

// An upstream on loopback that answers every request with 200 "hello" after a while.
class SlowUpstream {
 public:
  explicit SlowUpstream(Duration delay);
  // "127.0.0.1:34567".
  std::string address() const;
  // That have arrived.
  long requests() const { return requests_; }

 private:
  std::atomic<long> requests_{0};
  std::unique_ptr<net::HttpServer> server_;
};

// Clients that request "/" of a URL one request after the other, each on its own kept connection,
// until they are stopped. A request fails if it gets no answer or another status than 200, or if
// its kept connection had been closed under it.
class ClosedLoopLoad {
 public:
  ClosedLoopLoad(std::string address, int clients);
  ~ClosedLoopLoad() { Stop(); }
  void Stop();
  long requests() const { return requests_; }
  long failures() const { return failures_; }

 private:
  void RunClient();

  std::string address_;
  std::atomic<bool> stop_{false};
  std::atomic<long> requests_{0};
  std::atomic<long> failures_{0};
  std::vector<std::thread> threads_;
};

// One request on a connection of its own; the status, or 0 if there was no answer.
int StatusOf(const std::string& address, const std::string& target);
// The same; the body, empty if there was no answer.
std::string BodyOf(const std::string& address, const std::string& target);

}  // namespace tidegate::testing
