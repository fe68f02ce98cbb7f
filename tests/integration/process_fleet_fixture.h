#pragma once

#include <atomic>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "scheduler/adapters/process/gateway_process.h"
#include "scheduler/adapters/process/process_fleet.h"
#include "scheduler/adapters/system_clock.h"
#include "tests/testing/child_process.h"
#include "tests/testing/gateway_pool.h"

namespace tidegate::adapters {

constexpr Duration kPatience = std::chrono::seconds(30);
inline const PoolId kPool{"istio-system", "edge"};

// A fleet with one pool in a directory of its own; at the end nothing of it runs any more.
class ProcessFleetFixture : public ::testing::Test {
 protected:
  ~ProcessFleetFixture() override {
    if (fleet_) fleet_->Stop(true);
    fleet_.reset();
    EXPECT_TRUE(FindGatewayProcesses(state_dir()).empty());
  }

  std::string state_dir() const { return (dir_.path() / "state").string(); }

  ProcessFleetOptions Options() {
    ProcessFleetOptions options;
    options.state_dir = state_dir();
    options.health_interval = Duration(200);
    options.on_change = [this] { ++changes_; };
    options.on_warning = [](const std::string& text) { GTEST_LOG_(INFO) << text; };
    return options;
  }

  PoolTemplate Template() const {
    PoolTemplate pool;
    pool.id = kPool;
    pool.revision = "r1";
    pool.ports = {{"http", 80, 80, "TCP"}};
    pool.routes = {{"/", "", upstream_.address()}};
    pool.drain_deadline = Duration(5'000);
    pool.export_cluster = "c1";
    return pool;
  }

  void Open(const ProcessFleetOptions& options) {
    auto fleet = ProcessFleet::Open(options);
    ASSERT_TRUE(fleet.has_value()) << fleet.error().message;
    fleet_ = std::move(*fleet);
  }

  void OpenAndConfigure(const PoolTemplate& pool) {
    Open(Options());
    const auto configured = fleet_->Configure({pool});
    ASSERT_TRUE(configured.has_value()) << configured.error().message;
  }

  Expected<void> Take(rollout::StepKind kind, const std::string& replica,
                      const Revision& revision = "r1") {
    return fleet_->Request(clock_.Now(), kPool,
                           {kind, replica, revision, rollout::StepReason::kGrow});
  }

  static std::string NameOf(int i) { return "edge-" + std::to_string(i); }

  void StartAll(int from, int to) {
    for (int i = from; i <= to; ++i)
      ASSERT_TRUE(Take(rollout::StepKind::kStart, NameOf(i)).has_value());
  }
  void DrainAll(int from, int to) {
    for (int i = from; i <= to; ++i)
      ASSERT_TRUE(Take(rollout::StepKind::kDrain, NameOf(i)).has_value());
  }

  int CountOf(signals::Phase phase) const {
    int count = 0;
    for (const auto& replica : fleet_->Observe(kPool)) count += replica.phase == phase ? 1 : 0;
    return count;
  }
  int Size() const { return static_cast<int>(fleet_->Observe(kPool).size()); }

  ::testing::AssertionResult BecomesReady(int count) const {
    if (testing::WaitUntil(kPatience, [&] {
          return CountOf(signals::Phase::kReady) == count && Size() == count;
        })) {
      return ::testing::AssertionSuccess();
    }
    return ::testing::AssertionFailure()
           << CountOf(signals::Phase::kReady) << " ready of " << Size() << ", expected " << count;
  }

  std::string Front() const { return fleet_->FrontAddress(kPool, "http").value(); }

  // As a crash of the daemon does: nothing is told to the processes.
  void Drop() { fleet_.reset(); }

  testing::TempDir dir_;
  testing::SlowUpstream upstream_{Duration(20)};
  SystemClock clock_;
  std::atomic<int> changes_{0};
  std::unique_ptr<ProcessFleet> fleet_;
};

}  // namespace tidegate::adapters
