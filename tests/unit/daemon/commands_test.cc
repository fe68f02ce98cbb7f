#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/adapters/journal/sqlite_journal.h"
#include "scheduler/daemon/cmd_explain.h"
#include "scheduler/daemon/cmd_status.h"
#include "scheduler/daemon/status_json.h"
#include "scheduler/decision/decision.h"
#include "tests/testing/child_process.h"
#include "tests/testing/tick_story.h"
#include "traces/net/http_server.h"

namespace tidegate::daemon {
namespace {

using std::chrono::seconds;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr Instant kStart = FromUnixMillis(1'800'000'000'000);

struct Result {
  int code = 0;
  std::string out;
  std::string err;
};

Result Explain(const ExplainOptions& options) {
  std::ostringstream out;
  std::ostringstream err;
  const int code = RunExplain(options, out, err);
  return {code, out.str(), err.str()};
}

Result Status(const StatusOptions& options) {
  std::ostringstream out;
  std::ostringstream err;
  const int code = RunStatus(options, out, err);
  return {code, out.str(), err.str()};
}

// An address where nothing listens.
std::string Nowhere() { return fmt::format("http://127.0.0.1:{}", testing::FreePort()); }

// What a daemon would show after some ticks.
std::string Body(ConfigStatus status = {}) {
  testing::TickStory story(3);
  for (int i = 1; i <= 9; ++i) story.Advance(kStart + seconds(i));
  ApiContext context;
  context.version = "1.2.3";
  context.fronts = [](const PoolId&) {
    return std::vector<FrontAddress>{{"http", "127.0.0.1:8080"}};
  };
  const Shown shown{std::make_shared<const loop::Tick>(story.tick()), std::move(status),
                    seconds(5)};
  return StatusJson(shown, context);
}

TEST(RunExplainTest, APoolWithoutNamespaceIsBadInput) {
  for (const char* pool : {"edge", "/edge", "shop/", ""}) {
    const Result result = Explain({.pool = pool, .at = "", .journal = ""});
    EXPECT_EQ(result.code, 2) << pool;
    EXPECT_THAT(result.err, HasSubstr("NAMESPACE/NAME")) << pool;
    EXPECT_THAT(result.out, IsEmpty());
  }
}

TEST(RunExplainTest, ATimeThatIsNoneIsBadInput) {
  const Result result = Explain({.pool = "shop/edge", .at = "yesterday", .journal = ""});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("--at"));
}

TEST(RunExplainTest, ADaemonThatIsNotThereFailsWithAHint) {
  const Result result =
      Explain({.pool = "shop/edge", .at = "", .server = Nowhere(), .journal = ""});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("tidegate run"));
}

TEST(RunExplainTest, AServerThatIsNoUrlIsBadInput) {
  const Result result = Explain({.pool = "shop/edge", .at = "", .server = "foo", .journal = ""});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("--server: \"foo\""));
}

TEST(RunExplainTest, ADaemonsRefusalIsToldInOneLine) {
  const auto server = net::HttpServer::Start({}, [](const net::HttpRequest&) {
    return net::MakeResponse(404, "text/plain", "no decision\n");
  });
  ASSERT_TRUE(server);
  const Result result =
      Explain({.pool = "shop/edge", .at = "", .server = (*server)->url(), .journal = ""});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, EndsWith(" no decision\n"));
}

TEST(RunExplainTest, AMissingJournalIsBadInput) {
  const testing::TempDir dir;
  const Result result =
      Explain({.pool = "shop/edge", .at = "", .journal = (dir.path() / "none.db").string()});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("none.db"));
}

TEST(RunExplainTest, WhatIsNoJournalIsBadInput) {
  const testing::TempDir dir;
  dir.Write("empty.db", "");
  const Result result =
      Explain({.pool = "shop/edge", .at = "", .journal = (dir.path() / "empty.db").string()});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("empty.db is not a journal of tidegate"));
}

TEST(RunExplainTest, WhatAJournalDoesNotHoldIsToldInOneLineWithTheTime) {
  const testing::TempDir dir;
  const std::string path = (dir.path() / "journal.db").string();
  ASSERT_TRUE(adapters::SqliteJournal::Open({.path = path}));
  const Result result =
      Explain({.pool = "shop/edge", .at = "2026-11-27T00:05:00Z", .journal = path});
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(result.err,
            "tidegate explain: no decision on record for pool shop/edge at or before "
            "2026-11-27T00:05:00Z\n");
}

TEST(RunExplainTest, ReadsAJournalWithoutADaemon) {
  const testing::TempDir dir;
  const std::string path = (dir.path() / "journal.db").string();
  testing::TickStory story(1);
  story.Advance(kStart);
  const decision::Decision& decision = story.tick().decisions.at(0);
  {
    const auto journal = adapters::SqliteJournal::Open({.path = path});
    ASSERT_TRUE(journal);
    const std::vector<ports::JournalEntry> entries{
        {.decision = &decision, .pool = &decision.pool, .state = nullptr}};
    ASSERT_TRUE((*journal)->Append(kStart, entries));
  }
  const Result text = Explain({.pool = "shop/edge-00000", .at = "", .journal = path});
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_EQ(text.out, decision::ToText(decision));
  const Result json = Explain({.pool = "shop/edge-00000", .at = "", .journal = path, .json = true});
  EXPECT_EQ(json.code, 0);
  EXPECT_EQ(boost::json::parse(json.out).as_array().size(), 1U);
}

TEST(StatusTableTest, HasALineForEachPool) {
  const std::string table = StatusTable(Body());
  EXPECT_THAT(table, HasSubstr("tidegate 1.2.3"));
  for (const char* pool : {"shop/edge-00000", "shop/edge-00001", "shop/edge-00002"}) {
    EXPECT_THAT(table, HasSubstr(pool));
  }
  EXPECT_THAT(table, HasSubstr("http at 127.0.0.1:8080"));
}

TEST(StatusTableTest, ShowsWhatIsWrongWithTheFilesOnDisk) {
  const std::string table = StatusTable(
      Body({.ok = false, .loaded = kStart, .problems = {"edge.yaml:3:1: bad"}, .notes = {}}));
  EXPECT_THAT(table, HasSubstr("BAD"));
  EXPECT_THAT(table, HasSubstr("  edge.yaml:3:1: bad\n"));
  EXPECT_THAT(StatusTable(Body()), Not(HasSubstr("BAD")));
}

TEST(StatusTableTest, ShowsNotes) {
  EXPECT_THAT(StatusTable(Body({.problems = {}, .notes = {"spec.tick has changed"}})),
              HasSubstr("note: spec.tick has changed\n"));
}

TEST(StatusTableTest, IsEmptyForABodyThatIsNotTidegates) {
  for (const char* body : {"", "hello", "{}", "[]", R"({"version":1})"}) {
    EXPECT_EQ(StatusTable(body), "") << body;
  }
}

TEST(RunStatusTest, ADaemonThatIsNotThereFailsWithAHint) {
  const Result result = Status({.server = Nowhere()});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("tidegate run"));
  EXPECT_THAT(result.out, IsEmpty());
}

TEST(RunStatusTest, AServerThatIsNoUrlIsBadInput) {
  const Result result = Status({.server = "foo"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("--server: \"foo\""));
}

TEST(RunStatusTest, AnotherProgramsAnswerFails) {
  const auto server = net::HttpServer::Start(
      {}, [](const net::HttpRequest&) { return net::MakeResponse(200, "text/plain", "hello"); });
  ASSERT_TRUE(server);
  const Result result = Status({.server = (*server)->url()});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("is not tidegate's"));
}

TEST(RunStatusTest, PrintsTheDaemonsJsonAsItIs) {
  const std::string body = Body();
  const auto server = net::HttpServer::Start({}, [&](const net::HttpRequest& request) {
    return net::MakeResponse(request.target == "/api/v1/pools" ? 200 : 404, "application/json",
                             body);
  });
  ASSERT_TRUE(server);
  const Result result = Status({.server = (*server)->url(), .json = true});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, body + "\n");
}

}  // namespace
}  // namespace tidegate::daemon
