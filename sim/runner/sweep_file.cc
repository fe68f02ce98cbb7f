#include "sim/runner/sweep_file.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "scheduler/config/fields.h"
#include "sim/report/measures.h"
#include "sim/runner/yaml_file.h"

namespace tidegate::sim {
namespace {

using config::Fields;
using config::Value;

constexpr std::size_t kMostFields = 32;
constexpr std::size_t kMostValues = 10'000;  // of one field

std::vector<std::string_view> MeasureNames() {
  std::vector<std::string_view> names;
  for (const Measure& measure : Measures()) names.push_back(measure.name);
  return names;
}

std::optional<double> AmountOf(Fields& fields, std::string_view key) {
  const auto value = fields.Need(key);
  const auto amount = value ? value->Amount() : std::nullopt;
  return amount ? std::optional(amount->value()) : std::nullopt;
}

ValueRange ReadRange(const Value& value) {
  static constexpr std::array<std::string_view, 2> kScales = {"linear", "log"};
  ValueRange range;
  Fields fields(value);
  const auto from = AmountOf(fields, "from");
  const auto to = AmountOf(fields, "to");
  fields.Int("steps", {2, 10'000, "a number of values"}, &range.steps);
  fields.Choice("scale", kScales, &range.logarithmic);
  fields.Bool("whole", &range.whole);
  fields.Text("unit", &range.unit);
  fields.Finish();
  if (!from || !to) return range;
  range.from = *from;
  range.to = *to;
  if (range.from >= range.to) value.Complain("expected from below to");
  if (range.logarithmic && range.from <= 0) value.Complain("a log scale begins above 0");
  return range;
}

SweptField ReadField(const Value& value) {
  SweptField field;
  field.at = value.at();
  Fields fields(value);
  if (const auto path = fields.Need("field")) {
    field.at = path->at();
    if (const auto text = path->Text()) {
      auto parsed = ParseFieldPath(*text);
      if (parsed)
        field.path = *std::move(parsed);
      else
        path->Complain(parsed.error().message);
    }
  }
  const auto values = fields.Get("values");
  const auto range = fields.Get("range");
  fields.Finish();
  if (values.has_value() == range.has_value()) {
    value.Complain("expected either values or a range");
  } else if (range) {
    field.range = ReadRange(*range);
  } else {
    const auto items = values->Items(kMostValues);
    field.values.assign(items.begin(), items.end());
    if (items.empty() && values->node().kind == config::Node::Kind::kList)
      values->Complain("expected at least one value");
  }
  return field;
}

void ReadFields(const Value& value, Sweep* sweep) {
  const auto items = value.Items(kMostFields);
  if (items.empty()) return value.Complain("expected at least one field");
  std::set<std::string> seen;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Value item(value.context(), items[i], config::Path(value.path(), i));
    sweep->fields.push_back(ReadField(item));
    const std::string& path = sweep->fields.back().path.text;
    if (!path.empty() && !seen.insert(path).second) item.Complain("this field is swept twice");
    const auto& range = sweep->fields.back().range;
    if (range && range->steps == 0 && sweep->search == Search::kGrid)
      item.Complain("a grid needs to know the range's steps");
  }
}

Ranking ReadObjective(const Value& value) {
  Ranking objective;
  const auto names = MeasureNames();
  Fields fields(value);
  if (const auto optimize = fields.Need("optimize")) objective.measure = optimize->Choice(names);
  if (const auto limits = fields.Get("limits")) {
    Fields each(*limits);
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto limit = each.Get(names[i]);
      const auto amount = limit ? limit->Amount() : std::nullopt;
      if (amount) objective.limits.push_back({i, amount->value()});
    }
    each.Finish();
  }
  fields.Finish();
  return objective;
}

Halving ReadHalving(const Value& value) {
  static constexpr std::array<std::string_view, 2> kResources = {"trace", "replications"};
  Halving halving;
  Fields fields(value);
  fields.Int("factor", {2, 100, "a factor"}, &halving.factor);
  fields.Int("rungs", {2, 10, "a number of rungs"}, &halving.rungs);
  fields.Choice("resource", kResources, &halving.resource);
  fields.Finish();
  return halving;
}

// Parts that only some searches have.
void ReadSearch(Fields& fields, const Value& spec, Sweep* sweep) {
  static constexpr std::array<std::string_view, 3> kSearches = {"grid", "random", "halving"};
  fields.Choice("search", kSearches, &sweep->search);
  fields.Int("points", {1, 100'000, "a number of points"}, &sweep->points);
  if (const auto halving = fields.Get("halving")) {
    sweep->halving = ReadHalving(*halving);
    if (sweep->search != Search::kHalving) halving->Complain("is of use with search: halving only");
  }
  if (const auto objective = fields.Get("objective")) sweep->objective = ReadObjective(*objective);
  if (sweep->search == Search::kGrid && sweep->points > 0)
    spec.Complain("a grid has the points that its fields make; leave points out");
  if (sweep->search != Search::kGrid && sweep->points == 0)
    spec.Complain(fmt::format("a {} search needs points", Name(sweep->search)));
  if (sweep->search == Search::kHalving && !sweep->objective.measure)
    spec.Complain("halving needs an objective to choose by");
}

void ReadSpec(const Value& value, const std::string& file, Sweep* sweep) {
  Fields fields(value);
  if (const auto scenario = fields.Need("scenario")) {
    if (const auto text = scenario->Text()) {
      const auto beside = std::filesystem::path(file).parent_path() / *text;
      sweep->scenario = beside.lexically_normal().string();
    }
  }
  ReadSearch(fields, value, sweep);
  fields.Int("replications", {1, 10'000, "a number of runs"}, &sweep->replications);
  if (const auto seed = fields.Get("seed")) {
    const auto number = seed->Integer({0, INT64_MAX, "a seed"});
    if (number) sweep->seed = static_cast<std::uint64_t>(*number);
  }
  if (const auto swept = fields.Need("fields")) ReadFields(*swept, sweep);
  fields.Finish();
}

void ReadDocument(const Value& document, const std::string& file, Sweep* sweep) {
  Fields fields(document);
  std::string version, kind;
  fields.Text("apiVersion", &version);
  fields.Text("kind", &kind);
  if (version != "tidegate.dev/v1alpha1" || kind != "Sweep") {
    document.Complain("expected kind Sweep of tidegate.dev/v1alpha1");
    return;
  }
  if (const auto metadata = fields.Need("metadata")) {
    Fields names(*metadata);
    if (const auto name = names.Need("name")) {
      sweep->name = name->Text().value_or("");
      // It names files.
      if (sweep->name.empty() || sweep->name.find('/') != std::string::npos)
        name->Expect("a name without slashes");
    }
    names.Finish();
  }
  if (const auto spec = fields.Need("spec")) ReadSpec(*spec, file, sweep);
  fields.Finish();
}

}  // namespace

LoadedSweep LoadSweep(const std::string& path) {
  LoadedSweep loaded;
  if (const auto document = ReadOneDocument(path, "of kind Sweep", loaded.problems)) {
    const config::Context context{document->file, &loaded.problems};
    const Value root(context, document->node, config::Path());
    ReadDocument(root, path, &loaded.sweep);
    loaded.sweep.canonical = config::CanonicalText(document->node);
  }
  loaded.problems.Sort();
  return loaded;
}

}  // namespace tidegate::sim
