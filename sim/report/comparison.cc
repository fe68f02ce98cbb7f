#include "sim/report/comparison.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "policies/base/check.h"
#include "sim/report/measures.h"

namespace tidegate::sim {
namespace {

namespace json = boost::json;
using Series = std::vector<std::vector<double>>;

constexpr std::size_t kBatches = 20;

struct OverTime {
  std::string_view name;
  std::string_view title;
  Series Contender::*series;
};
constexpr std::array<OverTime, 2> kOverTime = {{
    {"meanLive", "mean live and draining", &Contender::live},
    {"meanBacklog", "mean requests inside", &Contender::backlog},
}};

// Values that nobody knows are equal, unlike NaNs.
bool Equal(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

bool AllEqual(const Series& runs) {
  return std::ranges::all_of(
      runs, [&](const auto& run) { return std::ranges::equal(run, runs.front(), Equal); });
}

// Whether runs with other seeds came out differently at all.
bool RunsVary(const std::vector<Contender>& contenders) {
  return std::ranges::any_of(contenders, [](const Contender& c) {
    return !AllEqual(c.measures) || !AllEqual(c.live) || !AllEqual(c.backlog);
  });
}

// Stretches to leave out in every contender, so that what is left is paired.
std::size_t StretchesToCut(const std::vector<Contender>& contenders, const WarmUpRule& rule,
                           std::vector<std::string>& notes) {
  std::size_t cut = 0;
  for (const Contender& contender : contenders) {
    const std::size_t stretches = contender.live[0].size();
    if (rule.kind == WarmUpRule::Kind::kNone || stretches == 0) continue;
    if (rule.kind == WarmUpRule::Kind::kFixed) {
      const double share = std::min(1.0, Seconds(rule.fixed) / Seconds(contender.length));
      cut = std::max(cut,
                     static_cast<std::size_t>(std::ceil(share * static_cast<double>(stretches))));
      continue;
    }
    std::vector<double> mean(stretches, 0);
    for (const auto& run : contender.live) {
      for (std::size_t i = 0; i < stretches; ++i) mean[i] += run[i];
    }
    const WarmUp found = FindWarmUp(mean);
    if (!found.settled) {
      notes.push_back(fmt::format(
          "{} settles nowhere in its first half (MSER-5), so no warm-up was left out: means over "
          "time are those of this load and of no steady state",
          contender.name));
      return 0;
    }
    cut = std::max(cut, found.values);
  }
  return cut;
}

std::vector<double> Column(const Series& runs, std::size_t measure) {
  std::vector<double> values;
  for (const auto& run : runs) values.push_back(run[measure]);
  return values;
}

// Adds a row whose values are one number for each run of each contender.
ComparisonRow RowOfRuns(const std::vector<std::vector<double>>& values, double confidence) {
  ComparisonRow row;
  row.basis = values[0].size() > 1 ? ComparisonRow::Basis::kRuns : ComparisonRow::Basis::kNone;
  for (std::size_t i = 0; i < values.size(); ++i) {
    row.values.push_back(MeanInterval(values[i], confidence));
    row.differences.push_back(
        i == 0 ? std::nullopt : std::optional(PairedDifference(values[0], values[i], confidence)));
  }
  return row;
}

// The same from stretches of each contender's first run.
ComparisonRow RowOfBatches(const std::vector<std::vector<double>>& series, double confidence) {
  ComparisonRow row;
  row.basis = ComparisonRow::Basis::kBatches;
  for (std::size_t i = 0; i < series.size(); ++i) {
    row.values.push_back(BatchMeans(series[i], kBatches, confidence));
    row.differences.push_back(std::nullopt);
    if (i == 0 || series[i].size() != series[0].size()) continue;
    std::vector<double> apart;
    for (std::size_t k = 0; k < series[i].size(); ++k) apart.push_back(series[i][k] - series[0][k]);
    row.differences.back() = BatchMeans(apart, kBatches, confidence);
  }
  return row;
}

ComparisonRow RowOverTime(const std::vector<Contender>& contenders, Series Contender::*series,
                          std::size_t cut, bool by_runs, double confidence) {
  std::vector<std::vector<double>> means;
  std::vector<std::vector<double>> rests;
  bool batches = !by_runs;
  for (const Contender& contender : contenders) {
    means.emplace_back();
    for (const auto& run : contender.*series) {
      const auto rest = std::span(run).subspan(std::min(cut, run.size()));
      means.back().push_back(rest.empty() ? 0 : Mean(rest));
      if (means.back().size() == 1) rests.emplace_back(rest.begin(), rest.end());
    }
    batches = batches && rests.back().size() >= kBatches && rests.back().size() == rests[0].size();
  }
  return batches ? RowOfBatches(rests, confidence) : RowOfRuns(means, confidence);
}

bool SameLength(const std::vector<Contender>& contenders) {
  return std::ranges::all_of(contenders,
                             [&](const Contender& c) { return c.length == contenders[0].length; });
}

std::string Number(double value) {
  if (std::fabs(value) >= 1'000) return fmt::format("{:.0f}", value);
  const std::string text = fmt::format("{:.3f}", value);
  return text == "-0.000" ? "0.000" : text;
}

std::string Cell(const Estimate& estimate) {
  if (std::isnan(estimate.mean)) return "-";
  if (std::isinf(estimate.half_width)) return Number(estimate.mean);
  return fmt::format("{} ± {}", Number(estimate.mean), Number(estimate.half_width));
}

std::string_view Verdict(const ComparisonRow& row, const Estimate& difference) {
  if (!std::isfinite(difference.half_width)) return "";
  if (difference.mean == 0 && difference.half_width == 0) return "same";
  if (!difference.Excludes(0)) return "open";
  return (difference.mean < 0) == row.less_is_better ? "better" : "worse";
}

std::string DifferenceCell(const ComparisonRow& row, std::size_t contender) {
  const auto& difference = row.differences[contender];
  if (!difference || std::isnan(difference->mean)) return "-";
  const std::string sign = difference->mean > 0 ? "+" : "";
  return fmt::format("{}{}  {}", sign, Cell(*difference), Verdict(row, *difference));
}

// Characters; a continuation byte of UTF-8 is none.
std::size_t Width(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

// Columns of equal width, counted as fmt counts.
std::string Line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i)
    line += fmt::format("{:<{}}  ", cells[i], widths[i]);
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

json::value Finite(double value) {
  return std::isfinite(value) ? json::value(value) : json::value(nullptr);
}

json::object EstimateJson(const Estimate& estimate) {
  return {{"mean", Finite(estimate.mean)},
          {"low", Finite(estimate.low())},
          {"high", Finite(estimate.high())},
          {"count", estimate.count}};
}

const char* Name(ComparisonRow::Basis basis) {
  switch (basis) {
    case ComparisonRow::Basis::kRuns: return "runs";
    case ComparisonRow::Basis::kBatches: return "batches";
    case ComparisonRow::Basis::kNone: break;
  }
  return "none";
}

json::object RowJson(const Comparison& comparison, const ComparisonRow& row) {
  json::array values, differences;
  for (std::size_t i = 0; i < row.values.size(); ++i) {
    json::object value = EstimateJson(row.values[i]);
    value["scenario"] = comparison.names[i];
    values.push_back(std::move(value));
    if (i == 0) continue;
    json::object difference;
    if (row.differences[i]) {
      difference = EstimateJson(*row.differences[i]);
      difference["verdict"] = std::string(Verdict(row, *row.differences[i]));
    }
    difference["scenario"] = comparison.names[i];
    differences.push_back(std::move(difference));
  }
  return {{"name", row.name},
          {"lessIsBetter", row.less_is_better},
          {"intervalsFrom", Name(row.basis)},
          {"values", std::move(values)},
          {"differences", std::move(differences)}};
}

}  // namespace

Comparison Compare(const std::vector<Contender>& contenders, double confidence,
                   const WarmUpRule& warm_up) {
  TIDEGATE_CHECK(contenders.size() >= 2 && !contenders[0].measures.empty(), "nothing to compare");
  Comparison comparison;
  comparison.runs = contenders[0].measures.size();
  comparison.confidence = confidence;
  for (const Contender& contender : contenders) comparison.names.push_back(contender.name);
  const bool vary = RunsVary(contenders);
  if (comparison.runs > 1 && !vary) {
    comparison.notes.emplace_back(
        "no run differs from another: nothing in these scenarios is drawn, so one run is exact and "
        "intervals over time come from stretches of it");
  }
  for (std::size_t m = 0; m < Measures().size(); ++m) {
    std::vector<std::vector<double>> values;
    for (const Contender& contender : contenders) values.push_back(Column(contender.measures, m));
    ComparisonRow row = RowOfRuns(values, confidence);
    row.name = Measures()[m].name;
    row.title = Measures()[m].title;
    row.less_is_better = Measures()[m].less_is_better;
    const bool known = std::ranges::any_of(
        row.values, [](const Estimate& value) { return !std::isnan(value.mean); });
    if (known) comparison.rows.push_back(std::move(row));
  }
  const bool same_length = SameLength(contenders);
  for (const Contender& contender : contenders) {
    if (contender.base_load && contender.length == contenders[0].length) continue;
    comparison.notes.push_back(fmt::format(
        "{} has another load than {}: the difference is of both, load and configuration",
        contender.name, contenders[0].name));
  }
  const std::size_t cut = same_length ? StretchesToCut(contenders, warm_up, comparison.notes) : 0;
  const std::size_t stretches = std::max<std::size_t>(1, contenders[0].live[0].size());
  comparison.warm_up = FromSeconds(Seconds(contenders[0].length) * static_cast<double>(cut) /
                                   static_cast<double>(stretches));
  for (const OverTime& over : kOverTime) {
    ComparisonRow row = RowOverTime(contenders, over.series, cut, vary, confidence);
    row.name = over.name;
    row.title = over.title;
    comparison.rows.push_back(std::move(row));
  }
  return comparison;
}

std::string ToTable(const Comparison& comparison) {
  std::string text =
      fmt::format("{} run{} of each, the same seeds for all; intervals at {:g} %\n",
                  comparison.runs, comparison.runs == 1 ? "" : "s", comparison.confidence * 100);
  if (comparison.warm_up > Duration(0)) {
    text += fmt::format("warm-up: means over time leave the first {} out\n",
                        FormatDuration(comparison.warm_up));
  }
  std::vector<std::vector<std::string>> lines(1, {""});
  for (const std::string& name : comparison.names) lines[0].push_back(name);
  for (std::size_t i = 1; i < comparison.names.size(); ++i)
    lines[0].push_back(fmt::format("{} - {}", comparison.names[i], comparison.names[0]));
  for (const ComparisonRow& row : comparison.rows) {
    lines.push_back({std::string(row.title)});
    for (const Estimate& value : row.values) lines.back().push_back(Cell(value));
    for (std::size_t i = 1; i < row.values.size(); ++i)
      lines.back().push_back(DifferenceCell(row, i));
  }
  std::vector<std::size_t> widths(lines[0].size(), 0);
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], Width(line[i]));
  }
  text += "\n";
  for (const auto& line : lines) text += Line(line, widths);
  text += "\nopen: the interval holds 0, so chance alone may be the difference.\n";
  for (const std::string& note : comparison.notes) text += "note: " + note + ".\n";
  return text;
}

std::string ToJson(const Comparison& comparison) {
  json::array rows, notes, names;
  for (const ComparisonRow& row : comparison.rows) rows.push_back(RowJson(comparison, row));
  for (const std::string& note : comparison.notes) notes.emplace_back(note);
  for (const std::string& name : comparison.names) names.emplace_back(name);
  return json::serialize(json::object{{"scenarios", std::move(names)},
                                      {"runs", comparison.runs},
                                      {"confidence", comparison.confidence},
                                      {"warmUpSeconds", Seconds(comparison.warm_up)},
                                      {"measures", std::move(rows)},
                                      {"notes", std::move(notes)}});
}

}  // namespace tidegate::sim
