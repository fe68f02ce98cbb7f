#include "policies/base/instant.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(ParseDurationTest, AcceptsPrometheusForms) {
  EXPECT_EQ(ParseDuration("5s").value(), seconds(5));
  EXPECT_EQ(ParseDuration("1h30m").value(), minutes(90));
  EXPECT_EQ(ParseDuration("250ms").value(), Duration(250));
  EXPECT_EQ(ParseDuration("1w2d").value(), hours(9 * 24));
  EXPECT_EQ(ParseDuration("0").value(), Duration(0));
}

TEST(ParseDurationTest, RefusesEverythingElse) {
  for (const char* bad :
       {"", "5", "-5s", "s", "5s1m", "5s5s", "1.5s", "5 s", "5x", "999999999999w"}) {
    EXPECT_FALSE(ParseDuration(bad).has_value()) << bad;
  }
}

TEST(FormatDurationTest, RoundTripsThroughParse) {
  for (const std::int64_t ms : {0LL, 1LL, 999LL, 1000LL, 61'000LL, 3'723'004LL, 1'000'000'000LL}) {
    EXPECT_EQ(ParseDuration(FormatDuration(Duration(ms))).value(), Duration(ms));
  }
}

TEST(InstantTest, FormatsAndParsesRfc3339) {
  const Instant at = FromUnixMillis(1'795'651'200'250);
  EXPECT_EQ(FormatInstant(at), "2026-11-26T00:00:00.250Z");
  EXPECT_EQ(ParseInstant("2026-11-26T00:00:00.25Z").value(), at);
  EXPECT_EQ(ParseInstant("2026-11-26T08:00:00.25+08:00").value(), at);
  EXPECT_EQ(ParseInstant("1795651200.25").value(), at);
}

TEST(InstantTest, RefusesImpossibleDates) {
  for (const char* bad : {"2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z",
                          "2026-01-01T00:00:00", "2026-01-01", "today", ""}) {
    EXPECT_FALSE(ParseInstant(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace tidegate
