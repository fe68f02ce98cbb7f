#include "sim/runner/progress.h"

#include <chrono>
#include <mutex>
#include <ostream>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "policies/base/instant.h"

namespace tidegate::sim {

using std::chrono::steady_clock;

struct Progress::State {
  std::ostream& err;
  std::string what;
  std::size_t total;
  std::size_t before;
  std::size_t done;
  bool terminal = isatty(STDERR_FILENO) == 1;
  bool shown = false;
  steady_clock::time_point start = steady_clock::now();
  steady_clock::time_point next = start + std::chrono::seconds(1);
  std::mutex mutex;

  void Show(steady_clock::time_point now) {
    const double took = std::chrono::duration<double>(now - start).count();
    const double each = took / static_cast<double>(done - before);
    const double left = each * static_cast<double>(total - done);
    const auto rounded = std::chrono::seconds(static_cast<std::int64_t>(left + 0.5));
    err << fmt::format("{}{} of {} {}, {} to go{}", terminal ? "\r" : "", done, total, what,
                       FormatDuration(rounded), terminal ? "    " : "\n")
        << std::flush;
    shown = true;
    next = now + (terminal ? std::chrono::milliseconds(200) : std::chrono::seconds(10));
  }
};

Progress::Progress(std::ostream& err, std::string what, std::size_t total, std::size_t done)
    : state_(new State{.err = err,
                       .what = std::move(what),
                       .total = total,
                       .before = done,
                       .done = done,
                       .mutex = {}}) {}

Progress::~Progress() {
  if (state_->terminal && state_->shown) state_->err << "\n";
}

void Progress::Done() {
  const std::lock_guard lock(state_->mutex);
  ++state_->done;
  const auto now = steady_clock::now();
  if (now >= state_->next) state_->Show(now);
}

}  // namespace tidegate::sim
