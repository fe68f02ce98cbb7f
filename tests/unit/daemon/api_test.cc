#include "scheduler/daemon/api.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/adapters/journal/sqlite_journal.h"
#include "scheduler/decision/decision.h"
#include "scheduler/telemetry/exporter.h"
#include "tests/testing/child_process.h"
#include "tests/testing/metrics_text.h"
#include "tests/testing/tick_story.h"
#include "traces/net/http_client.h"
#include "traces/net/http_server.h"
#include "traces/net/url.h"

namespace tidegate::daemon {
namespace {

namespace json = boost::json;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr Instant kStart = FromUnixMillis(1'800'000'000'000);

std::string TypeOf(const net::HttpResponse& response) {
  const std::string* type = net::FindHeader(response.headers, "Content-Type");
  return type == nullptr ? "" : *type;
}

// Two pools with ten ticks on record.
class ApiTest : public ::testing::Test {
 protected:
  ApiTest() : story_(2), journal_(OpenJournal()) {
    context_.published = &published_;
    context_.metrics = [] { return "up 1\n"; };
    context_.targets = [] { return R"([{"targets":["127.0.0.1:1"]}])"; };
    context_.fronts = [](const PoolId&) {
      return std::vector<FrontAddress>{{"http", "127.0.0.1:8080"}};
    };
    context_.alive = [this] { return alive_; };
    context_.journal_path = Path();
    context_.version = "1.2.3";
  }
  std::string Path() const { return (dir_.path() / "journal.db").string(); }
  std::unique_ptr<adapters::SqliteJournal> OpenJournal() const {
    auto journal = adapters::SqliteJournal::Open({.path = Path()});
    EXPECT_TRUE(journal) << journal.error().message;
    return *std::move(journal);
  }

  void Tick(int count = 1) {
    for (int i = 0; i < count; ++i) {
      at_ += seconds(5);
      story_.Advance(at_);
      std::vector<ports::JournalEntry> entries;
      for (const auto& decision : story_.tick().decisions) {
        entries.push_back({.decision = &decision, .pool = &decision.pool, .state = nullptr});
      }
      ASSERT_TRUE(journal_->Append(at_, entries));
    }
    Publish({});
  }
  void Publish(ConfigStatus status) {
    published_.Set(
        {std::make_shared<const loop::Tick>(story_.tick()), std::move(status), seconds(5)});
  }
  net::HttpResponse Get(const std::string& target, const std::string& method = "GET") const {
    return Answer({.method = method, .target = target, .headers = {}, .body = {}}, context_);
  }

  const testing::TempDir dir_;
  testing::TickStory story_;
  std::unique_ptr<adapters::SqliteJournal> journal_;
  Published published_;
  ApiContext context_;
  Instant at_ = kStart;
  bool alive_ = true;
};

const char kDecisions[] = "/api/v1/pools/shop/edge-00001/decisions";

TEST_F(ApiTest, IndexNamesEveryRoute) {
  const auto response = Get("/");
  EXPECT_EQ(response.status, 200);
  for (const char* route :
       {"/metrics", "/healthz", "/readyz", "/api/v1/pools", "/api/v1/targets"}) {
    EXPECT_THAT(response.body, HasSubstr(route));
  }
}

TEST_F(ApiTest, IsNotReadyBeforeTheFirstTick) {
  EXPECT_EQ(Get("/readyz").status, 503);
  EXPECT_EQ(Get("/api/v1/pools").status, 503);
  EXPECT_EQ(Get("/healthz").status, 200);
}

TEST_F(ApiTest, IsReadyAfterTheFirstTick) {
  Tick();
  EXPECT_EQ(Get("/readyz").status, 200);
}

TEST_F(ApiTest, HealthFollowsTheLoop) {
  alive_ = false;
  EXPECT_EQ(Get("/healthz").status, 503);
  alive_ = true;
  EXPECT_EQ(Get("/healthz").status, 200);
}

TEST_F(ApiTest, MetricsComeInPrometheussTextFormat) {
  const auto response = Get("/metrics");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "up 1\n");
  EXPECT_THAT(TypeOf(response), ::testing::StartsWith("text/plain; version=0.0.4"));
}

TEST_F(ApiTest, TargetsAreServedAsJson) {
  const auto response = Get("/api/v1/targets");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(TypeOf(response), "application/json");
  EXPECT_EQ(response.body, R"([{"targets":["127.0.0.1:1"]}])");
}

TEST_F(ApiTest, PoolsTellVersionConfigurationAndEachPool) {
  Tick();
  const auto response = Get("/api/v1/pools");
  ASSERT_EQ(response.status, 200);
  EXPECT_EQ(TypeOf(response), "application/json");
  const json::value body = json::parse(response.body);
  EXPECT_EQ(body.at("version").as_string(), "1.2.3");
  EXPECT_TRUE(body.at("config").at("ok").as_bool());
  ASSERT_EQ(body.at("pools").as_array().size(), 2U);
  const json::value& pool = body.at("pools").at(1);
  EXPECT_EQ(pool.at("name").as_string(), "edge-00001");
  EXPECT_EQ(pool.at("desired").to_number<int>(), story_.tick().decisions[1].desired.replicas);
  EXPECT_EQ(pool.at("fronts").at("http").as_string(), "127.0.0.1:8080");
}

TEST_F(ApiTest, PoolsTellWhatIsWrongWithTheFilesOnDisk) {
  Tick();
  Publish({.ok = false, .loaded = kStart, .problems = {"edge.yaml:3:1: bad"}, .notes = {}});
  const json::value body = json::parse(Get("/api/v1/pools").body);
  EXPECT_FALSE(body.at("config").at("ok").as_bool());
  EXPECT_EQ(body.at("config").at("problems").at(0).as_string(), "edge.yaml:3:1: bad");
}

TEST_F(ApiTest, DecisionsGiveTheLastOneAsJson) {
  Tick(10);
  const auto response = Get(kDecisions);
  ASSERT_EQ(response.status, 200);
  EXPECT_EQ(TypeOf(response), "application/json");
  EXPECT_EQ(json::parse(response.body).as_array().size(), 1U);
}

TEST_F(ApiTest, DecisionsGiveAsManyAsAsked) {
  Tick(10);
  EXPECT_EQ(json::parse(Get(std::string(kDecisions) + "?last=4").body).as_array().size(), 4U);
}

TEST_F(ApiTest, DecisionsAsTextAreWhatExplainPrints) {
  Tick(3);
  const auto response = Get(std::string(kDecisions) + "?format=text");
  EXPECT_THAT(TypeOf(response), ::testing::StartsWith("text/plain"));
  EXPECT_EQ(response.body, decision::ToText(story_.tick().decisions[1]));
}

TEST_F(ApiTest, DecisionsLookBackFromAnInstant) {
  Tick(10);
  const std::string at = FormatInstant(kStart + seconds(12));  // between the second and the third
  const auto response = Get(std::string(kDecisions) + "?format=text&at=" + at);
  ASSERT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr(FormatInstant(kStart + seconds(10))));
}

TEST_F(ApiTest, DecisionsBeforeTheFirstAreNotFound) {
  Tick();
  const auto response = Get(std::string(kDecisions) + "?at=" + FormatInstant(kStart));
  EXPECT_EQ(response.status, 404);
  EXPECT_THAT(response.body, HasSubstr("shop/edge-00001"));
}

TEST_F(ApiTest, DecisionsOfAnUnknownPoolAreNotFound) {
  Tick();
  EXPECT_EQ(Get("/api/v1/pools/shop/nobody/decisions").status, 404);
}

TEST_F(ApiTest, DecisionsWithoutAJournalAreNotFound) {
  context_.journal_path = (dir_.path() / "none.db").string();
  EXPECT_EQ(Get(kDecisions).status, 404);
}

TEST_F(ApiTest, BadParametersAreNamed) {
  Tick();
  const std::vector<std::pair<std::string, std::string>> cases{
      {"last=0", "last"},    {"last=1001", "last"},    {"last=-1", "last"},
      {"last=2x", "last"},   {"last=", "last"},        {"at=yesterday", "yesterday"},
      {"form=json", "form"}, {"format=xml", "format"}, {"last=99999999999999999999", "last"}};
  for (const auto& [parameters, named] : cases) {
    const auto response = Get(std::string(kDecisions) + "?" + parameters);
    EXPECT_EQ(response.status, 400) << parameters;
    EXPECT_THAT(response.body, HasSubstr(named)) << parameters;
  }
}

TEST_F(ApiTest, UnknownPagesAreNotFound) {
  Tick();
  for (const char* target :
       {"/nothing", "/api/v1/pools/", "/api/v1/pools/shop", "/api/v1/pools/shop/decisions",
        "/api/v1/pools/shop/edge/x/decisions", "/api/v1/pools/decisions", "/metrics/"}) {
    EXPECT_EQ(Get(target).status, 404) << target;
  }
}

TEST_F(ApiTest, OnlyGetAndHeadAreServed) {
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
    EXPECT_EQ(Get("/metrics", method).status, 405) << method;
  }
  EXPECT_EQ(Get("/metrics", "HEAD").status, 200);
}

TEST_F(ApiTest, ABrokenTargetIsABadRequest) { EXPECT_EQ(Get("/metrics%zz").status, 400); }

TEST_F(ApiTest, LiveMetricsPageHasPrometheussContentTypeAndParses) {
  telemetry::Exporter exporter({.version = "1.2.3", .revision = "abc"});
  context_.metrics = [&] { return exporter.Serialize(); };
  const auto server = net::HttpServer::Start(
      {}, [this](const net::HttpRequest& request) { return Answer(request, context_); });
  ASSERT_TRUE(server) << server.error().message;
  auto client = net::HttpClient::Create(*net::ParseUrl((*server)->url()), {});
  ASSERT_TRUE(client);
  const auto response = client->Send({.target = "/metrics", .headers = {}, .body = ""}, seconds(5));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(TypeOf(*response), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_TRUE(testing::ParseMetricsText(response->body));
  EXPECT_THAT(response->body, HasSubstr("tidegate_build_info"));
}

}  // namespace
}  // namespace tidegate::daemon
