#include "sim/report/sweep_result.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "sim/report/measures.h"
#include "sim/report/statistics.h"

namespace tidegate::sim {
namespace {

namespace json = boost::json;

constexpr double kConfidence = 0.95;
constexpr std::size_t kMostRows = 30;

Estimate Of(const SweepCell& cell, std::size_t measure) {
  std::vector<double> values;
  for (const auto& run : cell.runs) values.push_back(run[measure]);
  return MeanInterval(values, kConfidence);
}

// How far a cell misses the limits, each as a share of the limit; 0: it keeps them all.
double Missed(const SweepCell& cell, const Ranking& objective) {
  double missed = 0;
  for (const Ranking::Limit& limit : objective.limits) {
    const double mean = Of(cell, limit.measure).mean;
    // What nobody knows can't be relied on.
    if (std::isnan(mean)) return std::numeric_limits<double>::infinity();
    const double over =
        Measures()[limit.measure].less_is_better ? mean - limit.value : limit.value - mean;
    if (over > 0) missed += over / std::max(1e-9, std::fabs(limit.value));
  }
  return missed;
}

struct Standing {
  const SweepCell* cell;
  double missed;
  double value;  // less is better
};

std::string Number(double value) {
  return std::fabs(value) >= 10'000 ? fmt::format("{:.0f}", value) : fmt::format("{:.5g}", value);
}

std::string Text(const Estimate& estimate) {
  if (std::isnan(estimate.mean)) return "-";
  if (!std::isfinite(estimate.half_width) || estimate.half_width == 0) return Number(estimate.mean);
  return fmt::format("{} ± {}", Number(estimate.mean), Number(estimate.half_width));
}

std::size_t Width(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string Lines(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows[0].size(), 0);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) text += fmt::format("{:<{}}  ", row[i], widths[i]);
    text.erase(text.find_last_not_of(' ') + 1);
    text += "\n";
  }
  return text;
}

// The shortest end of a path, from a dot on, that no other field's path ends in.
std::string ShortName(const std::vector<std::string>& fields, std::size_t index) {
  const std::string& path = fields[index];
  std::size_t at = path.rfind('.');
  while (at != std::string::npos && at > 0) {
    const std::string_view end = std::string_view(path).substr(at);
    const auto same = std::ranges::count_if(
        fields, [&](const std::string& other) { return other.ends_with(end); });
    if (same == 1) return path.substr(at + 1);
    at = path.rfind('.', at - 1);
  }
  return path;
}

// Cells of the last rung, best first.
std::vector<const SweepCell*> Finalists(const SweepResult& result) {
  const std::size_t last = result.rungs.empty() ? 0 : result.rungs.back().cells;
  std::vector<const SweepCell*> cells;
  for (const SweepCell& cell : result.cells) {
    if (cell.number + last >= result.cells.size()) cells.push_back(&cell);
  }
  return Ranked(cells, result.objective);
}

// Those that any of the cells knows.
std::vector<std::size_t> KnownMeasures(const std::vector<const SweepCell*>& cells) {
  std::vector<std::size_t> known;
  for (std::size_t i = 0; i < Measures().size(); ++i) {
    const bool any = std::ranges::any_of(
        cells, [&](const SweepCell* cell) { return !std::isnan(Of(*cell, i).mean); });
    if (any || cells.empty()) known.push_back(i);
  }
  return known;
}

std::size_t RungOf(const SweepResult& result, std::size_t number) {
  std::size_t rung = 0;
  for (; rung + 1 < result.rungs.size() && number >= result.rungs[rung].cells; ++rung)
    number -= result.rungs[rung].cells;
  return rung;
}

json::object CellJson(const SweepResult& result, const SweepCell& cell) {
  json::object fields, measures;
  for (std::size_t i = 0; i < result.fields.size(); ++i) fields[result.fields[i]] = cell.values[i];
  for (std::size_t i = 0; i < Measures().size(); ++i) {
    const Estimate estimate = Of(cell, i);
    const bool known = std::isfinite(estimate.half_width);
    measures[Measures()[i].name] =
        json::object{{"mean", std::isnan(estimate.mean) ? json::value() : estimate.mean},
                     {"low", known ? json::value(estimate.low()) : json::value(nullptr)},
                     {"high", known ? json::value(estimate.high()) : json::value(nullptr)}};
  }
  return {{"cell", cell.number},
          {"rung", RungOf(result, cell.number)},
          {"point", cell.point},
          {"fields", std::move(fields)},
          {"runs", cell.runs.size()},
          {"keepsLimits", Keeps(cell, result.objective)},
          {"measures", std::move(measures)}};
}

}  // namespace

const char* Name(Search search) {
  switch (search) {
    case Search::kGrid: return "grid";
    case Search::kRandom: return "random";
    case Search::kHalving: return "halving";
  }
  return "";
}

bool Keeps(const SweepCell& cell, const Ranking& objective) { return Missed(cell, objective) == 0; }

std::vector<const SweepCell*> Ranked(const std::vector<const SweepCell*>& cells,
                                     const Ranking& objective) {
  if (!objective.measure) return cells;
  std::vector<Standing> standings;
  for (const SweepCell* cell : cells) {
    const double mean = Of(*cell, *objective.measure).mean;
    const bool less = Measures()[*objective.measure].less_is_better;
    const double value = std::isnan(mean) ? std::numeric_limits<double>::infinity()
                         : less           ? mean
                                          : -mean;
    standings.push_back({cell, Missed(*cell, objective), value});
  }
  std::ranges::sort(standings, [](const Standing& a, const Standing& b) {
    if (a.missed != b.missed) return a.missed < b.missed;
    if (a.value != b.value) return a.value < b.value;
    return a.cell->number < b.cell->number;
  });
  std::vector<const SweepCell*> ranked;
  for (const Standing& standing : standings) ranked.push_back(standing.cell);
  return ranked;
}

std::string ToTable(const SweepResult& result) {
  const auto cells = Finalists(result);
  const std::vector<std::size_t> known = KnownMeasures(cells);
  std::string text = fmt::format("sweep {}   {}   {} cells", result.name, Name(result.search),
                                 result.cells.size());
  if (result.objective.measure) {
    text += fmt::format("   best first by {}", Measures()[*result.objective.measure].name);
  }
  if (!cells.empty() && cells[0]->runs.size() > 1) {
    text += fmt::format("   {} runs each, intervals at 95 %", cells[0]->runs.size());
  }
  std::vector<std::vector<std::string>> rows(1, {"cell"});
  for (std::size_t i = 0; i < result.fields.size(); ++i)
    rows[0].push_back(ShortName(result.fields, i));
  for (const std::size_t measure : known) rows[0].emplace_back(Measures()[measure].name);
  if (!result.objective.limits.empty()) rows[0].emplace_back("limits");
  for (const SweepCell* cell : cells) {
    if (rows.size() > kMostRows) break;
    rows.push_back({fmt::format("{}", cell->number)});
    for (const std::string& value : cell->values) rows.back().push_back(value);
    for (const std::size_t measure : known) rows.back().push_back(Text(Of(*cell, measure)));
    if (!result.objective.limits.empty())
      rows.back().emplace_back(Keeps(*cell, result.objective) ? "kept" : "missed");
  }
  text += "\n\n" + Lines(rows);
  if (cells.size() > kMostRows)
    text += fmt::format("and {} more; --output json has all\n", cells.size() - kMostRows);
  return text;
}

std::string ToJson(const SweepResult& result) {
  json::array cells, rungs;
  for (const SweepCell& cell : result.cells) cells.push_back(CellJson(result, cell));
  for (const Rung& rung : result.rungs) {
    rungs.push_back(json::object{
        {"cells", rung.cells}, {"traceShare", rung.share}, {"replications", rung.replications}});
  }
  json::object object{{"sweep", result.name},
                      {"search", Name(result.search)},
                      {"rungs", std::move(rungs)},
                      {"confidence", kConfidence}};
  if (result.objective.measure) {
    json::array ranking;
    for (const SweepCell* cell : Finalists(result)) ranking.push_back(cell->number);
    object["ranking"] = std::move(ranking);
  }
  object["cells"] = std::move(cells);
  return json::serialize(object);
}

}  // namespace tidegate::sim
