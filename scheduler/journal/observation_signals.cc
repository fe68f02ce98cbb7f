#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "policies/signals/estimator.h"
#include "scheduler/journal/observation_parts.h"

// Readings come in four forms: a value for the pool, a value per replica, raw samples for our own
// estimator, and an error. They are classified here as a source would classify them: nothing that
// is missing becomes a zero.
namespace tidegate::journal {
namespace {

namespace json = boost::json;
using signals::Quality;
using signals::Reading;

constexpr std::size_t kMostSignals = 64;
constexpr std::size_t kMostSeries = 100'000;
constexpr std::size_t kMostSamples = 10'000;
constexpr std::array kQualities{"ok", "partial", "stale", "empty", "nan", "error"};
static_assert(kQualities.size() == signals::kQualityCount);

void Spoil(Reading& reading, Quality quality, std::string detail) {
  if (quality == Quality::kStale) reading.last = reading.value;
  reading.quality = quality;
  reading.value = 0;
  if (reading.detail.empty()) reading.detail = std::move(detail);
}

// A number, or what Prometheus writes for those that JSON lacks.
std::optional<double> ReadValue(JsonFields& fields) {
  const json::value* value = fields.Find("value");
  if (value->is_number()) return value->to_number<double>();
  const json::string* text = value->if_string();
  if (text != nullptr && (*text == "NaN" || *text == "+Inf" || *text == "-Inf" || *text == "Inf")) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  fields.Problem("value",
                 "expected a number, \"NaN\", \"+Inf\", \"-Inf\" or null, got " + Shown(*value));
  return std::nullopt;
}

void FromValue(JsonFields& fields, Reading& reading) {
  if (fields.Find("value")->is_null()) return Spoil(reading, Quality::kEmpty, "no series");
  const auto value = ReadValue(fields);
  if (!value) return;
  reading.quality = Quality::kOk;
  reading.value = *value;
  if (!(std::isfinite(*value) && *value >= 0)) {
    Spoil(reading, Quality::kNaN, "the value is negative or not finite");
  }
}

void FromReplicas(JsonFields& fields, PartContext context, Reading& reading) {
  reading.quality = Quality::kOk;
  for (const json::value* value : fields.Array("perReplica", kMostSeries)) {
    const std::string path = fmt::format("{}[{}]", fields.PathOf("perReplica"), reading.series);
    JsonFields item(*value, path, ShapeOf("replicaValue"), context.problems);
    item.Require("value", "a number");
    signals::ReplicaValue one;
    one.replica = item.Text("replica").value_or("");
    one.value = item.Number("value", {0, 1e15}).value_or(0);
    one.age = reading.age;
    reading.value += one.value;
    ++reading.series;
    if (!one.replica.empty()) reading.each.push_back(std::move(one));
  }
  std::ranges::sort(reading.each, {}, &signals::ReplicaValue::replica);
  if (std::ranges::adjacent_find(reading.each, {}, &signals::ReplicaValue::replica) !=
      reading.each.end()) {
    fields.Problem("perReplica", "there are two values of one replica");
  }
  if (reading.series == 0) {
    Spoil(reading, Quality::kEmpty, "no series");
  } else if (reading.series < reading.expected) {
    reading.quality = Quality::kPartial;
    reading.detail =
        fmt::format("{} of {} ready replicas reported", reading.series, reading.expected);
  }
}

signals::SampleSeries ReadSeries(const json::value& value, const std::string& path,
                                 PartContext context) {
  JsonFields fields(value, path, ShapeOf("series"), context.problems);
  fields.Require("replica", "the replica's name");
  fields.Require("samples", "an array");
  signals::SampleSeries series;
  series.replica = fields.Text("replica").value_or("");
  for (const json::value* sample : fields.Array("samples", kMostSamples)) {
    const std::string at = fmt::format("{}[{}]", fields.PathOf("samples"), series.samples.size());
    JsonFields item(*sample, at, ShapeOf("sample"), context.problems);
    item.Require("age", "seconds");
    item.Require("value", "a number");
    series.samples.push_back(
        {context.now - item.Seconds("age", kSecondsRange).value_or(Duration(0)),
         item.Number("value", {-1e300, 1e300}).value_or(0)});
  }
  const auto later = [](const signals::Sample& a, const signals::Sample& b) { return a.at < b.at; };
  std::sort(series.samples.begin(), series.samples.end(), later);
  const auto twice = std::adjacent_find(
      series.samples.begin(), series.samples.end(),
      [](const signals::Sample& a, const signals::Sample& b) { return a.at == b.at; });
  if (twice != series.samples.end()) fields.Problem("samples", "two samples are of the same age");
  return series;
}

Reading FromSamples(JsonFields& fields, PartContext context, const signals::PoolSnapshot& pool) {
  std::vector<signals::SampleSeries> series;
  for (const json::value* value : fields.Array("samples", kMostSeries)) {
    const std::string path = fmt::format("{}[{}]", fields.PathOf("samples"), series.size());
    series.push_back(ReadSeries(*value, path, context));
  }
  signals::EstimateOptions options;
  constexpr JsonRange kOption{0.001, 86'400};
  constexpr std::array kKinds{"counter", "gauge"};
  options.window = fields.Seconds("windowSeconds", kOption).value_or(options.window);
  options.scrape_interval =
      fields.Seconds("scrapeIntervalSeconds", kOption).value_or(options.scrape_interval);
  options.stale_after = fields.Seconds("staleAfterSeconds", kOption).value_or(options.stale_after);
  options.each_replica = true;
  const bool gauge = fields.Choice("kind", kKinds).value_or(0) == 1;
  return gauge ? signals::EstimateGauge(context.now, series, pool.replicas, options)
               : signals::EstimateRate(context.now, series, pool.replicas, options);
}

// What the input itself says about a reading wins over what its form suggests.
void Classify(JsonFields& fields, Reading& reading) {
  const Duration stale_after = fields.Seconds("staleAfterSeconds", kSecondsRange)
                                   .value_or(signals::EstimateOptions{}.stale_after);
  if (const auto quality = fields.Choice("quality", kQualities)) {
    if (!signals::MayGrow(static_cast<Quality>(*quality))) {
      Spoil(reading, static_cast<Quality>(*quality), "");
    }
    reading.quality = static_cast<Quality>(*quality);
  } else if (signals::MayGrow(reading.quality) && reading.age > stale_after) {
    Spoil(reading, Quality::kStale,
          fmt::format("the newest sample is older than {}", FormatDuration(stale_after)));
  }
}

Reading ReadSignal(JsonFields& fields, PartContext context, const signals::PoolSnapshot& pool) {
  Reading reading;
  const int forms = int{fields.Has("value")} + int{fields.Has("perReplica")} +
                    int{fields.Has("samples")} + int{fields.Has("error")};
  if (forms > 1 || (forms == 0 && !fields.Has("quality"))) {
    fields.Problem("value", "expected exactly one of value, perReplica, samples and error");
    return reading;
  }
  if (fields.Has("samples")) {
    reading = FromSamples(fields, context, pool);
    reading.signal = fields.Text("name").value_or("");
    return reading;
  }
  reading.signal = fields.Text("name").value_or("");
  reading.age = fields.Seconds("age", kSecondsRange).value_or(Duration(0));
  reading.detail = fields.Text("detail").value_or("");
  reading.series = static_cast<int>(fields.Integer("series", kReplicaRange).value_or(0));
  const auto ready = signals::Count(pool.replicas).ready;
  reading.expected = static_cast<int>(
      fields.Integer("expected", kReplicaRange).value_or(fields.Has("perReplica") ? ready : 0));
  if (fields.Has("value")) FromValue(fields, reading);
  if (fields.Has("perReplica")) {
    reading.series = 0;
    FromReplicas(fields, context, reading);
  }
  if (fields.Has("error")) Spoil(reading, Quality::kError, fields.Text("error").value_or(""));
  Classify(fields, reading);
  return reading;
}

}  // namespace

void ReadSignals(JsonFields& root, PartContext context, signals::PoolSnapshot& pool) {
  std::set<std::string> seen;
  for (const json::value* value : root.Array("signals", kMostSignals)) {
    const std::string path = fmt::format("{}[{}]", root.PathOf("signals"), pool.readings.size());
    JsonFields fields(*value, path, ShapeOf("signal"), context.problems);
    if (!value->is_object()) continue;
    fields.Require("name", "the signal's name");
    Reading reading = ReadSignal(fields, context, pool);
    if (!reading.signal.empty() && !seen.insert(reading.signal).second) {
      fields.Problem("name", "there are two readings of " + reading.signal);
    }
    pool.readings.push_back(std::move(reading));
  }
}

}  // namespace tidegate::journal
