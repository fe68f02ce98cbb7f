// What becomes of a pool's front, and of the requests on it, when the pool's list of ports changes.

#include <atomic>
#include <set>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "tests/integration/process_fleet_fixture.h"
#include "tests/testing/child_process.h"
#include "tests/testing/gateway_pool.h"

namespace tidegate::adapters {
namespace {

using rollout::StepKind;
using signals::Phase;
using testing::ClosedLoopLoad;
using testing::SlowUpstream;
using testing::StatusOf;
using testing::WaitUntil;

class ProcessPortsTest : public ProcessFleetFixture {};

TEST_F(ProcessPortsTest, AnotherListOfPortsReplacesTheFrontAndKeepsItsPort) {
  PoolTemplate pool = Template();
  OpenAndConfigure(pool);
  StartAll(1, 1);
  ASSERT_TRUE(BecomesReady(1));
  const std::string http = Front();
  pool.revision = "r2";
  pool.ports.push_back({"https", 443, 443, "TCP"});
  ASSERT_TRUE(fleet_->Configure({pool}).has_value());
  ASSERT_TRUE(Take(StepKind::kStart, "edge-2", "r2").has_value());
  ASSERT_TRUE(BecomesReady(2));
  EXPECT_EQ(Front(), http);
  const std::string https = fleet_->FrontAddress(kPool, "https").value();
  EXPECT_EQ(StatusOf(https, "/"), 200);
  EXPECT_EQ(StatusOf(http, "/"), 200);
  EXPECT_TRUE(WaitUntil(kPatience, [&] { return FindGatewayProcesses(state_dir()).size() == 3; }));
}

// One port stays, one comes, one goes; the load on the one that stays notices nothing, and every
// front but the last one goes by itself.
TEST_F(ProcessPortsTest, ChangesItsPortsUnderLoadWithoutAFailedRequest) {
  PoolTemplate pool = Template();
  OpenAndConfigure(pool);
  StartAll(1, 2);
  ASSERT_TRUE(BecomesReady(2));
  const std::string http = Front();
  ClosedLoopLoad load(http, 8);
  std::set<int> fronts{fleet_->FrontPid(kPool)};
  std::atomic<int> refused{0};
  std::atomic<bool> stop{false};
  // A new connection for each request: these are the ones that a listener could lose.
  std::thread newcomers([&] {
    while (!stop) refused += StatusOf(http, "/") == 200 ? 0 : 1;
  });
  for (int round = 0; round < 6; ++round) {
    pool.ports.resize(1);
    if (round % 2 == 0) pool.ports.push_back({"https", 443, 443, "TCP"});
    ASSERT_TRUE(fleet_->Configure({pool}).has_value());
    EXPECT_TRUE(WaitUntil(kPatience,
                          [&] {
                            const int pid = fleet_->FrontPid(kPool);
                            return pid != 0 && fronts.count(pid) == 0 &&
                                   FindGatewayProcesses(state_dir()).size() == 3 &&
                                   CountOf(Phase::kReady) == 2;
                          }))
        << "round " << round << ": " << FindGatewayProcesses(state_dir()).size() << " processes";
    fronts.insert(fleet_->FrontPid(kPool));
  }
  EXPECT_EQ(fronts.size(), 7u);
  stop = true;
  newcomers.join();
  load.Stop();
  EXPECT_GT(load.requests(), 100);
  EXPECT_EQ(load.failures(), 0);
  EXPECT_EQ(refused.load(), 0);
  EXPECT_EQ(Front(), http);
}

TEST_F(ProcessPortsTest, FinishesTheRequestsOfAPortThatGoes) {
  PoolTemplate pool = Template();
  const SlowUpstream slow(Duration(700));
  pool.routes = {{"/", "", slow.address()}};
  pool.ports.push_back({"https", 443, 443, "TCP"});
  OpenAndConfigure(pool);
  StartAll(1, 1);
  ASSERT_TRUE(BecomesReady(1));
  const std::string https = fleet_->FrontAddress(kPool, "https").value();
  int status = 0;
  std::thread last([&] { status = StatusOf(https, "/"); });
  // The replica has it.
  ASSERT_TRUE(WaitUntil(kPatience, [&] { return slow.requests() == 1; }));
  pool.ports.resize(1);
  ASSERT_TRUE(fleet_->Configure({pool}).has_value());
  EXPECT_TRUE(WaitUntil(kPatience, [&] { return StatusOf(https, "/") == 0; }));
  last.join();
  EXPECT_EQ(status, 200);
  EXPECT_TRUE(WaitUntil(kPatience, [&] { return FindGatewayProcesses(state_dir()).size() == 2; }));
}

// The daemon dies at an instant of the change; the next one ends with the wanted ports and one
// front, and the load notices neither.
TEST_F(ProcessPortsTest, GoesOnWithAChangeOfPortsAfterACrash) {
  PoolTemplate pool = Template();
  OpenAndConfigure(pool);
  StartAll(1, 1);
  ASSERT_TRUE(BecomesReady(1));
  ClosedLoopLoad load(Front(), 4);
  for (int round = 0; round < 8; ++round) {
    pool.ports.resize(1);
    if (round % 2 == 0) pool.ports.push_back({"https", 443, 443, "TCP"});
    ASSERT_TRUE(fleet_->Configure({pool}).has_value());
    WaitUntil(Duration(round * 6), [] { return false; });
    Drop();
    ASSERT_NO_FATAL_FAILURE(OpenAndConfigure(pool));
    EXPECT_TRUE(WaitUntil(kPatience,
                          [&] {
                            return fleet_->FrontAddresses(kPool).size() == pool.ports.size() &&
                                   FindGatewayProcesses(state_dir()).size() == 2 &&
                                   fleet_->FrontPid(kPool) != 0 && CountOf(Phase::kReady) == 1;
                          }))
        << "round " << round << ": " << FindGatewayProcesses(state_dir()).size() << " processes";
    const auto addresses = fleet_->FrontAddresses(kPool);
    if (round % 2 == 0) {
      // Its backend is empty until a replica of the new list is there.
      EXPECT_TRUE(
          WaitUntil(kPatience, [&] { return StatusOf(addresses.at("https"), "/") == 503; }));
    }
  }
  load.Stop();
  EXPECT_EQ(load.failures(), 0);
}

}  // namespace
}  // namespace tidegate::adapters
