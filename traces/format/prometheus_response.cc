// Answers are read as they are parsed, one sample at a time: a tree of an answer for ten thousand
// pools would take several times the memory of everything else that a tick needs.

#include "traces/format/prometheus_response.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include <boost/json/basic_parser_impl.hpp>
#include <fmt/format.h>

namespace tidegate::traces {
namespace {

namespace json = boost::json;

constexpr std::size_t kDeepest = 8;      // an answer nests six deep
constexpr double kLatestSeconds = 9e12;  // times beyond it don't fit a millisecond clock
constexpr std::size_t kLongestMessage = 500;

Error Malformed(const std::string& what) {
  return {ErrorCode::kInvalid, "Prometheus's answer is not understood: " + what};
}

std::optional<double> ToNumber(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "+Inf" || text == "Inf") return std::numeric_limits<double>::infinity();
  if (text == "-Inf") return -std::numeric_limits<double>::infinity();
  double number = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && at == text.data() + text.size() ? std::optional(number)
                                                                 : std::nullopt;
}

// Where in an answer the parser stands.
enum class Place {
  kOutside,
  kBody,     // {status, data, errorType, error}
  kData,     // {resultType, result}
  kResult,   // [series...], or a scalar's [time, value]
  kSeries,   // {metric, values} or {metric, value}
  kMetric,   // {label: value}
  kValues,   // [[time, value]...]
  kPair,     // [time, value]
  kIgnored,  // whatever else an answer may hold
};

class Reader {
 public:
  // What basic_parser wants of a handler: limits (the body's size is bounded already), and a member
  // for each thing that it meets.
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  Reader(std::span<const std::string> wanted, const ResponseLimits& limits)
      : wanted_(wanted), limits_(limits) {}

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code& code) { return Enter(false, code); }
  bool on_object_end(std::size_t, json::error_code& code) { return Leave(code); }
  bool on_array_begin(json::error_code& code) { return Enter(true, code); }
  bool on_array_end(std::size_t, json::error_code& code) { return Leave(code); }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    return Append(key_part_, part);
  }
  bool on_key(json::string_view part, std::size_t, json::error_code&) {
    Append(key_part_, part);
    key_ = std::exchange(key_part_, {});
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, json::error_code&) {
    return Append(text_, part);
  }
  bool on_string(json::string_view part, std::size_t, json::error_code& code) {
    Append(text_, part);
    const bool good = Text(text_, code);
    text_.clear();
    return good;
  }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t value, json::string_view, json::error_code& code) {
    return Number(static_cast<double>(value), code);
  }
  bool on_uint64(std::uint64_t value, json::string_view, json::error_code& code) {
    return Number(static_cast<double>(value), code);
  }
  bool on_double(double value, json::string_view, json::error_code& code) {
    return Number(value, code);
  }
  bool on_bool(bool, json::error_code& code) { return Other(code); }
  bool on_null(json::error_code& code) { return Other(code); }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

  // What stopped the parser, where it was us.
  const std::optional<Error>& error() const { return error_; }
  // After the whole text.
  Expected<Response> Finish();

 private:
  static bool Append(std::string& to, json::string_view part) {
    to.append(part.data(), part.size());
    return true;
  }
  Place Now() const { return places_.empty() ? Place::kOutside : places_.back(); }

  bool Refuse(Error error, json::error_code& code) {
    error_ = std::move(error);
    code = json::error::syntax;
    return false;
  }
  bool RefuseSample(json::error_code& code) {
    return Refuse(Malformed("a sample that is no [time, value] pair"), code);
  }

  bool Enter(bool array, json::error_code& code);
  bool EnterResultItem(bool array, json::error_code& code);
  Place PlaceInside(bool array) const;
  bool Leave(json::error_code& code);
  bool EndPair(json::error_code& code);
  bool EndSeries(json::error_code& code);
  bool Text(std::string_view text, json::error_code& code);
  bool Number(double value, json::error_code& code);
  bool Other(json::error_code& code);
  bool Half(std::optional<double> value, bool number, json::error_code& code);

  std::span<const std::string> wanted_;
  const ResponseLimits& limits_;
  std::vector<Place> places_;
  std::string key_, key_part_, text_;
  std::optional<Error> error_;

  std::optional<std::string> status_, type_;
  std::string error_type_, error_text_;
  bool body_ = false, data_ = false, result_ = false;
  Response response_;
  bool values_ = false, value_ = false;        // the series at hand has these
  bool all_values_ = true, all_value_ = true;  // all series so far have
  std::size_t pairs_ = 0;                      // of the series at hand
  int halves_ = 0;                             // of the pair at hand
  double seconds_ = 0, number_ = 0;
  std::optional<signals::Sample> scalar_;
};

// What an object or array is that begins here.
Place Reader::PlaceInside(bool array) const {
  switch (Now()) {
    case Place::kOutside: return array ? Place::kIgnored : Place::kBody;
    case Place::kBody: return key_ == "data" && !array ? Place::kData : Place::kIgnored;
    case Place::kData: return key_ == "result" && array ? Place::kResult : Place::kIgnored;
    case Place::kSeries:
      if (key_ == "metric" && !array) return Place::kMetric;
      if (key_ == "values" && array) return Place::kValues;
      return key_ == "value" && array ? Place::kPair : Place::kIgnored;
    default: return Place::kIgnored;
  }
}

bool Reader::EnterResultItem(bool array, json::error_code& code) {
  if (array || halves_ > 0) return Refuse(Malformed("a series that is no object"), code);
  if (response_.series.size() >= limits_.series) {
    return Refuse({ErrorCode::kTooLarge,
                   fmt::format("Prometheus's answer has more than {} series", limits_.series)},
                  code);
  }
  response_.series.push_back({std::vector<std::string>(wanted_.size()), {}});
  values_ = value_ = false;
  pairs_ = 0;
  places_.push_back(Place::kSeries);
  return true;
}

bool Reader::Enter(bool array, json::error_code& code) {
  if (Now() == Place::kResult) return EnterResultItem(array, code);
  if (Now() == Place::kPair) return RefuseSample(code);
  if (Now() == Place::kValues) {
    if (!array) return RefuseSample(code);
    if (++pairs_ > limits_.samples_per_series) {
      return Refuse({ErrorCode::kTooLarge,
                     fmt::format("Prometheus's answer has a series of more than {} samples",
                                 limits_.samples_per_series)},
                    code);
    }
    places_.push_back(Place::kPair);
    halves_ = 0;
    return true;
  }
  const Place place = PlaceInside(array);
  body_ = body_ || place == Place::kBody;
  data_ = data_ || place == Place::kData;
  if (place == Place::kResult) {
    result_ = true;
    response_.series.clear();
    halves_ = 0;
  }
  values_ = values_ || place == Place::kValues;
  if (place == Place::kPair) {
    value_ = true;
    halves_ = 0;
  }
  places_.push_back(place);
  return true;
}

bool Reader::Leave(json::error_code& code) {
  const Place place = Now();
  places_.pop_back();
  if (place == Place::kPair) return EndPair(code);
  if (place == Place::kSeries) return EndSeries(code);
  if (place == Place::kResult && halves_ > 0) return EndPair(code);
  return true;
}

// A pair is complete: a sample of the series at hand, or the scalar.
bool Reader::EndPair(json::error_code& code) {
  if (halves_ != 2 || !std::isfinite(seconds_) || std::abs(seconds_) > kLatestSeconds) {
    return RefuseSample(code);
  }
  halves_ = 0;
  const signals::Sample sample{Instant(FromSeconds(seconds_)), number_};
  if (Now() == Place::kData) {
    scalar_ = sample;
    return true;
  }
  std::vector<signals::Sample>& samples = response_.series.back().samples;
  if (samples.empty() || sample.at > samples.back().at) samples.push_back(sample);
  return true;
}

bool Reader::EndSeries(json::error_code& code) {
  if (!values_ && !value_) return Refuse(Malformed("a series without values"), code);
  all_values_ = all_values_ && values_ && !value_;
  all_value_ = all_value_ && value_ && !values_;
  response_.series.back().samples.shrink_to_fit();
  return true;
}

// The first half of a pair is a number, the second a number or its text.
bool Reader::Half(std::optional<double> value, bool number, json::error_code& code) {
  ++halves_;
  if (!value || halves_ > 2 || (halves_ == 1 && !number)) return RefuseSample(code);
  (halves_ == 1 ? seconds_ : number_) = *value;
  return true;
}

bool Reader::Text(std::string_view text, json::error_code& code) {
  switch (Now()) {
    case Place::kBody:
      if (key_ == "status") status_ = text;
      if (key_ == "errorType") error_type_ = text.substr(0, kLongestMessage);
      if (key_ == "error") error_text_ = text.substr(0, kLongestMessage);
      return true;
    case Place::kData:
      if (key_ == "resultType") type_ = text;
      return true;
    case Place::kMetric:
      for (std::size_t i = 0; i < wanted_.size(); ++i) {
        if (key_ == wanted_[i]) response_.series.back().labels[i] = text;
      }
      return true;
    case Place::kPair: return Half(ToNumber(text), false, code);
    case Place::kResult:
      if (halves_ == 0) return Refuse(Malformed("a series that is no object"), code);
      return Half(ToNumber(text), false, code);
    default: return Other(code);
  }
}

bool Reader::Number(double value, json::error_code& code) {
  const Place place = Now();
  if (place == Place::kResult && !response_.series.empty()) {
    return Refuse(Malformed("a series that is no object"), code);
  }
  if (place == Place::kPair || place == Place::kResult) return Half(value, true, code);
  return Other(code);
}

bool Reader::Other(json::error_code& code) {
  switch (Now()) {
    case Place::kPair:
    case Place::kValues: return RefuseSample(code);
    case Place::kResult: return Refuse(Malformed("a series that is no object"), code);
    default: return true;
  }
}

Expected<Response> Reader::Finish() {
  if (!body_) return Fail(Malformed("not an object"));
  if (!status_) return Fail(Malformed("no status"));
  if (*status_ == "error") {
    const bool timeout = error_type_ == "timeout" || error_type_ == "canceled";
    return Fail(timeout ? ErrorCode::kTimeout : ErrorCode::kInvalid,
                fmt::format("Prometheus refuses the query ({}): {}", error_type_, error_text_));
  }
  if (!data_) return Fail(Malformed("no data"));
  const bool scalar = type_ == "scalar";
  if (!result_ || !(scalar || type_ == "matrix" || type_ == "vector")) {
    return Fail(Malformed("no result of a known type"));
  }
  if (scalar != scalar_.has_value()) {
    return Fail(Malformed(scalar ? "a scalar that is no [time, value] pair"
                                 : "a series that is no object"));
  }
  if (scalar) {
    response_.type = ResponseType::kScalar;
    response_.series.assign(1, {std::vector<std::string>(wanted_.size()), {*scalar_}});
    return std::move(response_);
  }
  response_.type = type_ == "matrix" ? ResponseType::kMatrix : ResponseType::kVector;
  if (type_ == "matrix" && !all_values_) return Fail(Malformed("a series without values"));
  if (type_ == "vector" && !all_value_) {
    return Fail(Malformed("a series without a [time, value] pair"));
  }
  return std::move(response_);
}

}  // namespace

Expected<Response> ParseResponse(std::string_view body, std::span<const std::string> labels,
                                 const ResponseLimits& limits) {
  json::parse_options options;
  options.max_depth = kDeepest;
  json::basic_parser<Reader> parser(options, labels, limits);
  json::error_code code;
  const std::size_t read = parser.write_some(false, body.data(), body.size(), code);
  if (parser.handler().error()) return Fail(*parser.handler().error());
  if (!code && read < body.size()) code = json::error::extra_data;
  if (code) return Fail(Malformed(code.message()));
  return parser.handler().Finish();
}

}  // namespace tidegate::traces
