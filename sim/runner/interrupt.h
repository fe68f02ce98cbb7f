#pragma once

namespace tidegate::sim {

// While it lives, the first SIGINT or SIGTERM asks for an orderly end; a second one ends the
// process at once. One at a time in a process.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // From any thread.
  bool Asked() const;
};

}  // namespace tidegate::sim
