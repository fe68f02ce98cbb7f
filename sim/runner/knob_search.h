#pragma once

#include <functional>

#include "policies/base/expected.h"
#include "sim/report/league_result.h"

namespace tidegate::sim {

// Runs of one contestant on one load at the settings that a search asks for.
struct KnobSearch {
  double least = 0;  // 0 < least <= by_default <= most
  double most = 0;
  double by_default = 0;
  bool more_is_cheaper = true;
  // At this setting or the nearest one that there is, as LeagueRun::knob tells.
  std::function<Expected<LeagueRun>(double knob)> run;
};

// The curve of the default alone.
Expected<LeagueCurve> PlayDefault(const KnobSearch& search, double objective);

// Adds runs to the curve until the cheapest setting with at most this share of bad requests is
// known to half a percent of its cost, or eight more were made: between the cheapest run that has
// so few and the next one with more. Where none has, the most generous setting is tried first; if
// that has too many, there is no such setting and nothing else is tried. Whether a share is kept
// need not be monotone in the setting: what counts is the cheapest of all runs.
Expected<void> Approach(const KnobSearch& search, double share, double objective,
                        LeagueCurve& curve);

}  // namespace tidegate::sim
