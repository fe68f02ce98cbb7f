#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <thread>

#include "policies/base/instant.h"
#include "traces/net/http_load.h"

namespace tidegate::testing {

// Open-loop load on a URL from a thread of its own, at a rate that can be changed while it runs,
// until it is stopped.
class SteadyLoad {
 public:
  SteadyLoad(const std::string& url, double requests_per_second);
  ~SteadyLoad();
  SteadyLoad(const SteadyLoad&) = delete;
  SteadyLoad& operator=(const SteadyLoad&) = delete;

  void SetRate(double requests_per_second) { rate_ = requests_per_second; }
  // Ends the schedule, waits for the last answers and tells what happened. Requests in flight are
  // not cut off.
  net::LoadReport Finish();

 private:
  std::atomic<double> rate_;
  std::atomic<bool> end_ = false;
  net::LoadReport report_;
  std::thread thread_;
};

}  // namespace tidegate::testing
