#include "sim/runner/shard.h"

#include <charconv>

#include <fmt/format.h>

#include "policies/base/suggest.h"

namespace tidegate::sim {
namespace {

constexpr std::size_t kMostShards = 1'000'000;

std::optional<std::size_t> ParseNumber(std::string_view text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && number <= kMostShards * 1'000 ? std::optional(number) : std::nullopt;
}

Expected<std::size_t> NumberOf(const Variables& variables, const char* name) {
  const auto text = variables(name);
  if (!text) return Fail(ErrorCode::kInvalid, fmt::format("{} is not set", name));
  const auto number = ParseNumber(*text);
  if (number) return *number;
  return Fail(ErrorCode::kInvalid, fmt::format("{} is no number: {}", name, Printable(*text, 40)));
}

Expected<Shard> SlurmShard(const Variables& variables) {
  TIDEGATE_TRY(const std::size_t id, NumberOf(variables, "SLURM_ARRAY_TASK_ID"));
  TIDEGATE_TRY(const std::size_t count, NumberOf(variables, "SLURM_ARRAY_TASK_COUNT"));
  TIDEGATE_TRY(const std::size_t first, NumberOf(variables, "SLURM_ARRAY_TASK_MIN"));
  std::size_t step = 1;
  if (variables("SLURM_ARRAY_TASK_STEP")) {
    TIDEGATE_TRY(step, NumberOf(variables, "SLURM_ARRAY_TASK_STEP"));
  }
  std::size_t last = first + (count - 1) * step;
  if (variables("SLURM_ARRAY_TASK_MAX")) {
    TIDEGATE_TRY(last, NumberOf(variables, "SLURM_ARRAY_TASK_MAX"));
  }
  const bool even = step > 0 && count > 0 && id >= first && (id - first) % step == 0 &&
                    (id - first) / step < count && last == first + (count - 1) * step;
  if (even) return Shard{(id - first) / step, count};
  return Fail(
      ErrorCode::kInvalid,
      fmt::format("a job array of {} tasks from {} to {} in steps of {} can't be divided by "
                  "its numbers; use --array=0-N, or --shard",
                  count, first, last, step));
}

Expected<Shard> JobShard(const Variables& variables) {
  TIDEGATE_TRY(const std::size_t index, NumberOf(variables, "JOB_COMPLETION_INDEX"));
  if (!variables("TIDESIM_SHARDS")) {
    return Fail(ErrorCode::kInvalid,
                "JOB_COMPLETION_INDEX is set but TIDESIM_SHARDS is not: give the container the "
                "Job's completions in it, or --shard");
  }
  TIDEGATE_TRY(const std::size_t count, NumberOf(variables, "TIDESIM_SHARDS"));
  if (index < count) return Shard{index, count};
  return Fail(ErrorCode::kInvalid,
              fmt::format("JOB_COMPLETION_INDEX {} is not below TIDESIM_SHARDS {}", index, count));
}

}  // namespace

Expected<Shard> ParseShard(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    const auto index = ParseNumber(text.substr(0, slash));
    const auto count = ParseNumber(text.substr(slash + 1));
    if (index && count && *index < *count && *count <= kMostShards) return Shard{*index, *count};
  }
  return Fail(
      ErrorCode::kInvalid,
      fmt::format("expected i/n with i from 0 to n - 1, like 0/4, got {}", Printable(text, 40)));
}

Expected<Shard> ShardFrom(const Variables& variables) {
  const bool slurm = variables("SLURM_ARRAY_TASK_ID").has_value();
  const bool job = variables("JOB_COMPLETION_INDEX").has_value();
  if (slurm && job) {
    return Fail(ErrorCode::kInvalid,
                "both SLURM_ARRAY_TASK_ID and JOB_COMPLETION_INDEX are set; give --shard");
  }
  if (slurm) return SlurmShard(variables);
  if (job) return JobShard(variables);
  return Shard{};
}

}  // namespace tidegate::sim
