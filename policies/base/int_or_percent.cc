#include "policies/base/int_or_percent.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include <fmt/format.h>

namespace tidegate {
namespace {

Replicas Bounded(std::int64_t replicas) {
  return static_cast<Replicas>(std::clamp<std::int64_t>(replicas, 0, kMaxReplicas));
}

}  // namespace

Expected<IntOrPercent> ParseIntOrPercent(std::string_view text) {
  IntOrPercent result;
  std::string_view digits = text;
  if (digits.ends_with('%')) {
    result.percent = true;
    digits.remove_suffix(1);
  }
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), result.value);
  const bool whole = error == std::errc() && end == digits.data() + digits.size();
  if (!whole || result.value < 0 || result.value > kMaxReplicas) {
    return Fail(
        ErrorCode::kInvalid,
        fmt::format("\"{}\" is not a count or a percentage; expected one like 1 or \"25%\"", text));
  }
  return result;
}

std::string ToString(const IntOrPercent& value) {
  return fmt::format("{}{}", value.value, value.percent ? "%" : "");
}

Replicas ResolveUp(const IntOrPercent& value, Replicas size) {
  if (!value.percent) return value.value;
  return Bounded((std::int64_t{value.value} * size + 99) / 100);
}

Replicas ResolveDown(const IntOrPercent& value, Replicas size) {
  if (!value.percent) return value.value;
  return Bounded(std::int64_t{value.value} * size / 100);
}

}  // namespace tidegate
