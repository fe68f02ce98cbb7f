#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/expected.h"

namespace tidegate::testing {

// One line of Prometheus's text format.
struct MetricsSample {
  std::string name;
  std::map<std::string, std::string> labels;
  double value = 0;
};

struct MetricsText {
  std::map<std::string, std::string> types;  // metric name to "gauge", "counter", ...
  std::map<std::string, std::string> help;
  std::vector<MetricsSample> samples;
};

// Reads a whole body of GET /metrics; kInvalid names the line that can't be read.
Expected<MetricsText> ParseMetricsText(std::string_view text);

// The value of the one sample with that name and those labels (others are ignored); kNotFound
// where there is none, kConflict where there are several.
Expected<double> ValueOf(const MetricsText& text, std::string_view name,
                         const std::map<std::string, std::string>& labels);

}  // namespace tidegate::testing
