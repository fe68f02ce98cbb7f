#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

namespace tidegate::traces {

// "3.2 GiB", "12.0 MiB", "512 B".
std::string FormatBytes(double bytes);

// One line of what has been read: twice a second in place on a terminal, else a line every ten
// seconds, so that short work shows nothing in a log.
class ReadProgress {
 public:
  // `total`: bytes in all files; none if a file does not tell.
  ReadProgress(std::ostream& err, std::optional<std::uint64_t> total, bool terminal);
  // `taken`: bytes of the files so far, packed or not; `lines`: so far.
  void At(std::uint64_t taken, std::uint64_t lines);
  // For work that knows its share done, 0..1, but no bytes.
  void AtShare(double share);
  // Takes the line away.
  void End();

 private:
  bool IsDue();
  void Show(const std::string& text);

  using Clock = std::chrono::steady_clock;
  std::ostream& err_;
  std::optional<std::uint64_t> total_;
  bool terminal_;
  bool shown_ = false;
  Clock::time_point begin_;
  Clock::time_point next_;
};

}  // namespace tidegate::traces
