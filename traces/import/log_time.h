#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "policies/base/instant.h"

namespace tidegate::traces {

// Reads the times that access logs hold:
//
//   10/Oct/2000:13:55:36 -0700      Apache and Nginx; HAProxy without a zone, with .655 for millis
//   2016-04-15T20:17:00.310Z        ISO 8601: Envoy, JSON logs; a blank for the T; "," for "."; a
//                                   zone of Z, +08:00 or +0800
//   1476051336.123                  a number: seconds since 1970, or milli-, micro- or nanoseconds
//                                   where it is so large that seconds would be beyond year 5000
//
// A time without a zone is `offset` east of UTC. Digits past the millisecond are cut off.
class LogTime {
 public:
  explicit LogTime(Duration offset) : offset_ms_(offset.count()) {}
  // False if the text is no time.
  bool Read(std::string_view text, std::int64_t& at_ms);

 private:
  bool ReadClf(std::string_view text, std::int64_t& at_ms);
  bool ReadIso(std::string_view text, std::int64_t& at_ms);
  bool ReadTail(std::string_view text, std::int64_t& at_ms);

  static constexpr std::size_t kLongest = 40;
  std::int64_t offset_ms_;
  // Neighbouring lines mostly share their second, and nearly all of a file its day.
  std::array<char, kLongest> last_text_{};
  std::size_t last_size_ = 0;
  std::int64_t last_ms_ = 0;
  std::array<char, 11> last_date_{};
  std::int64_t last_day_ms_ = 0;
};

}  // namespace tidegate::traces
