// JSON text: what is written is read back equal, to the last bit of a number.
#include "scheduler/journal/json_text.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <random>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate::journal {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

json::value Parsed(std::string_view text) {
  const auto parsed = ParseJson(text, JsonLimits{});
  EXPECT_TRUE(parsed) << text << ": " << (parsed ? "" : parsed.error().message);
  return parsed ? *parsed : json::value();
}

std::string ErrorOf(std::string_view text) {
  const auto parsed = ParseJson(text, JsonLimits{});
  return parsed ? "none" : parsed.error().message;
}

TEST(JsonTextTest, ADoubleIsTheNearestToItsText) {
  // Boost.JSON 1.81 by itself reads these a unit in the last place off.
  for (const double number : {474.59380568556355, 458.12455122160236, 14.025674508164565}) {
    EXPECT_EQ(Parsed(WriteJson(number)).as_double(), number);
    EXPECT_EQ(Parsed(json::serialize(json::value(number))).as_double(), number);
  }
}

TEST(JsonTextTest, AnyDoubleIsReadBackEqual) {
  std::mt19937_64 bits(7);  // NOLINT(cert-msc51-cpp): the same each time
  for (int i = 0; i < 100'000; ++i) {
    const double number = std::bit_cast<double>(static_cast<std::uint64_t>(bits()));
    if (!std::isfinite(number)) continue;
    ASSERT_EQ(Parsed(WriteJson(number)).to_number<double>(), number) << WriteJson(number);
    ASSERT_EQ(Parsed(json::serialize(json::value(number))).to_number<double>(), number);
  }
}

TEST(JsonTextTest, ANumberMayBeAllOfIt) {
  EXPECT_EQ(Parsed("0.1").as_double(), 0.1);
  EXPECT_EQ(Parsed(" -12\n").as_int64(), -12);
  EXPECT_EQ(Parsed("18446744073709551615").as_uint64(), UINT64_MAX);
}

TEST(JsonTextTest, EachKindOfValueComesBack) {
  const std::string text =
      R"({"none":null,"flags":[true,false],"text":"a \"b\" \u00e9\n","deep":{"list":[[],{},1.5]}})";
  const json::value value = Parsed(text);
  EXPECT_EQ(value, json::parse(text));
  EXPECT_EQ(Parsed(WriteJson(value)), value);
}

TEST(JsonTextTest, AnErrorSaysLineAndColumn) {
  EXPECT_THAT(ErrorOf("{\"a\": 1,\n \"b\": x}"), HasSubstr("2:7: not JSON"));
  EXPECT_THAT(ErrorOf("{\"a\": 1.5"), HasSubstr("1:10: not JSON"));
  EXPECT_THAT(ErrorOf(""), HasSubstr("1:1: not JSON"));
  EXPECT_THAT(ErrorOf("1.5 2.5"), HasSubstr("1:5: not JSON: more text"));
}

TEST(JsonTextTest, RefusesWhatIsTooDeepOrTooLong) {
  EXPECT_THAT(ErrorOf(std::string(17, '[') + std::string(17, ']')), HasSubstr("too deep"));
  const auto parsed = ParseJson("[1,2,3]", {.bytes_max = 6});
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, ErrorCode::kTooLarge);
  EXPECT_THAT(parsed.error().message, HasSubstr("more than 6 bytes"));
}

}  // namespace
}  // namespace tidegate::journal
