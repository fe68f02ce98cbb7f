#include "policies/sizing/erlang.h"

#include <cmath>
#include <cstdint>

#include <gtest/gtest.h>

namespace tidegate::sizing {
namespace {

// B by its definition: a sum of probabilities, each from its logarithm, largest first.
double SlowErlangB(std::int64_t servers, double load) {
  const auto log_mass = [&](std::int64_t k) {
    const auto count = static_cast<long double>(k);
    return count * std::log(static_cast<long double>(load)) - std::lgamma(count + 1);
  };
  long double sum = 0;
  for (std::int64_t k = 0; k <= servers; ++k) sum += std::exp(log_mass(k) - log_mass(servers));
  return static_cast<double>(1 / sum);
}

// 1 / B = 1 + c / a + c (c - 1) / a^2 + ..., to the last term; where none of them is too large.
double SumOfRatios(std::int64_t servers, double load) {
  long double sum = 1, term = 1;
  for (std::int64_t k = servers; k > 0; --k) {
    term *= static_cast<long double>(k) / static_cast<long double>(load);
    sum += term;
  }
  return static_cast<double>(1 / sum);
}

TEST(ErlangTest, BlocksAsTheTablesSay) {
  // The loads in erlangs at which one request in a hundred is blocked, as printed in tables of
  // Erlang's B for telephone traffic.
  EXPECT_NEAR(ErlangB(1, 0.0101), 0.01, 5e-5);
  EXPECT_NEAR(ErlangB(5, 1.361), 0.01, 5e-5);
  EXPECT_NEAR(ErlangB(10, 4.461), 0.01, 5e-5);
  EXPECT_NEAR(ErlangB(20, 12.03), 0.01, 5e-5);
  EXPECT_NEAR(ErlangB(100, 84.06), 0.01, 5e-5);
}

TEST(ErlangTest, AgreesWithTheSumOfProbabilities) {
  for (const std::int64_t servers : {1, 2, 7, 64, 127, 128, 129, 130, 480, 2'000, 20'000}) {
    for (const double utilization : {0.01, 0.3, 0.7, 0.9, 0.97, 0.999, 1.0, 1.01, 1.3, 5.0}) {
      const double load = utilization * static_cast<double>(servers);
      const double slow = SlowErlangB(servers, load);
      EXPECT_NEAR(ErlangB(servers, load), slow, 1e-9 * slow + 1e-300)
          << servers << " servers at " << utilization;
    }
  }
}

TEST(ErlangTest, StaysExactForTheLargestPools) {
  for (const double utilization : {0.995, 0.9999, 1.0, 1.02}) {
    const double load = utilization * 800'000;
    const double slow = SumOfRatios(800'000, load);
    EXPECT_NEAR(ErlangB(800'000, load), slow, 1e-8 * slow) << utilization;
  }
  EXPECT_EQ(ErlangB(800'000, 8'000), 0) << "less than a double can hold";
}

TEST(ErlangTest, MoreThanTheMostCountAsTheMost) {
  EXPECT_EQ(ErlangB(4 * kMostServers, 0.999 * 4 * kMostServers),
            ErlangB(kMostServers, 0.999 * kMostServers));
}

TEST(ErlangTest, OneServerIsBusyAsOftenAsItIsUsed) {
  EXPECT_DOUBLE_EQ(ErlangC(1, 0.3), 0.3);
  EXPECT_DOUBLE_EQ(ErlangB(1, 0.25), 0.2);  // a / (1 + a)
}

TEST(ErlangTest, TwoServersWaitAsWorkedOutByHand) {
  // C(2, 1) = (1/2) / (1 - 1/2) / (1 + 1 + 1) = 1/3.
  EXPECT_DOUBLE_EQ(ErlangC(2, 1), 1.0 / 3);
}

TEST(ErlangTest, NothingWaitsWithoutLoadAndAllWaitUnderTooMuch) {
  EXPECT_EQ(ErlangC(10, 0), 0);
  EXPECT_EQ(ErlangC(10, 10), 1);
  EXPECT_EQ(ErlangC(10, 11), 1);
  EXPECT_EQ(ErlangWaitTail(10, 11, 0.05, 1e6), 1);
}

TEST(ErlangTest, WaitsFadeExponentially) {
  EXPECT_DOUBLE_EQ(ErlangWaitTail(8, 6, 0.05, 0), ErlangC(8, 6));
  // e^-(8 - 6) x 0.1 / 0.05
  EXPECT_DOUBLE_EQ(ErlangWaitTail(8, 6, 0.05, 0.1), ErlangC(8, 6) * std::exp(-4));
}

TEST(ErlangTest, IsContinuousWhereTheMethodChanges) {
  for (const double load : {60.0, 115.0, 127.9, 128.1, 200.0}) {
    const double before = ErlangB(128, load), after = ErlangB(129, load);
    EXPECT_NEAR(after, load * before / (129 + load * before), 1e-12 * after) << load;
  }
}

}  // namespace
}  // namespace tidegate::sizing
