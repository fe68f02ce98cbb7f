#include "sim/runner/shard.h"

#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate::sim {
namespace {

using ::testing::HasSubstr;
using Map = std::map<std::string, std::string>;

Expected<Shard> From(const Map& map) {
  return ShardFrom([&](const char* name) {
    const auto found = map.find(name);
    return found == map.end() ? std::nullopt : std::optional(found->second);
  });
}

Map SlurmTask(const std::string& id, const std::string& count, const std::string& first,
              const std::string& last, const std::string& step) {
  return {{"SLURM_ARRAY_TASK_ID", id},
          {"SLURM_ARRAY_TASK_COUNT", count},
          {"SLURM_ARRAY_TASK_MIN", first},
          {"SLURM_ARRAY_TASK_MAX", last},
          {"SLURM_ARRAY_TASK_STEP", step}};
}

TEST(ShardTest, ReadsTheFlag) {
  EXPECT_EQ(*ParseShard("0/1"), (Shard{0, 1}));
  EXPECT_EQ(*ParseShard("3/4"), (Shard{3, 4}));
  for (const char* text :
       {"", "1", "4/4", "-1/4", "1/0", "a/4", "1/4x", "1/ 4", "1//4", "0/99999999"})
    EXPECT_FALSE(ParseShard(text)) << text;
}

TEST(ShardTest, ShardsHoldEachCellOnce) {
  for (std::size_t cell = 0; cell < 100; ++cell) {
    int held = 0;
    for (std::size_t i = 0; i < 7; ++i) held += Shard{i, 7}.Holds(cell);
    EXPECT_EQ(held, 1) << cell;
  }
}

TEST(ShardTest, IsEverythingWithoutABatchSystem) { EXPECT_EQ(*From({}), (Shard{0, 1})); }

TEST(ShardTest, ReadsSlurmJobArrays) {
  EXPECT_EQ(*From(SlurmTask("2", "4", "0", "3", "1")), (Shard{2, 4}));
  EXPECT_EQ(*From(SlurmTask("1", "4", "1", "4", "1")), (Shard{0, 4}));
  EXPECT_EQ(*From(SlurmTask("15", "3", "5", "15", "5")), (Shard{2, 3}));
}

TEST(ShardTest, RefusesJobArraysThatItCannotDivide) {
  // --array=1,5,7: Slurm tells no step that would lead from one to the next.
  EXPECT_THAT(From(SlurmTask("5", "3", "1", "7", "1")).error().message, HasSubstr("--array=0-N"));
  EXPECT_FALSE(From(SlurmTask("x", "3", "0", "2", "1")));
  EXPECT_FALSE(From(SlurmTask("0", "0", "0", "0", "1")));
  EXPECT_THAT(From({{"SLURM_ARRAY_TASK_ID", "0"}}).error().message,
              HasSubstr("SLURM_ARRAY_TASK_COUNT is not set"));
}

TEST(ShardTest, ReadsIndexedJobs) {
  EXPECT_EQ(*From({{"JOB_COMPLETION_INDEX", "2"}, {"TIDESIM_SHARDS", "8"}}), (Shard{2, 8}));
  EXPECT_THAT(From({{"JOB_COMPLETION_INDEX", "2"}}).error().message,
              HasSubstr("TIDESIM_SHARDS is not"));
  EXPECT_FALSE(From({{"JOB_COMPLETION_INDEX", "8"}, {"TIDESIM_SHARDS", "8"}}));
}

TEST(ShardTest, DoesNotGuessBetweenTwoBatchSystems) {
  Map map = SlurmTask("0", "1", "0", "0", "1");
  map["JOB_COMPLETION_INDEX"] = "0";
  map["TIDESIM_SHARDS"] = "1";
  EXPECT_THAT(From(map).error().message, HasSubstr("--shard"));
}

}  // namespace
}  // namespace tidegate::sim
