#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/expected.h"
#include "sim/report/sweep_result.h"
#include "sim/runner/shard.h"

namespace tidegate::sim {

// What a file of results is of. Files whose headers are equal but for the shard belong together.
struct ResultsHeader {
  std::string name;
  Search search = Search::kGrid;
  std::string fingerprint;  // SweepPlan::fingerprint
  Ranking objective;
  std::vector<Rung> rungs;
  std::vector<std::string> fields;
  Shard shard;

  std::size_t Cells() const;  // of the whole sweep
};

// A file of results is lines of text: the header, then one for each cell that is done, in any
// order. Each begins with the checksum of its JSON, as 16 hex digits, so that a line that a kill or
// a full disk cut off is known. Numbers that must come back as they were are texts.
std::string HeaderLine(const ResultsHeader& header);
std::string CellLine(const SweepCell& cell);

struct Results {
  ResultsHeader header;
  std::vector<SweepCell> cells;      // as in the file
  std::vector<std::size_t> damaged;  // lines, from 1, that can't be used
};

// kInvalid where the text doesn't begin with a header line of this form and of this program's
// measures. Cells that don't fit the header count as damaged.
Expected<Results> ParseResults(std::string_view text);

// The file that holds just these cells, sorted.
std::string FormatResults(const ResultsHeader& header, std::vector<SweepCell> cells);

// Precondition: every cell once.
SweepResult ResultOf(const ResultsHeader& header, std::vector<SweepCell> cells);

// The whole file, of at most 1 GiB. kNotFound, kTooLarge.
Expected<std::string> ReadResultsText(const std::string& file);

}  // namespace tidegate::sim
