// `tidegate validate` and `tidegate decide` on schedules.
#include "scheduler/daemon/cmd_validate.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/daemon/cmd_decide.h"
#include "tests/testing/child_process.h"
#include "tests/testing/manifests.h"

namespace tidegate::daemon {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Validated(const char* now, bool json) {
  const testing::TempDir folder;
  const std::string path = folder.Write(
      "pool.yaml", testing::GatewayManifest("") + "---\n" + testing::ScalerManifest(R"(  schedule:
    - {name: promotion, timeZone: Asia/Shanghai, at: "2026-11-27 00:00", duration: 2h, replicas: 8}
    - {name: night, timeZone: Asia/Shanghai, start: "0 22 * * *", end: "0 6 * * *", replicas: 3}
)"));
  std::ostringstream out;
  std::ostringstream err;
  const int code = RunValidate({{path}, json, *ParseInstant(now)}, out, err);
  EXPECT_EQ(code, 0) << err.str();
  return out.str();
}

TEST(ValidateScheduleTest, SaysWhenEachLoadComesNext) {
  const std::string before = Validated("2026-11-26T10:00:00Z", false);
  EXPECT_THAT(before, HasSubstr("schedule promotion: 8 replicas, next from 2026-11-26T16:00:00Z to "
                                "2026-11-26T18:00:00Z"));
  EXPECT_THAT(before, HasSubstr("schedule night: 3 replicas, next from 2026-11-26T14:00:00Z"));
  EXPECT_THAT(before, Not(HasSubstr("warning")));
  EXPECT_THAT(Validated("2026-11-26T17:00:00Z", false), HasSubstr("8 replicas, now from"));
}

TEST(ValidateScheduleTest, WarnsOfEventsThatAreOver) {
  EXPECT_THAT(Validated("2026-11-26T18:00:00Z", false),
              HasSubstr("warning: spec.schedule[0]: promotion was over at 2026-11-26T18:00:00Z"));
  EXPECT_THAT(Validated("2026-11-26T18:00:00Z", true), HasSubstr("promotion was over at"));
}

TEST(ValidateScheduleTest, SaysWhatSizesThePool) {
  EXPECT_THAT(Validated("2026-11-26T10:00:00Z", false), HasSubstr("sized by target+schedule\n"));
  EXPECT_THAT(Validated("2026-11-26T10:00:00Z", true), HasSubstr(R"("sizedBy":"target+schedule")"));
}

std::string Decided(const std::string& entry) {
  std::istringstream in(R"({"now": 1795708800, "scaler": {"maxReplicas": 40,
      "signals": [{"name": "rps", "target": 100, "measure": "requests"}],
      "policies": ["target", {"name": "schedule", "entries": [)" +
                        entry + R"(]}]},
      "pool": {"declared": 4, "ready": 4}, "signals": [{"name": "rps", "value": 100}]})");
  std::ostringstream out;
  std::ostringstream err;
  (void)RunDecide({.input = "-", .json = true}, in, out, err);
  return out.str();
}

TEST(DecideScheduleTest, ResolvesTheTimesOfTheInput) {
  EXPECT_THAT(Decided(R"({"timeZone": "Asia/Shanghai", "at": "2026-11-27 00:00",
                          "duration": 7200, "replicas": 12})"),
              HasSubstr("RaisedToFloor"));
  EXPECT_THAT(Decided(R"({"timeZone": "Asia/Shangai", "at": "2026-11-27 00:00",
                          "duration": 7200, "replicas": 12})"),
              HasSubstr("entries[0].timeZone: there is no time zone"));
}

}  // namespace
}  // namespace tidegate::daemon
