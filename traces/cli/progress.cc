#include "traces/cli/progress.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace tidegate::traces {
namespace {

double SecondsSince(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

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

bool ReadProgress::IsDue() {
  const auto now = Clock::now();
  if (now < next_) return false;
  next_ = now + (terminal_ ? std::chrono::milliseconds(500) : std::chrono::seconds(10));
  return true;
}

void ReadProgress::Show(const std::string& text) {
  shown_ = true;
  err_ << (terminal_ ? "\r\x1b[K" : "") << text << (terminal_ ? "" : "\n") << std::flush;
}

void ReadProgress::At(std::uint64_t taken, std::uint64_t lines) {
  if (!IsDue()) return;
  const double rate = static_cast<double>(taken) / SecondsSince(begin_);
  std::string text = FormatBytes(static_cast<double>(taken));
  if (total_ && *total_ > 0) {
    const double share = std::min(1.0, static_cast<double>(taken) / static_cast<double>(*total_));
    const double left = static_cast<double>(*total_ - std::min(taken, *total_)) / rate;
    text += fmt::format(" of {} ({:.0f} %), {:.0f} s left",
                        FormatBytes(static_cast<double>(*total_)), share * 100, std::ceil(left));
  }
  Show(fmt::format("read {}, {}/s, {} lines", text, FormatBytes(rate), lines));
}

void ReadProgress::AtShare(double share) {
  if (share <= 0 || !IsDue()) return;
  const double left = SecondsSince(begin_) * (1 - share) / share;
  Show(fmt::format("read {:.0f} %, {:.0f} s left", share * 100, std::ceil(left)));
}

void ReadProgress::End() {
  if (shown_ && terminal_) err_ << "\r\x1b[K" << std::flush;
}

}  // namespace tidegate::traces
