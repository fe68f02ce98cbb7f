#include "tests/testing/metrics_text.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include <fmt/format.h>

namespace tidegate::testing {
namespace {

bool IsName(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == ':';
}

std::string TakeName(std::string_view& line) {
  const auto end = std::find_if_not(line.begin(), line.end(), IsName);
  const std::string name(line.begin(), end);
  line.remove_prefix(name.size());
  return name;
}

bool Take(std::string_view& line, char c) {
  if (line.empty() || line.front() != c) return false;
  line.remove_prefix(1);
  return true;
}

bool TakeQuoted(std::string_view& line, std::string& value) {
  if (!Take(line, '"')) return false;
  while (!line.empty() && line.front() != '"') {
    if (Take(line, '\\')) {
      if (line.empty()) return false;
      value += line.front() == 'n' ? '\n' : line.front();
    } else {
      value += line.front();
    }
    line.remove_prefix(1);
  }
  return Take(line, '"');
}

bool TakeLabels(std::string_view& line, std::map<std::string, std::string>& labels) {
  if (!Take(line, '{')) return true;
  while (!Take(line, '}')) {
    const std::string name = TakeName(line);
    std::string value;
    if (name.empty() || !Take(line, '=') || !TakeQuoted(line, value)) return false;
    if (!labels.emplace(name, value).second) return false;
    Take(line, ',');
  }
  return true;
}

bool ParseSample(std::string_view line, MetricsSample& sample) {
  sample.name = TakeName(line);
  if (sample.name.empty() || !TakeLabels(line, sample.labels) || !Take(line, ' ')) return false;
  const std::string number(line);
  char* end = nullptr;
  sample.value = std::strtod(number.c_str(), &end);
  return !number.empty() && *end == '\0';
}

bool ParseComment(std::string_view line, MetricsText& text) {
  const std::string kind(line.substr(0, 7));
  line.remove_prefix(7);
  const std::string name = TakeName(line);
  if (name.empty() || !Take(line, ' ')) return false;
  auto& into = kind == "# TYPE " ? text.types : text.help;
  return into.emplace(name, std::string(line)).second;
}

}  // namespace

Expected<MetricsText> ParseMetricsText(std::string_view text) {
  MetricsText parsed;
  int number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    bool ok = true;
    if (line.substr(0, 7) == "# TYPE " || line.substr(0, 7) == "# HELP ") {
      ok = ParseComment(line, parsed);
    } else if (line.front() != '#') {
      ok = ParseSample(line, parsed.samples.emplace_back());
    }
    if (!ok) {
      return Fail(ErrorCode::kInvalid, fmt::format("line {} can't be read: {}", number, line));
    }
  }
  return parsed;
}

Expected<double> ValueOf(const MetricsText& text, std::string_view name,
                         const std::map<std::string, std::string>& labels) {
  const MetricsSample* found = nullptr;
  for (const MetricsSample& sample : text.samples) {
    const bool match =
        sample.name == name &&
        std::includes(sample.labels.begin(), sample.labels.end(), labels.begin(), labels.end());
    if (!match) continue;
    if (found != nullptr) {
      return Fail(ErrorCode::kConflict, fmt::format("{} is there more than once", name));
    }
    found = &sample;
  }
  if (found == nullptr) return Fail(ErrorCode::kNotFound, fmt::format("there is no {}", name));
  return found->value;
}

}  // namespace tidegate::testing
