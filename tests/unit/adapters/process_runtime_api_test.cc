#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/adapters/process/runtime_api.h"
#include "tests/testing/child_process.h"

namespace tidegate::adapters {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kHeader[] =
    "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight "
    "srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health "
    "srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord "
    "srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port\n";

TEST(ServersStateTest, ReadsWhatHaproxyWrites) {
  const auto servers = ParseServersState(
      std::string(kHeader) +
      "3 pool_http 1 a1 127.0.0.1 2 0 1 1 1 6 3 2 6 0 0 0 - 18081 - 0 0 - - 0\n"
      "3 pool_http 2 a2 127.0.0.1 0 1 1 1 1 6 3 2 6 0 0 0 - 18082 - 0 0 - - 0\n\n");
  ASSERT_TRUE(servers.has_value()) << servers.error().message;
  EXPECT_THAT(*servers, ElementsAre(ServerState{"pool_http", "a1", 18081, 2, 0},
                                    ServerState{"pool_http", "a2", 18082, 0, 1}));
  EXPECT_TRUE(servers->at(0).up());
  EXPECT_FALSE(servers->at(1).up());
  EXPECT_TRUE(servers->at(1).in_maintenance());
}

TEST(ServersStateTest, AnEmptyBackendHasNoServers) {
  const auto servers = ParseServersState(kHeader);
  ASSERT_TRUE(servers.has_value());
  EXPECT_THAT(*servers, IsEmpty());
}

TEST(ServersStateTest, RefusesWhatItDoesNotKnow) {
  for (const std::string& text :
       {std::string(), std::string("Unknown command.\n"), std::string("1\n3 pool_http\n"),
        std::string(kHeader) + "3 pool_http 1 a1\n",
        std::string(kHeader) +
            "3 pool_http 1 a1 127.0.0.1 x 0 1 1 1 6 3 2 6 0 0 0 - 18081 - 0 0 - - 0\n"}) {
    EXPECT_FALSE(ParseServersState(text).has_value()) << text;
  }
}

TEST(StatTest, ReadsTheColumnsByName) {
  const auto rows = ParseStat(
      "# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,"
      "wredis,status,weight,\n"
      "pool_http,a1,3,4,5,6,50,70,0,0,,0,,0,0,0,0,UP,1,\n");
  ASSERT_TRUE(rows.has_value()) << rows.error().message;
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_EQ(rows->at(0).proxy, "pool_http");
  EXPECT_EQ(rows->at(0).name, "a1");
  EXPECT_EQ(rows->at(0).status, "UP");
  EXPECT_EQ(rows->at(0).queued, 3);
  EXPECT_EQ(rows->at(0).sessions, 5);
  EXPECT_EQ(rows->at(0).total, 70);
  EXPECT_FALSE(ParseStat("Permission denied\n").has_value());
}

TEST(RuntimeApiTest, AddsAServerThatIsCheckedOnItsMetricsPort) {
  EXPECT_EQ(
      AddServerCommand({"pool_http", "a1", 18081, 18082, 50, Duration(500)}),
      "add server pool_http/a1 127.0.0.1:18081 maxconn 50 check port 18082 inter 500ms rise 1 "
      "fall 2; enable health pool_http/a1; enable server pool_http/a1");
}

TEST(RuntimeApiTest, ReportsASocketThatNobodyListensOn) {
  const testing::TempDir dir;
  const auto answer = RuntimeApi(dir.path().string(), "front.sock", Duration(200)).Run("show info");
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace tidegate::adapters
