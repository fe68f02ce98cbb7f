#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "scheduler/adapters/process/posix.h"

namespace tidegate::adapters {

// The right to act on what a state directory stands for; one process at a time has it.
//
// It is a lock on the file `lock` in it, which ends with the process, however that ends. It keeps a
// second process out for as long as the file stays the same one. Where somebody replaces the file
// (a folder that is cleaned up, a backup that is put back), or where a file system does not keep
// locks, a second one gets the right while the first still runs, or wakes up later. So the file
// also says how often the right was taken, which serves as a fencing token: a holder checks it
// before each thing that it does.
class StateLock {
 public:
  // kConflict if another process has it for longer than `patience`.
  static Expected<StateLock> Take(const std::string& directory, Duration patience);

  // kConflict if the right is not this holder's any more: the file is gone or another one, or was
  // taken again since. Costs two system calls.
  Expected<void> Check() const;
  // How often the file was taken, this time included; from 1.
  std::int64_t generation() const { return generation_; }

 private:
  StateLock(OwnedFd file, std::string path, std::int64_t generation)
      : file_(std::move(file)), path_(std::move(path)), generation_(generation) {}

  OwnedFd file_;
  std::string path_;
  std::int64_t generation_;
};

}  // namespace tidegate::adapters
