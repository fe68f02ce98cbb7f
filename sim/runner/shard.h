#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "policies/base/expected.h"

namespace tidegate::sim {

// A part of a sweep: the cells whose number modulo `count` is `index`.
struct Shard {
  std::size_t index = 0;  // < count
  std::size_t count = 1;
  bool operator==(const Shard&) const = default;
  bool Holds(std::size_t cell) const { return cell % count == index; }
};

// "i/n", i from 0. kInvalid for anything else.
Expected<Shard> ParseShard(std::string_view text);

// The value of a variable of the environment; unset where there is none.
using Variables = std::function<std::optional<std::string>(const char* name)>;

// The part that a batch system gave this process:
//   Slurm job arrays: SLURM_ARRAY_TASK_ID among _COUNT tasks from _MIN to _MAX in steps of _STEP;
//   Kubernetes Indexed Jobs: JOB_COMPLETION_INDEX among TIDESIM_SHARDS, which the Job's manifest
//   has to set to its completions, since Kubernetes tells pods only the former.
// The whole sweep where there is neither. kInvalid where variables are missing, are no numbers or
// contradict each other, or where both are there.
Expected<Shard> ShardFrom(const Variables& variables);

}  // namespace tidegate::sim
