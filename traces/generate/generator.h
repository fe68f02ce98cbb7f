#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "traces/format/trace.h"
#include "traces/generate/random.h"

// A generator makes a trace in two parts: a rate as a function of time, which is what the kinds
// differ in, and counts drawn from that rate, which is the same for all (FromRate).

namespace tidegate::traces {

// What every generator is asked for.
struct GenerateOptions {
  Duration length{0};  // 0: the generator's own default; at most kMaxTraceBins bins
  Duration bin{0};     // 0: the generator's own default
  std::uint64_t seed = 1;
  // true: counts are Poisson draws, as requests of independent users are. false: each bin gets the
  // expected number, with its fraction.
  bool poisson = true;
};

// A number that one kind of generator can be given, for checking and for help.
struct ParameterInfo {
  std::string_view name;  // with its unit last: "ramp_s"
  std::string_view help;
  double fallback = 0;
  double least = 0;
  double most = 0;
};

using ParameterValues = std::map<std::string, double, std::less<>>;

// One row of the catalog.
struct Generator {
  std::string_view name;
  std::string_view summary;
  Duration default_length{0};
  Duration default_bin{0};
  std::vector<ParameterInfo> parameters;
  // All problems of the values at once (kInvalid): unknown names, values out of range.
  std::function<Expected<Trace>(const GenerateOptions&, const ParameterValues&)> generate;
};

// Requests per second at a time in seconds since the start. Finite and not negative.
using RateFunction = std::function<Rate(double t_s)>;

// Integrates the rate over each bin and draws the counts. Precondition: length and bin are set.
// kInvalid if they make no bin, kTooLarge if too many.
Expected<Trace> FromRate(const GenerateOptions& options, const RateFunction& rate);

}  // namespace tidegate::traces
