#pragma once

#include <cstddef>
#include <iosfwd>
#include <memory>
#include <string>

namespace tidegate::sim {

// Says how far long work is and when it will be done: on a terminal on one line that changes, else
// as a line every ten seconds. Nothing in the first second.
class Progress {
 public:
  // `total` pieces of work, `done` of which were done before and say nothing of the speed. `err`
  // must outlive this object.
  Progress(std::ostream& err, std::string what, std::size_t total, std::size_t done);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // One more piece is done. From any thread.
  void Done();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tidegate::sim
