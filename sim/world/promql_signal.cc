#include "sim/world/promql_signal.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace tidegate::sim {
namespace {

constexpr std::string_view kWindow = "{{window}}";
constexpr std::string_view kForm =
    "the simulator can evaluate sum(rate(requests_total{...}[1m])) and "
    "rate(sum(requests_total{...})[1m:15s]), with increase or irate in the place of rate, and no "
    "other PromQL";
constexpr std::int64_t kMostSteps = 11'000;  // Prometheus's own limit of points of a query

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

// sum [grouping] (, up to what is summed.
bool SkipSum(Reader& reader) {
  return reader.Skip("sum") && SkipGrouping(reader) && reader.Skip("(");
}

// metric{matchers}
bool SkipSelector(Reader& reader) {
  if (reader.Word().empty()) return false;
  return !reader.Skip("{") || reader.Until('}').has_value();
}

// What is written in the brackets, where the whole is of one of the two forms.
struct Form {
  RangeFunction function = RangeFunction::kRate;
  std::string_view range;
  bool of_sum = false;
};

std::optional<Form> ReadForm(Reader reader) {
  Form form;
  const bool sum_first = SkipSum(reader);
  const auto function = FunctionNamed(reader.Word());
  if (!function || !reader.Skip("(")) return std::nullopt;
  form.function = *function;
  form.of_sum = !sum_first;
  if (form.of_sum && !SkipSum(reader)) return std::nullopt;
  if (!SkipSelector(reader)) return std::nullopt;
  if (form.of_sum && (!reader.Skip(")") || !SkipGrouping(reader))) return std::nullopt;
  if (!reader.Skip("[")) return std::nullopt;
  const auto range = reader.Until(']');
  if (!range || !reader.Skip(")")) return std::nullopt;
  form.range = *range;
  if (sum_first && (!reader.Skip(")") || !SkipGrouping(reader))) return std::nullopt;
  if (!reader.AtEnd()) return std::nullopt;
  return form;
}

// What sum(x) was over time, at whole multiples of the resolution, as a subquery has it.
std::vector<signals::Sample> SumOverTime(const PromqlSignal& signal, Instant now,
                                         std::span<const signals::SampleSeries> series,
                                         PromqlDialect dialect) {
  const Duration step = *signal.resolution;
  const Instant start = now - signal.range;
  Instant at = start - start.time_since_epoch() % step;
  while (at < start || (dialect.left_open && at == start)) at += step;
  std::vector<signals::Sample> sums;
  for (; at <= now; at += step) {
    std::optional<double> sum;
    for (const signals::SampleSeries& one : series) {
      const auto value = InstantValue(one.samples, {at, kLookback, dialect});
      if (value) sum = sum.value_or(0) + value->value;
    }
    if (sum) sums.push_back({at, *sum});
  }
  return sums;
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

Duration Needed(const PromqlSignal& signal) {
  // Ranges of Prometheus 2.x hold a sample that is exactly as old.
  return signal.range + (signal.resolution ? kLookback : Duration(0)) + Duration(1);
}

Expected<PromqlSignal> ParsePromqlSignal(std::string_view promql, Duration window) {
  const std::string text = Expand(promql, window);
  const auto unknown = Fail(ErrorCode::kInvalid, fmt::format("\"{}\": {}", text, kForm));
  const auto form = ReadForm(Reader(text));
  if (!form) return unknown;
  PromqlSignal signal{.function = form->function};
  std::string_view range = form->range;
  if (form->of_sum) {
    const auto colon = range.find(':');
    if (colon == std::string_view::npos) return unknown;
    TIDEGATE_TRY(signal.resolution, ParseDuration(range.substr(colon + 1)));
    range = range.substr(0, colon);
  }
  TIDEGATE_TRY(signal.range, ParseDuration(range));
  if (signal.range <= Duration(0)) return unknown;
  if (!signal.resolution) return signal;
  const bool few =
      *signal.resolution > Duration(0) && signal.range / *signal.resolution <= kMostSteps;
  if (!few) return unknown;
  return signal;
}

signals::Reading ReadPromqlSignal(const PromqlSignal& signal, Instant now,
                                  std::span<const signals::SampleSeries> series,
                                  PromqlDialect dialect) {
  signals::Reading reading;
  const auto add = [&](std::span<const signals::Sample> samples) {
    const auto value = Evaluate(signal.function, samples, {now, signal.range, dialect});
    if (!value) return;
    reading.value += *value;
    ++reading.series;
  };
  if (signal.resolution) {
    add(SumOverTime(signal, now, series, dialect));
  } else {
    for (const signals::SampleSeries& one : series) add(one.samples);
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
