#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "scheduler/config/quantity.h"

namespace tidegate::config {
namespace {

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();

struct Case {
  const char* text;
  std::int64_t units;
  std::int32_t nanos;
};

// Expected values follow from Kubernetes's documented rules (apimachinery, resource.Quantity).
TEST(QuantityTest, ReadsWhatKubernetesReads) {
  const std::vector<Case> cases{
      {"0", 0, 0},
      {"2", 2, 0},
      {"+2", 2, 0},
      {"-2", -2, 0},
      {"200m", 0, 200'000'000},
      {"-1500m", -1, -500'000'000},
      {"1.5", 1, 500'000'000},
      {".5", 0, 500'000'000},
      {"5.", 5, 0},
      {"100n", 0, 100},
      {"7u", 0, 7'000},
      {"1k", 1'000, 0},
      {"2G", 2'000'000'000, 0},
      {"2M", 2'000'000, 0},
      {"3T", 3'000'000'000'000, 0},
      {"1P", 1'000'000'000'000'000, 0},
      {"1E", 1'000'000'000'000'000'000, 0},
      {"1Ki", 1'024, 0},
      {"256Mi", 268'435'456, 0},
      {"1.5Gi", 1'610'612'736, 0},
      {"0.5Ki", 512, 0},
      {"1Ti", 1'099'511'627'776, 0},
      {"1Pi", 1'125'899'906'842'624, 0},
      {"1Ei", 1'152'921'504'606'846'976, 0},
      {"1e3", 1'000, 0},
      {"1E3", 1'000, 0},
      {"12e-1", 1, 200'000'000},
      {"1.25e+2", 125, 0},
      {"00012", 12, 0},
  };
  for (const Case& c : cases) {
    const auto quantity = ParseQuantity(c.text);
    ASSERT_TRUE(quantity.has_value()) << c.text;
    EXPECT_EQ(quantity->units, c.units) << c.text;
    EXPECT_EQ(quantity->nanos, c.nanos) << c.text;
  }
}

TEST(QuantityTest, RoundsWhatIsFinerThanABillionthAwayFromZero) {
  EXPECT_EQ(ParseQuantity("0.1n")->nanos, 1);
  EXPECT_EQ(ParseQuantity("-0.1n")->nanos, -1);
  EXPECT_EQ(ParseQuantity("1.0000000001")->nanos, 1);
  EXPECT_EQ(ParseQuantity("0.9999999999")->units, 1);
  EXPECT_EQ(ParseQuantity("1e-500")->nanos, 1);
}

TEST(QuantityTest, CutsWhatIsTooLargeToTheLargestInteger) {
  EXPECT_EQ(ParseQuantity("9223372036854775807")->units, kLargest);
  EXPECT_EQ(ParseQuantity("9223372036854775808")->units, kLargest);
  EXPECT_EQ(ParseQuantity("8Ei")->units, kLargest);
  EXPECT_EQ(ParseQuantity("100E")->units, kLargest);
  EXPECT_EQ(ParseQuantity("1e999999999")->units, kLargest);
  EXPECT_EQ(ParseQuantity("-100E")->units, -kLargest);
}

TEST(QuantityTest, RefusesEverythingElse) {
  for (const char* text :
       {"",     "m",   "-",    "+",    ".",   "1K",  "1ki",  "1mi",
        "1 Mi", " 1",  "1 ",   "1..2", "1,5", "1e",  "1e+",  "1e1.5",
        "--1",  "+-1", "0x10", "1Zi",  "NaN", "inf", "1e3k", "1e99999999999999999999"}) {
    EXPECT_FALSE(ParseQuantity(text).has_value()) << text;
  }
  EXPECT_FALSE(ParseQuantity(std::string(65, '1')).has_value());
}

TEST(QuantityTest, SaysWhatItWanted) {
  EXPECT_EQ(ParseQuantity("2GB").error().message,
            "\"2GB\" is not a quantity; expected one like 2, 200m, 1.5, 256Mi or 2G");
}

TEST(QuantityTest, PrintsEqualQuantitiesEqually) {
  EXPECT_EQ(ToString(*ParseQuantity("200m")), "0.2");
  EXPECT_EQ(ToString(*ParseQuantity("0.20")), "0.2");
  EXPECT_EQ(ToString(*ParseQuantity("256Mi")), "268435456");
  EXPECT_EQ(ToString(*ParseQuantity("-0.5")), "-0.5");
  EXPECT_EQ(ToString(*ParseQuantity("-1500m")), "-1.5");
}

TEST(QuantityTest, RoundsMilliAwayFromZeroAndCutsIt) {
  EXPECT_EQ(ParseQuantity("200m")->Milli(), 200);
  EXPECT_EQ(ParseQuantity("1u")->Milli(), 1);
  EXPECT_EQ(ParseQuantity("-1u")->Milli(), -1);
  EXPECT_EQ(ParseQuantity("2.0001")->Milli(), 2'001);
  EXPECT_EQ(ParseQuantity("1E")->Milli(), kLargest);
}

}  // namespace
}  // namespace tidegate::config
