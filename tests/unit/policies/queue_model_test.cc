#include "policies/sizing/queue_model.h"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "policies/sizing/erlang.h"

namespace tidegate::sizing {
namespace {

QueueModel Model(int workers, double variation, Balancing balancing = Balancing::kLeastOfTwo) {
  QueueModel model;
  model.workers = workers;
  model.service.variation = variation;
  model.balancing = balancing;
  return model;
}

double MeanWait(const Waiting& waiting) {
  double departures = 0;
  for (std::size_t i = 0; i < waiting.departures.size(); ++i) {
    departures += static_cast<double>(i) * waiting.departures[i];
  }
  return departures * waiting.departure + waiting.all_busy * waiting.mean_wait;
}

TEST(QueueModelTest, ServiceTimesAreLognormal) {
  // ln(250 ms / median) / sigma = 3.643, of which a normal table says 0.000135.
  EXPECT_NEAR(SlowServices({0.05, 0.5}, 0.25), 1.35e-4, 0.01e-4);
  const double median = 0.05 / std::sqrt(1.25);
  EXPECT_NEAR(SlowServices({0.05, 0.5}, median), 0.5, 1e-12);
  EXPECT_NEAR(SlowServices({0.05, 0}, 0.06), 0, 1e-12) << "it does not vary";
  EXPECT_NEAR(SlowServices({0.05, 0}, 0.04), 1, 1e-12);
}

TEST(QueueModelTest, OneReplicaIsErlangsQueue) {
  for (const Balancing balancing :
       {Balancing::kLeastOfTwo, Balancing::kRoundRobin, Balancing::kRandom}) {
    const Waiting waiting = WaitingAt(Model(8, 1, balancing), 1, 0.9);
    EXPECT_DOUBLE_EQ(waiting.all_busy, ErlangC(8, 7.2));
    EXPECT_NEAR(waiting.mean_wait, 0.05 / 0.8, 1e-15);
    EXPECT_EQ(waiting.departures.size(), 1u);
  }
}

TEST(QueueModelTest, OneWorkerWaitsAsPollaczekAndKhinchineSay) {
  for (const double variation : {0.5, 1.0, 2.0}) {
    const double utilization = 0.8;
    const double expected =
        utilization * (1 + variation * variation) / 2 * 0.05 / (1 - utilization);
    EXPECT_NEAR(MeanWait(WaitingAt(Model(1, variation), 1, utilization)), expected, 1e-15);
  }
}

TEST(QueueModelTest, ManyReplicasOfOneWorkerFollowTheClosedForm) {
  // s_k = u^(2^k - 1): who draws two busy replicas waits; one departure where one of them has
  // nobody waiting.
  const double u = 0.9;
  const Waiting waiting = WaitingAt(Model(1, 1), kMaxReplicas, u);
  EXPECT_NEAR(waiting.departures[0], 1 - u * u, 1e-4);
  EXPECT_NEAR(waiting.departures[1], u * u - std::pow(u, 6), 1e-4);
  EXPECT_NEAR(waiting.departures[2], std::pow(u, 6) - std::pow(u, 14), 1e-4);
}

TEST(QueueModelTest, SharesOfDeparturesAddUpToOne) {
  for (const Replicas replicas : {1, 2, 3, 60, 5'000}) {
    for (const double utilization : {0.05, 0.5, 0.9, 0.99}) {
      for (const int workers : {1, 8, 600, 10'000}) {
        const Waiting waiting = WaitingAt(Model(workers, 0.5), replicas, utilization);
        const auto& shares = waiting.departures;
        EXPECT_NEAR(std::accumulate(shares.begin(), shares.end(), 0.0), 1, 1e-12);
        for (const double share : shares) EXPECT_GE(share, 0);
      }
    }
  }
}

TEST(QueueModelTest, RoundRobinSpacesArrivalsOut) {
  // Many replicas in turn: about D/G/8, whose wait has a squared variation of 0 + 0.25 to go by.
  const Waiting waiting = WaitingAt(Model(8, 0.5, Balancing::kRoundRobin), 10'000, 0.95);
  EXPECT_NEAR(waiting.mean_wait, 0.05 * 0.25 / 2 / 0.4, 1e-4);
}

TEST(QueueModelTest, BalancersAreInOrder) {
  for (const double utilization : {0.6, 0.8, 0.9, 0.95}) {
    const auto wait = [&](Balancing balancing) {
      return MeanWait(WaitingAt(Model(8, 0.5, balancing), 16, utilization));
    };
    EXPECT_LT(wait(Balancing::kLeastOfTwo), wait(Balancing::kRoundRobin)) << utilization;
    EXPECT_LT(wait(Balancing::kRoundRobin), wait(Balancing::kRandom)) << utilization;
  }
}

// P(wait > x) straight from the definition of Waiting.
double SlowWaitTail(const Waiting& waiting, double x) {
  double tail = 0;
  for (std::size_t i = 0; i < waiting.departures.size(); ++i) {
    const double left = x - static_cast<double>(i) * waiting.departure;
    tail += waiting.departures[i] *
            (left < 0 ? 1 : waiting.all_busy * std::exp(-left / waiting.mean_wait));
  }
  return tail;
}

// Waiting and service together, by many small steps of the service time's logarithm.
double SlowLateShare(const ServiceTime& service, const Waiting& waiting, double seconds) {
  const double variance = std::log1p(service.variation * service.variation);
  const double mean = std::log(service.seconds) - variance / 2;
  constexpr int kSteps = 20'000;
  constexpr double kWidth = 16.0 / kSteps;
  double sum = 0;
  for (int i = 0; i < kSteps; ++i) {
    const double z = -8 + (i + 0.5) * kWidth;
    const double left = seconds - std::exp(mean + std::sqrt(variance) * z);
    sum += std::exp(-z * z / 2) * (left < 0 ? 1 : SlowWaitTail(waiting, left));
  }
  return sum * kWidth / std::sqrt(2 * std::acos(-1.0));
}

TEST(QueueModelTest, LateSharesAgreeWithTheirIntegral) {
  for (const Replicas replicas : {1, 2, 60}) {
    for (const double utilization : {0.3, 0.9, 0.98}) {
      for (const double variation : {0.5, 2.0}) {
        for (const double seconds : {0.03, 0.25, 1.0}) {
          const ServiceTime service{0.05, variation};
          const Waiting waiting = WaitingAt(Model(8, variation), replicas, utilization);
          const double slow = SlowLateShare(service, waiting, seconds);
          EXPECT_NEAR(LateShare(service, waiting, seconds), slow, 0.02 * slow)
              << replicas << " " << utilization << " " << variation << " " << seconds;
        }
      }
    }
  }
}

TEST(QueueModelTest, QuantilesInvertLateShares) {
  const ServiceTime service{0.05, 0.5};
  const Waiting waiting = WaitingAt(Model(8, 0.5), 4, 0.9);
  for (const double share : {0.5, 0.99, 0.999}) {
    const double seconds = LatencyQuantile(service, waiting, share);
    EXPECT_NEAR(LateShare(service, waiting, seconds), 1 - share, 0.002 * (1 - share));
  }
}

}  // namespace
}  // namespace tidegate::sizing
