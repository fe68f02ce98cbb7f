#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "policies/base/expected.h"
#include "sim/runner/results.h"

namespace tidegate::sim {

// A file of results that grows cell by cell and survives being killed at any point. Held by one
// process at a time.
class ResultsWriter {
 public:
  // Begins the file, or goes on with the one that is there. Damaged lines are taken out first; the
  // file is replaced at once, never changed in place. kConflict where another process holds it,
  // kInvalid where it is something else or of another sweep, kUnavailable where the system refuses.
  static Expected<std::unique_ptr<ResultsWriter>> Open(const std::string& path,
                                                       const ResultsHeader& header);
  ~ResultsWriter();
  ResultsWriter(const ResultsWriter&) = delete;
  ResultsWriter& operator=(const ResultsWriter&) = delete;

  // What the file held when it was opened.
  const std::vector<SweepCell>& found() const;
  std::size_t damaged() const;

  // Adds one cell, from any thread. It is written when this returns, so that a kill does not cost
  // it, and on the disk as well (fsync) unless another cell came there less than 50 ms before:
  // then it follows with the next one, or at the end. After a failure the file holds the cells
  // before.
  Expected<void> Append(const SweepCell& cell);
  // Replaces the file by one that holds these cells in order.
  Expected<void> Finish(std::vector<SweepCell> cells);

 private:
  struct State;
  explicit ResultsWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Writes a whole file: beside it first, then in its place, so that a reader never sees half of it.
Expected<void> WriteWhole(const std::string& path, const std::string& text);

}  // namespace tidegate::sim
