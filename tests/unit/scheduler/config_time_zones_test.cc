// The system's time zones as plain tables.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/base/cron.h"
#include "scheduler/config/time_zones.h"

namespace tidegate::config {
namespace {

using ::testing::HasSubstr;

Zone Loaded(const char* name) {
  auto zone = LoadZone(name);
  EXPECT_TRUE(zone) << name << ": " << (zone ? "" : zone.error().message);
  return zone.value_or(Zone{});
}

std::string Wall(const Zone& zone, const char* utc) {
  const LocalTime local = ToLocal(zone, *ParseInstant(utc));
  return FormatInstant(Instant(local.time_since_epoch()));
}

TEST(TimeZonesTest, KnowsZonesWithAndWithoutDaylightSaving) {
  const Zone shanghai = Loaded("Asia/Shanghai");
  EXPECT_EQ(shanghai.offsets.size(), 1u);
  EXPECT_EQ(Wall(shanghai, "2026-11-26T16:00:00Z"), "2026-11-27T00:00:00Z");
  const Zone berlin = Loaded("Europe/Berlin");
  EXPECT_EQ(Wall(berlin, "2026-03-29T00:59:59Z"), "2026-03-29T01:59:59Z");
  EXPECT_EQ(Wall(berlin, "2026-03-29T01:00:00Z"), "2026-03-29T03:00:00Z");
  const Zone kathmandu = Loaded("Asia/Kathmandu");
  EXPECT_EQ(Wall(kathmandu, "2026-06-01T00:00:00Z"), "2026-06-01T05:45:00Z");
}

TEST(TimeZonesTest, UtcHasOneOffset) {
  const Zone utc = Loaded("UTC");
  ASSERT_EQ(utc.offsets.size(), 1u);
  EXPECT_EQ(utc.offsets[0].offset, Duration(0));
}

TEST(TimeZonesTest, HoldsTenYearsOfChanges) {
  const Zone york = Loaded("America/New_York");
  EXPECT_EQ(Wall(york, "2036-07-01T12:00:00Z"), "2036-07-01T08:00:00Z");
  EXPECT_EQ(Wall(york, "2036-12-01T12:00:00Z"), "2036-12-01T07:00:00Z");
  EXPECT_LT(york.offsets.size(), 250u);
}

// Every change of thirty-seven years, and cron on both sides of each.
TEST(TimeZonesTest, NoonIsNoonThroughAllChanges) {
  const auto noon = ParseCron("0 12 * * *");
  ASSERT_TRUE(noon);
  for (const char* name : {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe"}) {
    const Zone zone = Loaded(name);
    for (std::size_t i = 1; i < zone.offsets.size(); ++i) {
      const auto next = NextFire(*noon, zone, zone.offsets[i].from, Fold::kFirst);
      ASSERT_TRUE(next);
      EXPECT_EQ(ToLocal(zone, *next).time_since_epoch() % std::chrono::days(1),
                std::chrono::hours(12))
          << name << " " << FormatInstant(*next);
    }
  }
}

TEST(TimeZonesTest, AnUnknownNameSaysWhichOneWasMeant) {
  const auto close = LoadZone("Asia/Shangai");
  ASSERT_FALSE(close);
  EXPECT_EQ(close.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(close.error().message, HasSubstr("did you mean Asia/Shanghai?"));
  const auto cased = LoadZone("europe/berlin");
  ASSERT_FALSE(cased);
  EXPECT_THAT(cased.error().message, HasSubstr("did you mean Europe/Berlin?"));
  EXPECT_THAT(LoadZone("Nowhere/AtAllToBeFound").error().message, HasSubstr("IANA name"));
  EXPECT_FALSE(LoadZone(""));
  EXPECT_FALSE(LoadZone("../../etc/passwd"));
}

}  // namespace
}  // namespace tidegate::config
