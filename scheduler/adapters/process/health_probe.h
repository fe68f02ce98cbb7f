#pragma once

#include <string>

#include "policies/base/instant.h"
#include "scheduler/adapters/process/posix.h"

namespace tidegate::adapters {

// One `GET /healthz` to a loopback port that never blocks: call Step() whenever wait_fd() is ready
// for wait_events(), or some time has passed.
class HealthProbe {
 public:
  enum class Result { kPending, kHealthy, kFailed };

  // Begins to connect.
  HealthProbe(int port, SteadyTime deadline);
  Result Step(SteadyTime now);
  int wait_fd() const { return fd_.get(); }
  short wait_events() const;

 private:
  Result Read();

  OwnedFd fd_;
  SteadyTime deadline_;
  bool sent_ = false;
  std::string answer_;
};

}  // namespace tidegate::adapters
