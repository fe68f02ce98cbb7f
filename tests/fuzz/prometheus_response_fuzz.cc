// Any bytes at all: an answer is read or refused, within its bounds, and never more.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "traces/format/prometheus_response.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<std::string> labels{"namespace", "gateway", "replica"};
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto response =
      tidegate::traces::ParseResponse(body, labels, {.series = 100, .samples_per_series = 100});
  if (!response) return 0;
  for (const auto& series : response->series) {
    if (series.labels.size() != labels.size() || series.samples.size() > 100) __builtin_trap();
    for (std::size_t i = 1; i < series.samples.size(); ++i) {
      if (series.samples[i].at <= series.samples[i - 1].at) __builtin_trap();
    }
  }
  return 0;
}
