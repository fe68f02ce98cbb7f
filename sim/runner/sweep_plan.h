#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "policies/base/expected.h"
#include "scheduler/config/problem.h"
#include "sim/report/sweep_result.h"
#include "sim/runner/experiment.h"
#include "sim/runner/field_path.h"
#include "sim/runner/sweep_file.h"
#include "traces/format/trace.h"

namespace tidegate::sim {

// One value of each field.
struct SweepPoint {
  std::vector<config::Node> values;
  std::vector<std::string> texts;  // the same for people and for results
};

// A sweep with everything that its cells need, checked. Nothing changes once it is made, so that
// threads share it.
struct SweepPlan {
  Sweep sweep;
  Sources sources;
  std::vector<SweepPoint> points;
  std::vector<Rung> rungs;
  std::map<std::string, std::shared_ptr<const traces::Trace>> traces;  // by file
  // Of everything that results depend on but the program itself: sweep, scenario, manifests,
  // traces.
  std::string fingerprint;

  std::size_t Cells() const;
};

struct MadePlan {
  SweepPlan plan;
  config::Problems problems;  // `plan` is of use only where this is empty
};

// Reads all that the sweep names and tries every point's fields, so that a sweep that starts can
// end: a path that leads nowhere, a value that a field refuses and points whose values contradict
// each other are problems, with the place in the sweep's file. At most 100,000 points.
MadePlan MakePlan(const std::string& sweep_file);

// The case of one point. Errors as a plan's points have none, but for files that changed.
Expected<Case> CaseOf(const SweepPlan& plan, const SweepPoint& point);

// The load of one cell of this rung: shared where it is the whole trace as it stands.
std::shared_ptr<const traces::Trace> LoadFor(const SweepPlan& plan, const Case& input,
                                             const Rung& rung);

// The points of rung `rung`'s cells, in order. Those of a later rung are the best of the one
// before, whose cells `before` holds, by number.
std::vector<std::size_t> PointsOf(const SweepPlan& plan, std::size_t rung,
                                  const std::vector<const SweepCell*>& before);

}  // namespace tidegate::sim
