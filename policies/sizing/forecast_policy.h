#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "policies/base/fields.h"
#include "policies/base/instant.h"
#include "policies/forecast/forecaster.h"
#include "policies/sizing/policy.h"

namespace tidegate::sizing {

struct ForecastOptions {
  double quantile = 0.9;            // of the load to be ready for; 0.5 .. 0.999
  std::optional<Duration> horizon;  // how far ahead; unset: the lead time, measured

  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{"quantile", "share of the time that the forecast load is to be enough", 0.5, 0.999},
          self.quantile);
    visit(Field{"horizonSeconds", "how far to look ahead; unset: the time that growth takes", 15,
                3600},
          self.horizon);
  }
  bool operator==(const ForecastOptions&) const = default;
};

// Target tracking, and as a floor the replicas for the load that the pool's past says will be there
// when a replica started now serves. The floor only ever adds capacity: it is a proposal beside
// those of the signals, it is nothing while forecasts are not better than the last value, and at
// most three times the recent peak. For pools with a signal that counts requests.
struct Forecast {
  static constexpr std::string_view kName = "forecast";
  static constexpr std::string_view kDescription =
      "target, and replicas for the load forecast one lead time ahead";
  static constexpr Guarding kGuarding{};
  static constexpr bool kHistory = true;
  using Options = ForecastOptions;
  using Memory = forecast::State;
  static Sizing Size(const Input& input, const Options& options, Memory& memory);
};

// How far ahead a start acts: the time that the pool takes to grow by half, in waves where it rolls
// (schedule.h: LeadTo), with the start-up measured on its replicas, and a minute where none shows
// it. In steps of 15 s, so that forecasts are compared with others of their kind; 15 s .. 1 h.
Duration LeadTime(const Input& input);

// The signal that is forecast: the first with a target that counts requests, else the first
// expression with one; null where there is none.
const SignalTarget* RequestsTarget(std::span<const SignalTarget> targets);

}  // namespace tidegate::sizing
