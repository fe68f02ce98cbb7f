#include "sim/runner/sweep_plan.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "scheduler/config/yaml_tree.h"
#include "sim/faults/chance.h"
#include "sim/report/measures.h"
#include "sim/runner/checksum.h"

namespace tidegate::sim {
namespace {

using config::Node;
using config::Problem;
using config::Problems;

constexpr std::size_t kMostPoints = 100'000;
constexpr std::size_t kMostBadPoints = 5;  // that are shown

// A number of the range, `share` of the way from its beginning to its end.
Node NumberAt(const ValueRange& range, double share) {
  const double value = range.logarithmic ? range.from * std::pow(range.to / range.from, share)
                                         : range.from + (range.to - range.from) * share;
  Node node;
  node.kind = Node::Kind::kScalar;
  node.text = fmt::format("{:.6g}{}", range.whole ? std::round(value) : value, range.unit);
  return node;
}

std::vector<Node> GridValues(const SweptField& field) {
  if (!field.range) return field.values;
  std::vector<Node> values;
  for (int i = 0; i < field.range->steps; ++i) {
    values.push_back(NumberAt(*field.range, static_cast<double>(i) / (field.range->steps - 1)));
    // Whole numbers of a short range fall together.
    if (values.size() > 1 && values[values.size() - 2].text == values.back().text)
      values.pop_back();
  }
  return values;
}

std::string TextOf(const Node& node) {
  return node.kind == Node::Kind::kScalar ? node.text : config::CanonicalText(node);
}

void AddPoint(std::vector<Node> values, std::vector<SweepPoint>& points) {
  SweepPoint point{std::move(values), {}};
  for (const Node& node : point.values) point.texts.push_back(TextOf(node));
  points.push_back(std::move(point));
}

// All combinations, the last field's values changing fastest. Empty where there are too many.
std::vector<SweepPoint> GridPoints(const Sweep& sweep) {
  std::vector<std::vector<Node>> choices;
  std::size_t count = 1;
  for (const SweptField& field : sweep.fields) {
    choices.push_back(GridValues(field));
    count *= choices.back().size();
    if (count > kMostPoints) return {};
  }
  std::vector<SweepPoint> points;
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<Node> values(choices.size());
    std::size_t rest = i;
    for (std::size_t f = choices.size(); f-- > 0;) {
      values[f] = choices[f][rest % choices[f].size()];
      rest /= choices[f].size();
    }
    AddPoint(std::move(values), points);
  }
  return points;
}

// Each value by itself, from the sweep's seed, the field's path and the point's number.
std::vector<SweepPoint> DrawnPoints(const Sweep& sweep) {
  const Chance chance(sweep.seed);
  std::vector<SweepPoint> points;
  for (int i = 0; i < sweep.points; ++i) {
    std::vector<Node> values;
    for (const SweptField& field : sweep.fields) {
      const std::uint64_t roll = chance.Roll("point", field.path.text, i);
      const double share = static_cast<double>(roll >> 11U) * 0x1p-53;  // 0 <= share < 1
      values.push_back(field.range ? NumberAt(*field.range, share)
                                   : field.values[roll % field.values.size()]);
    }
    AddPoint(std::move(values), points);
  }
  return points;
}

std::vector<Rung> RungsOf(const Sweep& sweep, std::size_t points) {
  if (sweep.search != Search::kHalving) return {{points, 1, sweep.replications}};
  std::vector<Rung> rungs;
  const Halving& halving = sweep.halving;
  for (int i = 0; i < halving.rungs; ++i) {
    const double part = std::pow(halving.factor, i + 1 - halving.rungs);
    const bool trace = halving.resource == Resource::kTrace;
    const int runs = static_cast<int>(std::ceil(sweep.replications * part - 1e-9));
    rungs.push_back({points, trace ? part : 1, trace ? sweep.replications : std::max(1, runs)});
    const auto factor = static_cast<std::size_t>(halving.factor);
    points = (points + factor - 1) / factor;
  }
  return rungs;
}

struct Built {
  LoadedCase loaded;
  std::vector<std::pair<std::size_t, Error>> misses;  // fields by index whose path leads nowhere
};

// The case with these fields set.
Built Build(const Sweep& sweep, const Sources& base, const SweepPoint& point,
            const std::vector<std::size_t>& fields) {
  Built built;
  Sources sources = base;
  for (const std::size_t i : fields) {
    auto set = SetField(sweep.fields[i].path, point.values[i], sources);
    if (!set) built.misses.emplace_back(i, std::move(set).error());
  }
  LoadedScenario scenario = LoadScenario(sources.scenario);
  config::Compiled compiled = config::Compile(config::LoadDocuments(sources.manifests, {}));
  for (const Problems* problems : {&scenario.problems, &compiled.problems}) {
    for (const Problem& problem : problems->list()) built.loaded.problems.Add(problem);
  }
  built.loaded.value = {std::move(scenario.scenario), std::move(compiled.config)};
  return built;
}

std::string Said(const Problem& problem) {
  return problem.field.empty() ? problem.message
                               : fmt::format("{}: {}", problem.field, problem.message);
}

// Tries each value of each field alone, which names the field that is to blame.
void CheckFields(const MadePlan& made, const std::vector<SweepPoint>& points, Problems& problems) {
  const SweepPlan& plan = made.plan;
  for (std::size_t i = 0; i < plan.sweep.fields.size(); ++i) {
    const SweptField& field = plan.sweep.fields[i];
    std::set<std::string> tried, said;
    for (const SweepPoint& point : points) {
      if (!tried.insert(point.texts[i]).second) continue;
      const Built built = Build(plan.sweep, plan.sources, point, {i});
      for (const auto& [index, error] : built.misses)
        problems.Add(field.at, field.path.text, error.message);
      for (const Problem& problem : built.loaded.problems.list()) {
        // What is wrong with the path is wrong for every value.
        if (!said.insert(Said(problem)).second) continue;
        problems.Add(field.at, fmt::format("{} = {}", field.path.text, point.texts[i]),
                     Said(problem));
      }
      // The same way leads nowhere for the others too.
      if (!built.misses.empty()) break;
    }
  }
}

std::string PointText(const Sweep& sweep, const SweepPoint& point) {
  std::string text;
  for (std::size_t i = 0; i < sweep.fields.size(); ++i) {
    text += fmt::format("{}{} = {}", i == 0 ? "" : ", ", sweep.fields[i].path.text, point.texts[i]);
  }
  return text;
}

// A measure that the objective needs and this mode doesn't know.
const Measure* Unknown(const Ranking& objective, Mode mode) {
  if (mode == Mode::kRequests) return nullptr;
  if (objective.measure && Measures()[*objective.measure].of_requests)
    return &Measures()[*objective.measure];
  for (const Ranking::Limit& limit : objective.limits) {
    if (Measures()[limit.measure].of_requests) return &Measures()[limit.measure];
  }
  return nullptr;
}

// Tries every point, and reads the traces that they name.
void CheckPoints(SweepPlan& plan, const std::string& file, TraceShelf& shelf, Problems& problems) {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < plan.sweep.fields.size(); ++i) all.push_back(i);
  std::size_t bad = 0;
  for (const SweepPoint& point : plan.points) {
    const Built built = Build(plan.sweep, plan.sources, point, all);
    for (const Problem& problem : built.loaded.problems.list())
      problems.Add({file, 0, 0, PointText(plan.sweep, point), Said(problem)});
    const Measure* unknown = Unknown(plan.sweep.objective, built.loaded.value.scenario.mode);
    if (built.loaded.problems.empty() && unknown != nullptr) {
      problems.Add(
          {file, 0, 0, PointText(plan.sweep, point),
           fmt::format("spec.objective: {} is known in mode requests only", unknown->name)});
    }
    const bool good = built.loaded.problems.empty() && unknown == nullptr;
    if (!good && ++bad == kMostBadPoints) return;
    for (const auto& [pool, own] : built.loaded.value.scenario.pools) {
      if (own.trace) plan.traces.emplace(own.trace_file, own.trace);
    }
    const std::string& trace = built.loaded.value.scenario.trace;
    if (trace.empty() || plan.traces.contains(trace)) continue;
    auto read = shelf.Get(trace);
    if (!read) {
      problems.Add({file, 0, 0, PointText(plan.sweep, point), read.error().message});
      return;
    }
    plan.traces.emplace(trace, *std::move(read));
  }
}

std::string Fingerprint(const SweepPlan& plan) {
  Checksum sum;
  sum.Add("1");  // of the form of results
  sum.Add(plan.sweep.canonical);
  sum.Add(config::CanonicalText(plan.sources.scenario.root));
  for (const config::Document& document : plan.sources.manifests)
    sum.Add(config::CanonicalText(*document.root));
  for (const auto& [file, trace] : plan.traces) {
    sum.Add(fmt::format("{}", trace->bin.count()));
    for (const double requests : trace->requests)
      sum.Add({reinterpret_cast<const char*>(&requests), sizeof requests});
  }
  for (const Measure& measure : Measures()) sum.Add(measure.name);
  return sum.text();
}

}  // namespace

std::size_t SweepPlan::Cells() const {
  std::size_t cells = 0;
  for (const Rung& rung : rungs) cells += rung.cells;
  return cells;
}

MadePlan MakePlan(const std::string& sweep_file) {
  MadePlan made;
  LoadedSweep loaded = LoadSweep(sweep_file);
  made.problems = std::move(loaded.problems);
  if (!made.problems.empty()) return made;
  SweepPlan& plan = made.plan;
  plan.sweep = std::move(loaded.sweep);
  plan.sources.scenario = ReadScenario(plan.sweep.scenario);
  const LoadedScenario base = LoadScenario(plan.sources.scenario);
  made.problems = base.problems;
  if (!made.problems.empty()) return made;
  const config::Compiled manifests =
      config::Compile(config::Load(base.scenario.manifests, {}, &plan.sources.manifests));
  made.problems = manifests.problems;
  if (!made.problems.empty()) return made;
  plan.points =
      plan.sweep.search == Search::kGrid ? GridPoints(plan.sweep) : DrawnPoints(plan.sweep);
  if (plan.points.empty()) {
    made.problems.Add({sweep_file, 0, 0, "spec.fields",
                       fmt::format("the grid has more than {} points", kMostPoints)});
    return made;
  }
  CheckFields(made, plan.points, made.problems);
  TraceShelf shelf;
  if (made.problems.empty()) CheckPoints(plan, sweep_file, shelf, made.problems);
  plan.rungs = RungsOf(plan.sweep, plan.points.size());
  if (made.problems.empty()) plan.fingerprint = Fingerprint(plan);
  return made;
}

Expected<Case> CaseOf(const SweepPlan& plan, const SweepPoint& point) {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < plan.sweep.fields.size(); ++i) all.push_back(i);
  Built built = Build(plan.sweep, plan.sources, point, all);
  if (built.misses.empty() && built.loaded.problems.empty()) return std::move(built.loaded.value);
  return Fail(ErrorCode::kInternal, "a point that was good is bad now");
}

std::shared_ptr<const traces::Trace> LoadFor(const SweepPlan& plan, const Case& input,
                                             const Rung& rung) {
  auto trace = plan.traces.at(input.scenario.trace);
  if (rung.share < 1) {
    const auto bins = std::ceil(static_cast<double>(trace->requests.size()) * rung.share);
    traces::Trace part{trace->bin, {}};
    part.requests.assign(
        trace->requests.begin(),
        trace->requests.begin() + std::max<std::ptrdiff_t>(1, static_cast<std::ptrdiff_t>(bins)));
    trace = std::make_shared<const traces::Trace>(std::move(part));
  }
  return LoadOf(input.scenario, std::move(trace));
}

std::vector<std::size_t> PointsOf(const SweepPlan& plan, std::size_t rung,
                                  const std::vector<const SweepCell*>& before) {
  std::vector<std::size_t> points;
  if (rung == 0) {
    for (std::size_t i = 0; i < plan.points.size(); ++i) points.push_back(i);
    return points;
  }
  for (const SweepCell* cell : Ranked(before, plan.sweep.objective)) {
    if (points.size() < plan.rungs[rung].cells) points.push_back(cell->point);
  }
  std::ranges::sort(points);
  return points;
}

}  // namespace tidegate::sim
