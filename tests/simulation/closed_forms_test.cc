// The request-level pool against the closed forms of queueing theory. Each case serves ten million
// requests and more in batches; what is asked is that the formula lies within three standard errors
// of the mean of the batches' means, and that the standard error itself is small.
#include <cmath>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/engine/calendar.h"
#include "sim/report/statistics.h"
#include "sim/world/request_pool.h"

namespace tidegate::sim {
namespace {

constexpr Instant kStart = FromUnixMillis(1'767'225'600'000);
constexpr double kService = 0.05;
constexpr std::size_t kBatches = 40;
constexpr double kPerBatch = 300'000;  // 12 M requests in all, and one batch to warm up
constexpr std::uint64_t kSeed = 1;

// Erlang's B by its recursion: the share of requests that find c workers busy under a load of
// a = arrival rate x service time, with no place to wait.
double ErlangB(int c, double a) {
  double b = 1;
  for (int i = 1; i <= c; ++i) b = a * b / (i + a * b);
  return b;
}

// Mean wait in M/M/c: Erlang's C over c mu - lambda.
double ErlangCWait(int c, double rho) {
  const double b = ErlangB(c, c * rho);
  return b / (1 - rho * (1 - b)) * kService / (c * (1 - rho));
}

// Pollaczek and Khinchine: mean wait in M/G/1, by the coefficient of variation.
double PollaczekWait(double rho, double variation) {
  return rho * (1 + variation * variation) / 2 * kService / (1 - rho);
}

ServiceModel Model(int workers, ServiceKind kind, double variation) {
  ServiceModel model;
  model.workers = workers;
  model.service_seconds = kService;
  model.patience_seconds = 1e9;
  model.requests.distribution = kind;
  model.requests.variation = variation;
  return model;
}

// Pools in a row under a constant rate, and what is measured of the last one, batch by batch.
class Bench {
 public:
  explicit Bench(const std::vector<ServiceModel>& models, double rate) : calendar_(kStart) {
    batch_ = Duration(static_cast<std::int64_t>(kPerBatch / rate * 1'000));
    trace_.bin = batch_;
    trace_.requests.assign(kBatches + 2, rate * Seconds(batch_));
    for (const ServiceModel& model : models) {
      pools_.push_back(
          std::make_unique<RequestPool>(calendar_, trace_, kStart, model, kSeed + pools_.size()));
      if (pools_.size() > 1) pools_.back()->FollowOn(*pools_[pools_.size() - 2]);
      pools_.back()->Adopt("r", "v1");
    }
  }

  // Seconds that the requests of a batch waited, on average.
  std::vector<double> Waits() {
    return Batches([](const RequestPool& pool) { return pool.waited_seconds(); },
                   [](const RequestPool& pool) { return static_cast<double>(pool.accepted()); });
  }
  // The share of a batch's requests that found the line full.
  std::vector<double> Rejected() {
    return Batches([](const RequestPool& pool) { return pool.total().rejected; },
                   [](const RequestPool& pool) { return pool.total().arrived; });
  }

 private:
  template <typename Sum, typename Count>
  std::vector<double> Batches(Sum sum, Count count) {
    RequestPool& pool = *pools_.back();
    std::vector<double> means;
    pool.AdvanceTo(kStart + batch_);
    for (std::size_t i = 0; i < kBatches; ++i) {
      const double sum_before = sum(pool), count_before = count(pool);
      pool.AdvanceTo(kStart + batch_ * static_cast<int>(i + 2));
      means.push_back((sum(pool) - sum_before) / (count(pool) - count_before));
    }
    EXPECT_GE(pool.total().arrived, 10e6);
    return means;
  }

  Calendar calendar_;
  traces::Trace trace_;
  Duration batch_{0};
  std::vector<std::unique_ptr<RequestPool>> pools_;
};

void ExpectMean(std::span<const double> batches, double theory, double precision) {
  const double mean = Mean(batches);
  const double error = std::sqrt(Variance(batches) / static_cast<double>(batches.size()));
  testing::Test::RecordProperty("theory", fmt::format("{:.6g}", theory));
  testing::Test::RecordProperty("simulated", fmt::format("{:.6g}", mean));
  testing::Test::RecordProperty("standard_errors", fmt::format("{:.2f}", (mean - theory) / error));
  EXPECT_LE(std::abs(mean - theory), 3 * error) << mean << ", expected " << theory;
  EXPECT_LE(error, precision * theory) << "the run says too little";
}

class ClosedFormTest : public testing::TestWithParam<double> {
 protected:
  double rho() const { return GetParam(); }
  double Rate(int workers) const { return rho() * workers / kService; }
  // How long it takes to forget grows with 1 / (1 - rho)^2.
  double Precision() const { return rho() > 0.95 ? 0.03 : 0.01; }
};

TEST_P(ClosedFormTest, MM1) {
  Bench bench({Model(1, ServiceKind::kExponential, 1)}, Rate(1));
  ExpectMean(bench.Waits(), ErlangCWait(1, rho()), Precision());
}

TEST_P(ClosedFormTest, MM2) {
  Bench bench({Model(2, ServiceKind::kExponential, 1)}, Rate(2));
  ExpectMean(bench.Waits(), ErlangCWait(2, rho()), Precision());
}

TEST_P(ClosedFormTest, MM32) {
  Bench bench({Model(32, ServiceKind::kExponential, 1)}, Rate(32));
  // At half load one request in 25,000 waits: the mean rests on few.
  ExpectMean(bench.Waits(), ErlangCWait(32, rho()), rho() < 0.6 ? 0.1 : 2 * Precision());
}

TEST_P(ClosedFormTest, MD1) {
  Bench bench({Model(1, ServiceKind::kDeterministic, 0)}, Rate(1));
  ExpectMean(bench.Waits(), PollaczekWait(rho(), 0), Precision());
}

TEST_P(ClosedFormTest, MG1Lognormal) {
  Bench bench({Model(1, ServiceKind::kLognormal, 1.5)}, Rate(1));
  ExpectMean(bench.Waits(), PollaczekWait(rho(), 1.5), 2 * Precision());
}

TEST_P(ClosedFormTest, MG1Hyperexponential) {
  Bench bench({Model(1, ServiceKind::kHyperexponential, 2)}, Rate(1));
  ExpectMean(bench.Waits(), PollaczekWait(rho(), 2), 2 * Precision());
}

TEST_P(ClosedFormTest, MG1Empirical) {
  ServiceModel model = Model(1, ServiceKind::kEmpirical, 0);
  model.requests.empirical_seconds = {0.02, 0.03, 0.1};  // mean 0.05
  const double variation = std::sqrt((0.0004 + 0.0009 + 0.01) / 3 / 0.0025 - 1);
  Bench bench({model}, Rate(1));
  ExpectMean(bench.Waits(), PollaczekWait(rho(), variation), Precision());
}

// Who finds no place is lost; Erlang's B holds for any distribution of service times.
TEST_P(ClosedFormTest, ErlangLoss) {
  for (const ServiceKind kind : {ServiceKind::kExponential, ServiceKind::kLognormal}) {
    ServiceModel model = Model(8, kind, 1.5);
    model.requests.queue_limit = 0;
    Bench bench({model}, Rate(8));
    ExpectMean(bench.Rejected(), ErlangB(8, 8 * rho()), 0.01);
  }
}

// M/M/c/c+k: p(n) is a^n / n! up to c and shrinks by rho for each that waits.
TEST_P(ClosedFormTest, LossWithABoundedQueue) {
  constexpr int kWorkers = 4;
  constexpr int kPlaces = 6;
  ServiceModel model = Model(kWorkers, ServiceKind::kExponential, 1);
  model.requests.queue_limit = kPlaces;
  double weight = 1, sum = 1;
  for (int n = 1; n <= kWorkers + kPlaces; ++n) {
    weight *= kWorkers * rho() / std::min(n, kWorkers);
    sum += weight;
  }
  Bench bench({model}, Rate(kWorkers));
  ExpectMean(bench.Rejected(), weight / sum, rho() < 0.6 ? 0.03 : 0.01);
}

// What leaves M/M/c is Poisson again (Burke 1956), so the second pool of a chain is one by itself.
TEST_P(ClosedFormTest, ChainOfTwoPools) {
  Bench bench({Model(4, ServiceKind::kExponential, 1), Model(2, ServiceKind::kExponential, 1)},
              Rate(2));
  ExpectMean(bench.Waits(), ErlangCWait(2, rho()), Precision());
}

INSTANTIATE_TEST_SUITE_P(Loads, ClosedFormTest, testing::Values(0.5, 0.9, 0.97),
                         [](const auto& load) {
                           return fmt::format("Rho{}", std::lround(load.param * 100));
                         });

}  // namespace
}  // namespace tidegate::sim
