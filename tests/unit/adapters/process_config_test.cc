#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/adapters/process/haproxy_config.h"
#include "tests/testing/child_process.h"

namespace tidegate::adapters {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

PoolTemplate Edge() {
  PoolTemplate pool;
  pool.id = {"istio-system", "edge"};
  pool.revision = "0a1b2c3d";
  pool.ports = {{"http", 80, 8080, "TCP"}, {"https", 443, 443, "TCP"}};
  pool.routes = {{"/", "", "127.0.0.1:9000"},
                 {"/api", "", "127.0.0.1:9001"},
                 {"/", "*.example.com", "127.0.0.1:9002"},
                 {"/", "shop.example.com", "127.0.0.1:9003"}};
  pool.access_log_project = "mesh-log-1";
  return pool;
}

const std::vector<PortBinding> kBindings = {{"http", 20080}, {"https", 20443}};

// What HAProxy itself says of the text; empty if it takes it.
std::string Complaint(const std::string& config) {
  const testing::TempDir dir;
  const auto path = dir.Write("haproxy.cfg", config);
  const auto result = testing::RunProgram({"/usr/sbin/haproxy", "-c", "-f", path.string()},
                                          std::chrono::seconds(20));
  if (!result) return result.error().message;
  return result->status == 0 ? "" : result->output;
}

TEST(ReplicaConfigTest, IsTakenByHaproxy) {
  EXPECT_EQ(Complaint(ReplicaConfig(Edge(), kBindings, 20900)), "");
}

TEST(ReplicaConfigTest, TriesTheMostSpecificRouteFirst) {
  const std::string text = ReplicaConfig(Edge(), kBindings, 20900);
  EXPECT_THAT(text, HasSubstr("backend route_0\n    server upstream 127.0.0.1:9003"));
  EXPECT_THAT(text, HasSubstr("backend route_1\n    server upstream 127.0.0.1:9002"));
  EXPECT_THAT(text, HasSubstr("backend route_2\n    server upstream 127.0.0.1:9001"));
  EXPECT_THAT(text, HasSubstr("backend route_3\n    server upstream 127.0.0.1:9000"));
}

TEST(ReplicaConfigTest, LogsOnlyWhereAProjectIsNamed) {
  PoolTemplate pool = Edge();
  EXPECT_THAT(ReplicaConfig(pool, kBindings, 20900), HasSubstr("log stdout"));
  pool.access_log_project.clear();
  EXPECT_THAT(ReplicaConfig(pool, kBindings, 20900), Not(HasSubstr("log stdout")));
}

TEST(ReplicaConfigTest, TakesManyRoutes) {
  PoolTemplate pool = Edge();
  for (int i = 0; i < 500; ++i) {
    pool.routes.push_back({"/service-" + std::to_string(i) + "/", "", "127.0.0.1:9000"});
  }
  ASSERT_THAT(Problems(pool), IsEmpty());
  EXPECT_EQ(Complaint(ReplicaConfig(pool, kBindings, 20900)), "");
}

TEST(FrontConfigTest, IsTakenByHaproxyWithAndWithoutTheFault) {
  const FrontSetup setup{kBindings, Duration(30'000), 1'000};
  ProcessFleetOptions options;
  EXPECT_EQ(Complaint(FrontConfig(setup, options)), "");
  EXPECT_THAT(FrontConfig(setup, options), HasSubstr("option redispatch"));
  options.fault = ProcessFault::kDrainOrder;
  EXPECT_EQ(Complaint(FrontConfig(setup, options)), "");
  EXPECT_THAT(FrontConfig(setup, options), Not(HasSubstr("option redispatch")));
}

TEST(PoolTemplateTest, ReportsEachProblem) {
  EXPECT_THAT(Problems(Edge()), IsEmpty());
  PoolTemplate pool = Edge();
  pool.ports[0].protocol = "UDP";
  pool.ports[1].name = "http";
  pool.threads = 0;
  pool.routes[0].upstream = "127.0.0.1";
  EXPECT_THAT(Problems(pool), SizeIs(4));
}

TEST(PoolTemplateTest, RefusesTextThatWouldWriteDirectives) {
  for (const std::string bad :
       {"/ } use_backend x", "/'\n", "/\"", "/a b", "/#", "/\\", "api", ""}) {
    PoolTemplate pool = Edge();
    pool.routes[0].prefix = bad;
    EXPECT_THAT(Problems(pool), SizeIs(1)) << bad;
  }
  for (const std::string& bad :
       std::vector<std::string>{"a:1\nserver", "a:0", "a:65536", ":80", "a b:80", "a:"}) {
    PoolTemplate pool = Edge();
    pool.routes[0].upstream = bad;
    EXPECT_THAT(Problems(pool), SizeIs(1)) << bad;
  }
  PoolTemplate pool = Edge();
  pool.access_log_project = "../../etc/passwd";
  EXPECT_THAT(Problems(pool), SizeIs(1));
}

}  // namespace
}  // namespace tidegate::adapters
