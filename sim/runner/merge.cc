#include "sim/runner/merge.h"

#include <algorithm>
#include <optional>
#include <ostream>
#include <utility>

#include <fmt/format.h>

#include "sim/runner/results.h"
#include "sim/runner/results_writer.h"

namespace tidegate::sim {
namespace {

constexpr std::size_t kMostRuns = 40;  // of neighbouring numbers that a message lists

// "0-3, 7, 9-12".
std::string Numbers(const std::vector<std::size_t>& sorted) {
  std::string text;
  std::size_t runs = 0;
  for (std::size_t i = 0; i < sorted.size();) {
    std::size_t end = i;
    while (end + 1 < sorted.size() && sorted[end + 1] == sorted[end] + 1) ++end;
    if (++runs > kMostRuns) return text + ", ...";
    text += fmt::format("{}{}", text.empty() ? "" : ", ", sorted[i]);
    if (end > i) text += fmt::format("-{}", sorted[end]);
    i = end + 1;
  }
  return text;
}

struct Merged {
  std::optional<ResultsHeader> header;  // of the whole: shard 0/1
  std::vector<SweepCell> cells;
};

// Adds one file; the message says what is wrong with it.
std::string Add(const std::string& file, Merged& merged, std::ostream& err) {
  const auto text = ReadResultsText(file);
  if (!text) return text.error().message;
  auto results = ParseResults(*text);
  if (!results) return fmt::format("{}: {}", file, results.error().message);
  for (const std::size_t line : results->damaged)
    err << fmt::format("{}:{}: the line is damaged and does not count\n", file, line);
  results->header.shard = Shard{};
  if (!merged.header) merged.header = results->header;
  if (HeaderLine(*merged.header) != HeaderLine(results->header))
    return fmt::format("{}: holds results of another sweep, or of other inputs", file);
  std::ranges::move(results->cells, std::back_inserter(merged.cells));
  return "";
}

// Prints which cells are missing or there more than once; true where neither is.
bool EachOnce(const Merged& merged, std::ostream& err) {
  std::vector<int> times(merged.header->Cells(), 0);
  for (const SweepCell& cell : merged.cells) ++times[cell.number];
  std::vector<std::size_t> missing, repeated;
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (times[i] == 0) missing.push_back(i);
    if (times[i] > 1) repeated.push_back(i);
  }
  if (!missing.empty()) {
    err << fmt::format("{} of {} cells are missing: {}\n", missing.size(), times.size(),
                       Numbers(missing));
  }
  if (!repeated.empty()) {
    err << fmt::format("{} of {} cells are there more than once: {}\n", repeated.size(),
                       times.size(), Numbers(repeated));
  }
  return missing.empty() && repeated.empty();
}

}  // namespace

int RunMerge(const MergeOptions& options, Streams streams) {
  Merged merged;
  bool good = true;
  for (const std::string& file : options.files) {
    const std::string problem = Add(file, merged, streams.err);
    if (problem.empty()) continue;
    streams.err << problem << "\n";
    good = false;
  }
  if (!good || !merged.header) return kBadInput;
  if (!EachOnce(merged, streams.err)) return kFailed;
  if (!options.results.empty()) {
    const auto written = WriteWhole(options.results, FormatResults(*merged.header, merged.cells));
    if (!written) {
      streams.err << written.error().message << "\n";
      return kFailed;
    }
  }
  const SweepResult result = ResultOf(*merged.header, std::move(merged.cells));
  streams.out << (options.json ? ToJson(result) + "\n" : ToTable(result));
  return streams.out ? kDone : kFailed;
}

}  // namespace tidegate::sim
