#include "sim/world/promql_signal.h"

#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace tidegate::sim {
namespace {

constexpr std::string_view kWindow = "{{window}}";
constexpr std::string_view kForm =
    "the simulator can evaluate sum(rate(requests_total{...}[1m])), with increase or irate in the "
    "place of rate, and no other PromQL";

// What is left of an expression to read.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool Skip(std::string_view token) {
    SkipSpace();
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }
  std::string_view Word() {
    SkipSpace();
    std::size_t length = 0;
    while (length < text_.size() && IsWord(text_[length])) ++length;
    const std::string_view word = text_.substr(0, length);
    text_.remove_prefix(length);
    return word;
  }
  // The text before `end`, which is skipped too; quoted text may hold `end`.
  std::optional<std::string_view> Until(char end) {
    char quote = 0;
    for (std::size_t i = 0; i < text_.size(); ++i) {
      const char c = text_[i];
      if (quote != 0) {
        if (c == '\\') ++i;
        if (c == quote) quote = 0;
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == end) {
        const std::string_view inside = text_.substr(0, i);
        text_.remove_prefix(i + 1);
        return inside;
      }
    }
    return std::nullopt;
  }
  bool AtEnd() {
    SkipSpace();
    return text_.empty();
  }

 private:
  static bool IsWord(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == ':';
  }
  void SkipSpace() {
    while (!text_.empty() && std::string_view(" \t\r\n").find(text_[0]) != std::string_view::npos) {
      text_.remove_prefix(1);
    }
  }

  std::string_view text_;
};

std::optional<RangeFunction> FunctionNamed(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, RangeFunction>, 3> kFunctions{
      {{"rate", RangeFunction::kRate},
       {"increase", RangeFunction::kIncrease},
       {"irate", RangeFunction::kIrate}}};
  for (const auto& [known, function] : kFunctions) {
    if (known == name) return function;
  }
  return std::nullopt;
}

// by (a, b) or without (a, b): one pool is one group, whatever the labels.
bool SkipGrouping(Reader& reader) {
  if (!reader.Skip("by") && !reader.Skip("without")) return true;
  return reader.Skip("(") && reader.Until(')').has_value();
}

std::string Expand(std::string_view promql, Duration window) {
  std::string text(promql);
  const std::string value = FormatDuration(window);
  for (auto at = text.find(kWindow); at != std::string::npos;
       at = text.find(kWindow, at + value.size())) {
    text.replace(at, kWindow.size(), value);
  }
  return text;
}

std::optional<double> Evaluate(RangeFunction function, std::span<const signals::Sample> samples,
                               const RangeQuery& query) {
  switch (function) {
    case RangeFunction::kRate: return PromqlRate(samples, query);
    case RangeFunction::kIncrease: return Increase(samples, query);
    case RangeFunction::kIrate: return InstantRate(samples, query);
  }
  return std::nullopt;
}

}  // namespace

Expected<PromqlSignal> ParsePromqlSignal(std::string_view promql, Duration window) {
  const std::string text = Expand(promql, window);
  const auto unknown = Fail(ErrorCode::kInvalid, fmt::format("\"{}\": {}", text, kForm));
  Reader reader(text);
  PromqlSignal signal;
  if (reader.Word() != "sum" || !SkipGrouping(reader) || !reader.Skip("(")) return unknown;
  const auto function = FunctionNamed(reader.Word());
  if (!function || !reader.Skip("(") || reader.Word().empty()) return unknown;
  if (reader.Skip("{") && !reader.Until('}')) return unknown;
  if (!reader.Skip("[")) return unknown;
  const auto range = reader.Until(']');
  if (!range || !reader.Skip(")") || !reader.Skip(")")) return unknown;
  if (!SkipGrouping(reader) || !reader.AtEnd()) return unknown;
  TIDEGATE_TRY(signal.range, ParseDuration(*range));
  if (signal.range <= Duration(0)) return unknown;
  signal.function = *function;
  return signal;
}

signals::Reading ReadPromqlSignal(const PromqlSignal& signal, Instant now,
                                  std::span<const signals::SampleSeries> series,
                                  PromqlDialect dialect) {
  signals::Reading reading;
  for (const signals::SampleSeries& one : series) {
    const auto value = Evaluate(signal.function, one.samples, {now, signal.range, dialect});
    if (!value) continue;
    reading.value += *value;
    ++reading.series;
  }
  if (reading.series == 0) {
    reading.quality = signals::Quality::kEmpty;
    reading.detail = "the query gives no series for this pool";
  } else if (!std::isfinite(reading.value) || reading.value < 0) {
    reading.quality = signals::Quality::kNaN;
    reading.detail = fmt::format("the query gives {}", reading.value);
    reading.value = 0;
  } else {
    reading.quality = signals::Quality::kOk;
  }
  return reading;
}

}  // namespace tidegate::sim
