#include "scheduler/adapters/prometheus/response_parser.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace tidegate::adapters {
namespace {

namespace json = boost::json;

constexpr std::size_t kDeepest = 8;      // an answer nests six deep
constexpr double kLatestSeconds = 9e12;  // times beyond it don't fit a millisecond clock
constexpr std::size_t kLongestMessage = 500;

Error Malformed(const std::string& what) {
  return {ErrorCode::kInvalid, "Prometheus's answer is not understood: " + what};
}

std::optional<double> Number(const json::value& value) {
  if (const json::string* text = value.if_string()) {
    if (*text == "NaN") return std::numeric_limits<double>::quiet_NaN();
    if (*text == "+Inf" || *text == "Inf") return std::numeric_limits<double>::infinity();
    if (*text == "-Inf") return -std::numeric_limits<double>::infinity();
    double number = 0;
    const char* end = text->data() + text->size();
    const auto [at, error] = std::from_chars(text->data(), end, number);
    return error == std::errc() && at == end ? std::optional(number) : std::nullopt;
  }
  if (value.is_number()) return value.to_number<double>();
  return std::nullopt;
}

// A [time, "value"] pair.
std::optional<signals::Sample> ReadSample(const json::value& value) {
  const json::array* pair = value.if_array();
  if (pair == nullptr || pair->size() != 2 || !(*pair)[0].is_number()) return std::nullopt;
  const double seconds = (*pair)[0].to_number<double>();
  const auto number = Number((*pair)[1]);
  if (!number || !std::isfinite(seconds) || std::abs(seconds) > kLatestSeconds) return std::nullopt;
  return signals::Sample{Instant(FromSeconds(seconds)), *number};
}

std::vector<std::string> ReadLabels(const json::object& series,
                                    std::span<const std::string> wanted) {
  std::vector<std::string> labels(wanted.size());
  const json::value* metric = series.if_contains("metric");
  if (metric == nullptr || !metric->is_object()) return labels;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const json::value* value = metric->get_object().if_contains(wanted[i]);
    if (value != nullptr && value->is_string()) labels[i] = value->get_string().c_str();
  }
  return labels;
}

Expected<void> ReadMatrixSamples(const json::object& series, std::size_t most,
                                 ResponseSeries* out) {
  const json::value* values = series.if_contains("values");
  if (values == nullptr || !values->is_array()) return Fail(Malformed("a series without values"));
  if (values->get_array().size() > most) {
    return Fail(ErrorCode::kTooLarge,
                fmt::format("Prometheus's answer has a series of more than {} samples", most));
  }
  out->samples.reserve(values->get_array().size());
  for (const json::value& value : values->get_array()) {
    const auto sample = ReadSample(value);
    if (!sample) return Fail(Malformed("a sample that is no [time, value] pair"));
    if (out->samples.empty() || sample->at > out->samples.back().at)
      out->samples.push_back(*sample);
  }
  return {};
}

Expected<void> ReadSeries(const json::value& value, std::span<const std::string> wanted,
                          ResponseType type, std::size_t most, ResponseSeries* out) {
  const json::object* series = value.if_object();
  if (series == nullptr) return Fail(Malformed("a series that is no object"));
  out->labels = ReadLabels(*series, wanted);
  if (type == ResponseType::kMatrix) return ReadMatrixSamples(*series, most, out);
  const json::value* pair = series->if_contains("value");
  const auto sample = pair == nullptr ? std::nullopt : ReadSample(*pair);
  if (!sample) return Fail(Malformed("a series without a [time, value] pair"));
  out->samples.push_back(*sample);
  return {};
}

Error ReadError(const json::object& body) {
  const auto text = [&](const char* key) -> std::string {
    const json::value* value = body.if_contains(key);
    return value != nullptr && value->is_string()
               ? std::string(value->get_string()).substr(0, kLongestMessage)
               : "";
  };
  const std::string kind = text("errorType");
  return {kind == "timeout" || kind == "canceled" ? ErrorCode::kTimeout : ErrorCode::kInvalid,
          fmt::format("Prometheus refuses the query ({}): {}", kind, text("error"))};
}

std::optional<ResponseType> TypeOf(const json::object& data) {
  const json::value* type = data.if_contains("resultType");
  if (type == nullptr || !type->is_string()) return std::nullopt;
  if (type->get_string() == "matrix") return ResponseType::kMatrix;
  if (type->get_string() == "vector") return ResponseType::kVector;
  if (type->get_string() == "scalar") return ResponseType::kScalar;
  return std::nullopt;
}

Expected<Response> ReadData(const json::object& data, std::span<const std::string> wanted,
                            const ResponseLimits& limits) {
  const auto type = TypeOf(data);
  const json::value* result = data.if_contains("result");
  if (!type || result == nullptr || !result->is_array())
    return Fail(Malformed("no result of a known type"));
  Response response{*type, {}};
  if (*type == ResponseType::kScalar) {
    const auto sample = ReadSample(*result);
    if (!sample) return Fail(Malformed("a scalar that is no [time, value] pair"));
    response.series.push_back({std::vector<std::string>(wanted.size()), {*sample}});
    return response;
  }
  if (result->get_array().size() > limits.series) {
    return Fail(ErrorCode::kTooLarge,
                fmt::format("Prometheus's answer has more than {} series", limits.series));
  }
  response.series.resize(result->get_array().size());
  for (std::size_t i = 0; i < response.series.size(); ++i) {
    TIDEGATE_TRY_VOID(ReadSeries(result->get_array()[i], wanted, *type, limits.samples_per_series,
                                 &response.series[i]));
  }
  return response;
}

}  // namespace

Expected<Response> ParseResponse(std::string_view body, std::span<const std::string> labels,
                                 const ResponseLimits& limits) {
  json::monotonic_resource memory;  // freed at once; an answer is read and forgotten
  json::error_code error;
  json::parse_options options;
  options.max_depth = kDeepest;
  const json::value value =
      json::parse(json::string_view(body.data(), body.size()), error, &memory, options);
  if (error) return Fail(Malformed(error.message()));
  const json::object* object = value.if_object();
  if (object == nullptr) return Fail(Malformed("not an object"));
  const json::value* status = object->if_contains("status");
  if (status == nullptr || !status->is_string()) return Fail(Malformed("no status"));
  if (status->get_string() == "error") return Fail(ReadError(*object));
  const json::value* data = object->if_contains("data");
  if (data == nullptr || !data->is_object()) return Fail(Malformed("no data"));
  return ReadData(data->get_object(), labels, limits);
}

}  // namespace tidegate::adapters
