#pragma once

#include <cstddef>
#include <string>

#include "policies/base/expected.h"

namespace tidegate::adapters {

// Moves one replica's access log lines to the file of its project, which replicas share.
//
// HAProxy clears O_APPEND on its standard output when it makes it non-blocking, so processes that
// wrote to one file would overwrite each other's lines. Each replica therefore has a file of its
// own, and lines wait there while no daemon runs. How far they have been moved is kept beside the
// file; a crash between moving and noting it repeats the lines of one move.
class AccessLog {
 public:
  // `source` need not exist yet.
  AccessLog(std::string source, std::string target);
  // Moves the complete lines that are new, at most some megabytes, and gives their space back.
  Expected<void> Move() { return MoveUpTo(false); }
  // The same when the writer is gone: all that is left, and an unfinished line too.
  Expected<void> Finish();

 private:
  Expected<void> MoveUpTo(bool everything);
  Expected<void> Note(std::size_t moved);

  std::string source_;
  std::string target_;
  std::size_t moved_ = 0;  // bytes of the source
  bool known_ = false;     // moved_ has been read from disk
};

}  // namespace tidegate::adapters
