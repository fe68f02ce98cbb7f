#include "sim/runner/interrupt.h"

#include <array>
#include <atomic>

#include <signal.h>

namespace tidegate::sim {
namespace {

std::atomic<bool> asked = false;
static_assert(std::atomic<bool>::is_always_lock_free);

constexpr std::array<int, 2> kSignals = {SIGINT, SIGTERM};
std::array<struct sigaction, kSignals.size()> before;

void Ask(int) { asked = true; }

}  // namespace

Interrupt::Interrupt() {
  asked = false;
  struct sigaction action {};
  action.sa_handler = Ask;
  // The next one finds the default again.
  action.sa_flags = static_cast<int>(static_cast<unsigned>(SA_RESETHAND) | SA_RESTART);
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &before[i]);
}

Interrupt::~Interrupt() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before[i], nullptr);
}

bool Interrupt::Asked() const { return asked; }

}  // namespace tidegate::sim
