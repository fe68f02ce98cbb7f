#pragma once

#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "traces/generate/generator.h"

namespace tidegate::traces {

// Ties the numbers of an options struct to their names, so that a generator is described once: its
// defaults are the struct's, its help and ranges stand here.
template <class Options>
struct Field {
  std::string_view name;
  double Options::*member;
  double least;
  double most;
  std::string_view help;
};

template <class Options>
using Fields = std::vector<Field<Options>>;

// Collects what is wrong with values for these parameters; "" if nothing.
std::string ParameterProblems(const std::vector<ParameterInfo>& parameters,
                              const ParameterValues& values);

// Joins fields and rate function to a row of the catalog.
template <class Options>
Generator MakeGenerator(Generator row, Fields<Options> fields,
                        RateFunction (*rate)(const Options&, const GenerateOptions&)) {
  const Options defaults;
  for (const auto& field : fields) {
    row.parameters.push_back(
        {field.name, field.help, defaults.*field.member, field.least, field.most});
  }
  const GenerateOptions fallback{.length = row.default_length, .bin = row.default_bin};
  row.generate = [fields, rate, fallback, parameters = row.parameters](
                     const GenerateOptions& asked,
                     const ParameterValues& values) -> Expected<Trace> {
    const std::string problems = ParameterProblems(parameters, values);
    if (!problems.empty()) return Fail(ErrorCode::kInvalid, problems);
    Options options;
    for (const auto& field : fields) {
      const auto value = values.find(field.name);
      if (value != values.end()) options.*field.member = value->second;
    }
    GenerateOptions full = asked;
    if (full.length == Duration(0)) full.length = fallback.length;
    if (full.bin == Duration(0)) full.bin = fallback.bin;
    return FromRate(full, rate(options, full));
  };
  return row;
}

}  // namespace tidegate::traces
