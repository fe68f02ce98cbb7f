#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "policies/base/instant.h"
#include "scheduler/loop/control_loop.h"

namespace tidegate::daemon {

// How the configuration stands, as `status`, the log and the metrics tell it.
struct ConfigStatus {
  bool ok = true;                     // the files on disk are the ones in use
  Instant loaded{};                   // when the configuration in use was read
  Instant checked{};                  // when the files were last read
  std::vector<std::string> problems;  // of the files on disk, where they are not in use
  std::vector<std::string> notes;     // changes that need a restart to act
};

// What the control loop's thread shows to the server's: replaced whole, never changed in place.
struct Shown {
  std::shared_ptr<const loop::Tick> tick;
  ConfigStatus config;
  Duration period{0};
};

// Hands values from one thread to others.
class Published {
 public:
  void Set(Shown shown) {
    auto next = std::make_shared<const Shown>(std::move(shown));
    const std::lock_guard lock(mutex_);
    shown_ = std::move(next);
  }
  // Null before the first tick.
  std::shared_ptr<const Shown> Get() const {
    const std::lock_guard lock(mutex_);
    return shown_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Shown> shown_;
};

}  // namespace tidegate::daemon
