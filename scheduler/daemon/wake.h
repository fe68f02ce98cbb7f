#pragma once

#include <optional>

#include "policies/base/expected.h"
#include "policies/base/instant.h"

namespace tidegate::daemon {

// What ended a wait.
enum class Wakeup { kTimeout, kEvent, kReload, kStop };

// Lets the control loop's thread sleep until it is due, something happened in a fleet, or a signal
// came: SIGTERM and SIGINT stop, SIGHUP reloads. The signals are blocked for the whole process;
// make it before the first thread starts.
class Waker {
 public:
  static Expected<Waker> Create();
  ~Waker();
  Waker(Waker&& other) noexcept;
  Waker& operator=(Waker&&) = delete;

  // Ends a wait with kEvent, now or at its start. May be called from any thread.
  void Notify() const;
  // Signals win over events. Negative times count as 0.
  Wakeup Wait(Duration at_most);

 private:
  Waker(int events, int signals) : events_(events), signals_(signals) {}
  std::optional<Wakeup> ReadSignal() const;

  int events_;
  int signals_;
};

}  // namespace tidegate::daemon
