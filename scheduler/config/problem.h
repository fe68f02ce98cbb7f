#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace tidegate::config {

// A place in a manifest. Lines and columns count from 1; 0 where the place is the whole file. The
// name is shared by all places of one file.
struct Location {
  std::shared_ptr<const std::string> file;
  int line = 0;
  int column = 0;
  // "edge.yaml:12:3", without the zeros; "" where there is no file.
  std::string text() const;
};

// One thing wrong with a manifest.
struct Problem {
  std::string file;
  int line = 0;         // from 1; 0: the file as a whole
  int column = 0;       // from 1
  std::string field;    // "spec.ports[1].port"; empty: the document or file as a whole
  std::string message;  // "expected a port from 1 to 65535, got 70000"
  bool operator==(const Problem&) const = default;
};

// "edge.yaml:12:3: spec.ports[1].port: expected a port from 1 to 65535, got 70000".
std::string ToString(const Problem& problem);

// All that is wrong, up to a bound, so that a hostile file can't fill the memory with complaints.
class Problems {
 public:
  static constexpr std::size_t kKept = 100;

  void Add(Problem problem);
  void Add(const Location& at, std::string field, std::string message);
  // By file, line, column, then field.
  void Sort();

  bool empty() const { return count_ == 0; }
  // Of all that were added, kept or not.
  std::size_t size() const { return count_; }
  // The first kKept that were added.
  const std::vector<Problem>& list() const { return list_; }
  // How many more there are.
  std::size_t more() const { return count_ - list_.size(); }
  // One problem a line; a last line counts those that were not kept. Empty where all is well.
  std::string text() const;

 private:
  std::vector<Problem> list_;
  std::size_t count_ = 0;
};

}  // namespace tidegate::config
