#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "sim/engine/service_time.h"
#include "sim/engine/ziggurat.h"
#include "sim/world/service_model.h"

namespace tidegate::sim {
namespace {

constexpr int kDraws = 2'000'000;

struct Moments {
  double mean = 0;
  double variation = 0;  // standard deviation over mean
};

Moments MomentsOf(const ServiceTime& time) {
  ServiceStream stream(time, 7, 1);
  double sum = 0, squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double draw = stream.Next();
    sum += draw;
    squares += draw * draw;
  }
  const double mean = sum / kDraws;
  return {mean, std::sqrt(std::max(0.0, squares / kDraws - mean * mean)) / mean};
}

TEST(ExpTest, AgreesWithTheLibrarys) {
  for (double x = -700; x < 700; x += 0.37) {
    EXPECT_NEAR(Exp(x) / std::exp(x), 1, 2e-15) << x;
  }
  EXPECT_EQ(Exp(0), 1);
  EXPECT_EQ(Exp(-1'000), 0);
}

TEST(LogTest, AgreesWithTheLibrarys) {
  for (double y = 1e-6; y <= 1; y *= 1.01) EXPECT_NEAR(Log(y), std::log(y), 1e-14) << y;
  for (double y = 1; y <= 1e9; y *= 1.7) EXPECT_NEAR(Log(y), std::log(y), 1e-13) << y;
}

// Kolmogorov and Smirnov: the greatest distance between the draws' and the distribution's
// cumulative shares, times the root of their number, is over 1.95 once in a thousand times.
double Distance(const std::function<double()>& draw, const std::function<double(double)>& share) {
  constexpr int kCells = 4'000;
  std::vector<int> cells(kCells + 1);
  for (int i = 0; i < kDraws; ++i) {
    ++cells[static_cast<std::size_t>(share(draw()) * kCells)];
  }
  double worst = 0, below = 0;
  for (int i = 0; i < kCells; ++i) {
    below += cells[static_cast<std::size_t>(i)];
    worst = std::max(worst, std::abs(below / kDraws - (i + 1.0) / kCells));
  }
  return worst * std::sqrt(kDraws);
}

TEST(ZigguratTest, DrawsExponentially) {
  traces::Random random(3);
  EXPECT_LT(Distance([&] { return Ziggurat::Get().Exponential(random); },
                     [](double x) { return 1 - std::exp(-x); }),
            1.95);
}

TEST(ZigguratTest, DrawsNormally) {
  traces::Random random(3);
  EXPECT_LT(Distance([&] { return Ziggurat::Get().Normal(random); },
                     [](double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }),
            1.95);
}

TEST(ServiceStreamTest, EachKindHasTheMeanAndVariationAskedFor) {
  for (const auto& [kind, asked, variation] : std::vector<std::tuple<ServiceKind, double, double>>{
           {ServiceKind::kDeterministic, 0, 0},
           {ServiceKind::kExponential, 0, 1},
           {ServiceKind::kLognormal, 0.5, 0.5},
           {ServiceKind::kLognormal, 1.5, 1.5},
           {ServiceKind::kHyperexponential, 1, 1},
           {ServiceKind::kHyperexponential, 3, 3}}) {
    const Moments moments = MomentsOf({kind, 0.05, asked, {}});
    EXPECT_NEAR(moments.mean, 0.05, 0.05 * (0.001 + 0.004 * variation)) << Name(kind);
    EXPECT_NEAR(moments.variation, variation, 0.03 * variation + 1e-4) << Name(kind);
  }
}

TEST(ServiceStreamTest, EmpiricalTimesAreThoseGiven) {
  const Moments moments = MomentsOf({ServiceKind::kEmpirical, 0, 0, {0.01, 0.02, 0.06}});
  EXPECT_NEAR(moments.mean, 0.03, 1e-4);
}

TEST(StartupOfTest, IsTheMeanWithoutVariationOrProbes) {
  ServiceModel model;
  model.startup = Duration(20'000);
  EXPECT_EQ(StartupOf(model, 1, 0), Duration(20'000));
}

TEST(StartupOfTest, ProbesAddUpToAQuantumAndVariationKeepsTheMean) {
  ServiceModel model;
  model.startup = Duration(20'000);
  model.readiness_quantum = Duration(5'000);
  double sum = 0, varied = 0;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    const Duration takes = StartupOf(model, 1, i);
    ASSERT_GE(takes, Duration(20'000));
    ASSERT_LE(takes, Duration(25'000));
    sum += Seconds(takes);
    ServiceModel wild = model;
    wild.startup_variation = 0.4;
    varied += Seconds(StartupOf(wild, 1, i));
  }
  EXPECT_NEAR(sum / 20'000, 22.5, 0.05);
  EXPECT_NEAR(varied / 20'000, 22.5, 0.25);
}

}  // namespace
}  // namespace tidegate::sim
