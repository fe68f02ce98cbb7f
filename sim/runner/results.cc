#include "sim/runner/results.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "sim/report/measures.h"
#include "sim/runner/checksum.h"

namespace tidegate::sim {
namespace {

namespace json = boost::json;

constexpr int kForm = 1;
constexpr std::uintmax_t kMostBytes = std::uintmax_t{1} << 30U;
constexpr std::size_t kSumDigits = 16;

std::string Sealed(const json::object& object) {
  const std::string text = json::serialize(object);
  Checksum sum;
  sum.Add(text);
  return fmt::format("{} {}\n", sum.text(), text);
}

// The JSON of a whole line with a good checksum.
std::optional<json::value> Unsealed(std::string_view line) {
  if (line.size() < kSumDigits + 2 || line[kSumDigits] != ' ') return std::nullopt;
  const std::string_view text = line.substr(kSumDigits + 1);
  Checksum sum;
  sum.Add(text);
  if (line.substr(0, kSumDigits) != sum.text()) return std::nullopt;
  json::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error);
  if (error) return std::nullopt;
  return value;
}

// The shortest text that reads back as the same number.
std::string Exact(double value) { return fmt::format("{}", value); }

std::optional<double> ParseExact(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string Joined(const std::vector<double>& values) {
  std::string text;
  for (const double value : values) text += (text.empty() ? "" : " ") + Exact(value);
  return text;
}

std::optional<std::vector<double>> ParseJoined(std::string_view text) {
  std::vector<double> values;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const auto value = ParseExact(text.substr(0, end));
    if (!value) return std::nullopt;
    values.push_back(*value);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return values;
}

json::array Texts(const std::vector<std::string>& texts) {
  json::array array;
  for (const std::string& text : texts) array.emplace_back(text);
  return array;
}

std::vector<std::string> Texts(const json::value& value) {
  std::vector<std::string> texts;
  for (const json::value& text : value.as_array()) texts.emplace_back(text.as_string());
  return texts;
}

json::object ObjectiveJson(const Ranking& objective) {
  json::array limits;
  for (const Ranking::Limit& limit : objective.limits)
    limits.push_back(json::array{limit.measure, Exact(limit.value)});
  json::object object{{"limits", std::move(limits)}};
  if (objective.measure) object["measure"] = *objective.measure;
  return object;
}

std::size_t MeasureIndex(const json::value& value) {
  const auto index = value.to_number<std::size_t>();
  if (index >= Measures().size()) throw std::out_of_range("no such measure");
  return index;
}

// These throw where the JSON has another form; their caller catches.
Ranking ObjectiveFrom(const json::value& value) {
  Ranking objective;
  if (const auto* measure = value.as_object().if_contains("measure"))
    objective.measure = MeasureIndex(*measure);
  for (const json::value& limit : value.at("limits").as_array()) {
    objective.limits.push_back(
        {MeasureIndex(limit.at(0)), ParseExact(limit.at(1).as_string()).value()});
  }
  return objective;
}

ResultsHeader HeaderFrom(const json::value& value) {
  ResultsHeader header;
  header.name = value.at("sweep").as_string();
  const auto search = value.at("search").to_number<std::size_t>();
  if (search > static_cast<std::size_t>(Search::kHalving))
    throw std::out_of_range("no such search");
  header.search = static_cast<Search>(search);
  header.fingerprint = value.at("fingerprint").as_string();
  header.objective = ObjectiveFrom(value.at("objective"));
  for (const json::value& rung : value.at("rungs").as_array()) {
    header.rungs.push_back({rung.at(0).to_number<std::size_t>(),
                            ParseExact(rung.at(1).as_string()).value(),
                            rung.at(2).to_number<int>()});
  }
  header.fields = Texts(value.at("fields"));
  header.shard = {value.at("shard").at(0).to_number<std::size_t>(),
                  value.at("shard").at(1).to_number<std::size_t>()};
  if (header.shard.index >= header.shard.count) throw std::out_of_range("no such shard");
  return header;
}

SweepCell CellFrom(const json::value& value) {
  SweepCell cell;
  cell.number = value.at("cell").to_number<std::size_t>();
  cell.point = value.at("point").to_number<std::size_t>();
  cell.values = Texts(value.at("values"));
  for (const json::value& run : value.at("runs").as_array())
    cell.runs.push_back(ParseJoined(run.as_string()).value());
  return cell;
}

bool Fits(const SweepCell& cell, const ResultsHeader& header) {
  std::size_t number = cell.number;
  std::size_t rung = 0;
  while (rung < header.rungs.size() && number >= header.rungs[rung].cells)
    number -= header.rungs[rung++].cells;
  return rung < header.rungs.size() && cell.values.size() == header.fields.size() &&
         cell.runs.size() == static_cast<std::size_t>(header.rungs[rung].replications) &&
         cell.point < header.rungs[0].cells && header.shard.Holds(cell.number) &&
         std::ranges::all_of(cell.runs,
                             [](const auto& run) { return run.size() == Measures().size(); });
}

std::optional<SweepCell> ParseCell(std::string_view line, const ResultsHeader& header) {
  const auto value = Unsealed(line);
  if (!value) return std::nullopt;
  try {
    SweepCell cell = CellFrom(*value);
    if (Fits(cell, header)) return cell;
  } catch (const std::exception&) {
    // A good checksum over another form: not ours.
  }
  return std::nullopt;
}

Expected<ResultsHeader> ParseHeader(std::string_view line) {
  const auto value = Unsealed(line);
  if (!value) return Fail(ErrorCode::kInvalid, "it is no file of a sweep's results");
  try {
    if (value->at("form").to_number<int>() != kForm)
      return Fail(ErrorCode::kInvalid, "another version of tidesim wrote it");
    const auto measures = Texts(value->at("measures"));
    const bool known = std::ranges::equal(measures, Measures(), {}, {}, &Measure::name);
    if (!known) return Fail(ErrorCode::kInvalid, "a tidesim with other measures wrote it");
    return HeaderFrom(*value);
  } catch (const std::exception&) {
    return Fail(ErrorCode::kInvalid, "it is no file of a sweep's results");
  }
}

}  // namespace

std::size_t ResultsHeader::Cells() const {
  std::size_t cells = 0;
  for (const Rung& rung : rungs) cells += rung.cells;
  return cells;
}

std::string HeaderLine(const ResultsHeader& header) {
  json::array rungs, measures;
  for (const Rung& rung : header.rungs)
    rungs.push_back(json::array{rung.cells, Exact(rung.share), rung.replications});
  for (const Measure& measure : Measures()) measures.emplace_back(measure.name);
  return Sealed({{"form", kForm},
                 {"sweep", header.name},
                 {"search", static_cast<std::size_t>(header.search)},
                 {"fingerprint", header.fingerprint},
                 {"objective", ObjectiveJson(header.objective)},
                 {"rungs", std::move(rungs)},
                 {"fields", Texts(header.fields)},
                 {"measures", std::move(measures)},
                 {"shard", json::array{header.shard.index, header.shard.count}}});
}

std::string CellLine(const SweepCell& cell) {
  json::array runs;
  for (const auto& run : cell.runs) runs.emplace_back(Joined(run));
  return Sealed({{"cell", cell.number},
                 {"point", cell.point},
                 {"values", Texts(cell.values)},
                 {"runs", std::move(runs)}});
}

Expected<Results> ParseResults(std::string_view text) {
  Results results;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    // A line without its end was cut off.
    const bool whole = end != std::string_view::npos;
    const std::string_view line = text.substr(0, whole ? end : 0);
    text.remove_prefix(whole ? end + 1 : text.size());
    if (++number == 1) {
      TIDEGATE_TRY(results.header, ParseHeader(line));
      continue;
    }
    auto cell = ParseCell(line, results.header);
    if (cell) {
      results.cells.push_back(*std::move(cell));
    } else {
      results.damaged.push_back(number);
    }
  }
  if (number == 0) return Fail(ErrorCode::kInvalid, "it is empty");
  return results;
}

std::string FormatResults(const ResultsHeader& header, std::vector<SweepCell> cells) {
  std::ranges::stable_sort(cells, {}, &SweepCell::number);
  std::string text = HeaderLine(header);
  for (const SweepCell& cell : cells) text += CellLine(cell);
  return text;
}

SweepResult ResultOf(const ResultsHeader& header, std::vector<SweepCell> cells) {
  std::ranges::stable_sort(cells, {}, &SweepCell::number);
  return {header.name,  header.search, header.objective,
          header.rungs, header.fields, std::move(cells)};
}

Expected<std::string> ReadResultsText(const std::string& file) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(file, error);
  std::ifstream in(file, std::ios::binary);
  if (error || !in) return Fail(ErrorCode::kNotFound, fmt::format("{}: can't be read", file));
  if (size > kMostBytes)
    return Fail(ErrorCode::kTooLarge, fmt::format("{}: larger than results may be", file));
  std::string text(static_cast<std::size_t>(size), '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

}  // namespace tidegate::sim
