#include "traces/generate/fields.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace tidegate::traces {

std::string ParameterProblems(const std::vector<ParameterInfo>& parameters,
                              const ParameterValues& values) {
  std::string problems;
  const auto add = [&](const std::string& problem) {
    if (!problems.empty()) problems += '\n';
    problems += problem;
  };
  for (const auto& entry : values) {
    const auto info =
        std::find_if(parameters.begin(), parameters.end(),
                     [&](const ParameterInfo& parameter) { return parameter.name == entry.first; });
    if (info == parameters.end()) {
      std::string known;
      for (const auto& parameter : parameters) known += fmt::format(" {}", parameter.name);
      add(fmt::format("there is no parameter \"{}\"; expected one of:{}", entry.first, known));
    } else if (!std::isfinite(entry.second) || entry.second < info->least ||
               entry.second > info->most) {
      add(fmt::format("{} is {}; expected a number from {} to {}", info->name, entry.second,
                      info->least, info->most));
    }
  }
  return problems;
}

}  // namespace tidegate::traces
