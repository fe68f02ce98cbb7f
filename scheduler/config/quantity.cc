// Kubernetes's resource.ParseQuantity, worked in three exact steps: the digits are read into a
// whole part and a fraction, the suffix is turned into a power of ten or of two, and the product is
// carried in decimal digits, so that no rounding happens before the last step (up to a billionth).

#include "scheduler/config/quantity.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <limits>
#include <optional>

#include <fmt/format.h>

namespace tidegate::config {
namespace {

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
constexpr std::int32_t kNanosPerUnit = 1'000'000'000;
constexpr std::size_t kLongestText = 64;

struct Suffix {
  std::string_view name;
  int ten = 0;  // power of ten
  int two = 0;  // power of two
};
constexpr std::array<Suffix, 16> kSuffixes{{{"", 0, 0},
                                            {"n", -9, 0},
                                            {"u", -6, 0},
                                            {"m", -3, 0},
                                            {"k", 3, 0},
                                            {"M", 6, 0},
                                            {"G", 9, 0},
                                            {"T", 12, 0},
                                            {"P", 15, 0},
                                            {"E", 18, 0},
                                            {"Ki", 0, 10},
                                            {"Mi", 0, 20},
                                            {"Gi", 0, 30},
                                            {"Ti", 0, 40},
                                            {"Pi", 0, 50},
                                            {"Ei", 0, 60}}};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::optional<Suffix> ParseSuffix(std::string_view text) {
  for (const Suffix& suffix : kSuffixes) {
    if (suffix.name == text) return suffix;
  }
  if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return std::nullopt;
  text.remove_prefix(1);
  if (text[0] == '+') text.remove_prefix(1);
  int exponent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return Suffix{"", std::clamp(exponent, -1000, 1000), 0};
}

// A non-negative decimal number: digits[0 .. point) are whole, the others the fraction.
struct Decimal {
  std::string digits;
  std::size_t point = 0;
};

void Double(Decimal& number) {
  int carry = 0;
  for (std::size_t i = number.digits.size(); i-- > 0;) {
    const int doubled = (number.digits[i] - '0') * 2 + carry;
    number.digits[i] = static_cast<char>('0' + doubled % 10);
    carry = doubled / 10;
  }
  if (carry > 0) {
    number.digits.insert(number.digits.begin(), static_cast<char>('0' + carry));
    ++number.point;
  }
}

void ShiftPoint(Decimal& number, int places) {
  for (; places > 0; --places) {
    if (number.point == number.digits.size()) number.digits += '0';
    ++number.point;
  }
  for (; places < 0; ++places) {
    if (number.point == 0) {
      number.digits.insert(number.digits.begin(), '0');
    } else {
      --number.point;
    }
  }
}

Quantity Rounded(const Decimal& number) {
  Quantity result;
  for (std::size_t i = 0; i < number.point; ++i) {
    const int digit = number.digits[i] - '0';
    if (result.units > (kLargest - digit) / 10) return {kLargest, 0};
    result.units = result.units * 10 + digit;
  }
  bool rest = false;
  std::int64_t nanos = 0;
  for (std::size_t i = 0; i < 9 || number.point + i < number.digits.size(); ++i) {
    const std::size_t at = number.point + i;
    const int digit = at < number.digits.size() ? number.digits[at] - '0' : 0;
    if (i < 9) nanos = nanos * 10 + digit;
    rest = rest || (i >= 9 && digit != 0);
  }
  if (rest) ++nanos;
  if (nanos == kNanosPerUnit) {
    if (result.units == kLargest) return result;
    ++result.units;
    nanos = 0;
  }
  result.nanos = result.units == kLargest ? 0 : static_cast<std::int32_t>(nanos);
  return result;
}

tl::unexpected<Error> Bad(std::string_view text) {
  return Fail(ErrorCode::kInvalid,
              fmt::format("\"{}\" is not a quantity; expected one like 2, 200m, 1.5, 256Mi or 2G",
                          text.substr(0, kLongestText)));
}

}  // namespace

double Quantity::value() const {
  return static_cast<double>(units) + static_cast<double>(nanos) / kNanosPerUnit;
}

std::int64_t Quantity::Milli() const {
  constexpr std::int32_t kNanosPerMilli = 1'000'000;
  if (units > kLargest / 1000 - 1) return kLargest;
  if (units < -(kLargest / 1000 - 1)) return -kLargest;
  const std::int32_t away = nanos < 0 ? -(kNanosPerMilli - 1) : kNanosPerMilli - 1;
  return units * 1000 + (nanos + away) / kNanosPerMilli;
}

Expected<Quantity> ParseQuantity(std::string_view text) {
  if (text.empty() || text.size() > kLongestText) return Bad(text);
  const bool negative = text[0] == '-';
  std::size_t at = negative || text[0] == '+' ? 1 : 0;
  Decimal number;
  for (; at < text.size() && IsDigit(text[at]); ++at) number.digits += text[at];
  number.point = number.digits.size();
  if (at < text.size() && text[at] == '.') {
    for (++at; at < text.size() && IsDigit(text[at]); ++at) number.digits += text[at];
  }
  const auto suffix = ParseSuffix(text.substr(at));
  if (number.digits.empty() || !suffix) return Bad(text);
  for (int i = 0; i < suffix->two; ++i) Double(number);
  ShiftPoint(number, suffix->ten);
  Quantity result = Rounded(number);
  if (negative) result = {-result.units, -result.nanos};
  return result;
}

std::string ToString(const Quantity& quantity) {
  if (quantity.nanos == 0) return fmt::format("{}", quantity.units);
  const bool negative = quantity.units < 0 || quantity.nanos < 0;
  std::string text = fmt::format("{}{}.{:09}", negative ? "-" : "",
                                 quantity.units < 0 ? -quantity.units : quantity.units,
                                 quantity.nanos < 0 ? -quantity.nanos : quantity.nanos);
  text.erase(text.find_last_not_of('0') + 1);
  return text;
}

}  // namespace tidegate::config
