#include "traces/cli/progress.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace tidegate::traces {

std::string FormatBytes(double bytes) {
  static constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < kUnits.size(); ++unit) bytes /= 1024;
  return fmt::format("{:.{}f} {}", bytes, unit == 0 ? 0 : 1, kUnits[unit]);
}

ReadProgress::ReadProgress(std::ostream& err, std::optional<std::uint64_t> total, bool terminal)
    : err_(err), total_(total), terminal_(terminal), begin_(Clock::now()), next_(begin_) {
  next_ += terminal_ ? std::chrono::milliseconds(500) : std::chrono::seconds(10);
}

void ReadProgress::At(std::uint64_t taken, std::uint64_t lines) {
  const auto now = Clock::now();
  if (now < next_) return;
  next_ = now + (terminal_ ? std::chrono::milliseconds(500) : std::chrono::seconds(10));
  shown_ = true;
  const double seconds = std::chrono::duration<double>(now - begin_).count();
  const double rate = static_cast<double>(taken) / seconds;
  std::string text = FormatBytes(static_cast<double>(taken));
  if (total_ && *total_ > 0) {
    const double share = std::min(1.0, static_cast<double>(taken) / static_cast<double>(*total_));
    const double left = static_cast<double>(*total_ - std::min(taken, *total_)) / rate;
    text += fmt::format(" of {} ({:.0f} %), {:.0f} s left",
                        FormatBytes(static_cast<double>(*total_)), share * 100, std::ceil(left));
  }
  err_ << fmt::format("{}read {}, {}/s, {} lines{}", terminal_ ? "\r\x1b[K" : "", text,
                      FormatBytes(rate), lines, terminal_ ? "" : "\n")
       << std::flush;
}

void ReadProgress::End() {
  if (shown_ && terminal_) err_ << "\r\x1b[K" << std::flush;
}

}  // namespace tidegate::traces
