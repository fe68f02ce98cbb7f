// `tidegate diff` and `tidegate explain --without`, over a journal of ten decisions.
#include "scheduler/daemon/cmd_diff.h"

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/adapters/journal/sqlite_journal.h"
#include "scheduler/daemon/cmd_explain.h"
#include "tests/testing/child_process.h"
#include "tests/testing/manifests.h"
#include "tests/testing/recorded_story.h"

namespace tidegate::daemon {
namespace {

namespace json = boost::json;
using std::chrono::seconds;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr Instant kStart = FromUnixMillis(1'800'000'000'000);

struct Result {
  int code = 0;
  std::string out;
  std::string err;
};

// The journal of istio-system/edge under the manifests of testing/manifests.h, one decision a
// minute: from 2 replicas to 10 and, after the window of five minutes, to 2 again.
class DiffCommandTest : public ::testing::Test {
 protected:
  DiffCommandTest() {
    decision::PoolSpec spec = testing::CompiledText(Manifests("")).pools.at(0);
    spec.targets.at(0).signal = "rps";
    const std::vector<double> loads{200, 1000, 1000, 200, 200, 200, 200, 200, 200, 200};
    const auto journal = adapters::SqliteJournal::Open({.path = journal_});
    EXPECT_TRUE(journal);
    for (const auto& decision : testing::RecordedStory(spec, kStart, seconds(60), loads)) {
      const std::vector<ports::JournalEntry> entries{
          {.decision = &decision, .pool = &decision.pool, .state = nullptr}};
      EXPECT_TRUE((*journal)->Append(decision.at, entries));
    }
  }

  static std::string Manifests(const std::string& behavior) {
    return testing::GatewayManifest("  replicaCount: 2\n") + "---\n" +
           testing::ScalerManifest("  minReplicas: 1\n" + behavior);
  }
  // A file with the pool's manifests, the signal called as in the story.
  std::string Config(const std::string& behavior) {
    std::string text = Manifests(behavior);
    text.replace(text.find("{name: requests,"), 16, "{name: rps,");
    const std::string path = (dir_.path() / "new.yaml").string();
    std::ofstream(path) << text;
    return path;
  }
  std::string NoWindow() {
    return Config("  behavior: {scaleDown: {stabilizationWindowSeconds: 0}}\n");
  }
  DiffOptions Options(const std::string& config) const {
    DiffOptions options;
    options.journal = journal_;
    options.config = {config};
    return options;
  }
  static Result Diff(const DiffOptions& options) {
    std::ostringstream out, err;
    const int code = RunDiff(options, out, err);
    return {code, out.str(), err.str()};
  }
  Result Explain(ExplainOptions options) const {
    options.pool = "istio-system/edge";
    options.journal = journal_;
    std::ostringstream out, err;
    const int code = RunExplain(options, out, err);
    return {code, out.str(), err.str()};
  }

  const testing::TempDir dir_;
  const std::string journal_ = (dir_.path() / "journal.db").string();
};

TEST_F(DiffCommandTest, NothingDiffersUnderTheConfigurationOfTheJournal) {
  const Result result = Diff(Options(Config("")));
  EXPECT_EQ(result.code, 0) << result.out << result.err;
  EXPECT_THAT(result.out, StartsWith("istio-system/edge: 0 of 10 decisions would differ"));
}

TEST_F(DiffCommandTest, ListsWhatAnotherConfigurationWouldHaveDecided) {
  const Result result = Diff(Options(NoWindow()));
  EXPECT_EQ(result.code, 1) << result.err;
  EXPECT_THAT(result.out, HasSubstr("2027-01-15T08:03:00Z for 4m, 4 decisions: 10 -> 2 replicas, "
                                    "ScaleDownStabilized -> DesiredWithinRange"));
}

TEST_F(DiffCommandTest, JsonHasEveryStretch) {
  DiffOptions options = Options(NoWindow());
  options.json = true;
  const Result result = Diff(options);
  EXPECT_EQ(result.code, 1);
  const json::value document = json::parse(result.out);
  EXPECT_TRUE(document.at("differs").as_bool());
  const json::value& pool = document.at("pools").at(0);
  EXPECT_EQ(pool.at("name"), json::value("edge"));
  EXPECT_EQ(pool.at("differing").to_number<int>(), 4);
  const json::value& stretch = pool.at("stretches").at(0);
  EXPECT_EQ(stretch.at("begin"), json::value("2027-01-15T08:03:00Z"));
  EXPECT_EQ(stretch.at("replayed"), json::value({2, 2}));
  EXPECT_EQ(stretch.at("recordedReason"), json::value("ScaleDownStabilized"));
}

TEST_F(DiffCommandTest, AStageThatIsLeftOutIsAnotherConfigurationToo) {
  DiffOptions options = Options(Config(""));
  options.otherwise.without = {"stabilization"};
  const Result result = Diff(options);
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.out, StartsWith("without stabilization\nistio-system/edge: 4 of 10 "));
}

TEST_F(DiffCommandTest, ComparesOnlyTheTimeThatWasAskedFor) {
  DiffOptions options = Options(NoWindow());
  options.since = "2027-01-15T08:07:00Z";
  EXPECT_EQ(Diff(options).code, 0);
  options.since.clear();
  options.until = "2027-01-15T08:02:00Z";
  EXPECT_EQ(Diff(options).code, 0);
}

TEST_F(DiffCommandTest, ATimeThatEndsBeforeItBeginsIsTwo) {
  DiffOptions options = Options(Config(""));
  options.since = "2027-01-15T08:02:00Z";
  options.until = "2027-01-15T08:01:00Z";
  const Result result = Diff(options);
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("--since 2027-01-15T08:02:00Z is after --until"));
}

TEST_F(DiffCommandTest, PoolsThatAreNotConfiguredAreNamed) {
  const decision::Decision other =
      testing::RecordedStory(testing::StorySpec(), kStart, seconds(1), std::vector{100.0}).at(0);
  {
    const auto journal = adapters::SqliteJournal::Open({.path = journal_});
    const std::vector<ports::JournalEntry> entries{
        {.decision = &other, .pool = &other.pool, .state = nullptr}};
    ASSERT_TRUE((*journal)->Append(kStart, entries));
  }
  const Result result = Diff(Options(Config("")));
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr("shop/edge: not in the configuration\n"));
}

TEST_F(DiffCommandTest, ATimeWithoutDecisionsIsTwo) {
  DiffOptions options = Options(Config(""));
  options.since = "2028-01-01T00:00:00Z";
  const Result result = Diff(options);
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("nothing was compared"));
}

TEST_F(DiffCommandTest, AWrongConfigurationIsTwoWithEveryProblem) {
  const Result result = Diff(Options(Config("  bogus: 1\n  other: 2\n")));
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("bogus"));
  EXPECT_THAT(result.err, HasSubstr("other"));
  EXPECT_THAT(result.err, Not(EndsWith("\n\n")));
  EXPECT_THAT(result.out, IsEmpty());
}

TEST_F(DiffCommandTest, AMissingJournalIsTwo) {
  DiffOptions options = Options(Config(""));
  options.journal = (dir_.path() / "none.db").string();
  const Result result = Diff(options);
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("none.db"));
}

TEST_F(DiffCommandTest, ExplainSaysWhatADecisionWouldHaveBeenWithoutAStage) {
  ExplainOptions options;
  options.at = "2027-01-15T08:05:00Z";
  options.config = {Config("")};
  options.otherwise.without = {"stabilization"};
  const Result result = Explain(options);
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out,
              StartsWith("without stabilization: 2 replicas (DesiredWithinRange); as it is: 10 "
                         "(ScaleDownStabilized)\n2027-01-15T08:05:00Z istio-system/edge: 10 -> 2"));
}

TEST_F(DiffCommandTest, ExplainSaysWhereTheConfigurationIsNotTheJournals) {
  ExplainOptions options;
  options.at = "2027-01-15T08:05:00Z";
  options.config = {NoWindow()};
  options.otherwise.policies = {"target"};
  const Result result = Explain(options);
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, StartsWith("note: 10 was decided then (ScaleDownStabilized)"));
}

TEST_F(DiffCommandTest, ExplainOtherwiseAsJsonHasBothAndTheRecord) {
  ExplainOptions options;
  options.last = 2;
  options.at = "2027-01-15T08:05:00Z";
  options.config = {Config("")};
  options.otherwise.without = {"stabilization"};
  options.json = true;
  const json::value document = json::parse(Explain(options).out);
  ASSERT_EQ(document.as_array().size(), 2U);
  const json::value& last = document.at(1);
  EXPECT_EQ(last.at("desired").to_number<int>(), 2);
  EXPECT_EQ(last.at("recorded").to_number<int>(), 10);
  EXPECT_EQ(last.at("counterfactual").at("asItIs").at("desired").to_number<int>(), 10);
}

TEST_F(DiffCommandTest, ExplainOtherwiseNeedsAConfiguration) {
  ExplainOptions options;
  options.otherwise.without = {"stabilization"};
  const Result result = Explain(options);
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("--config"));
}

}  // namespace
}  // namespace tidegate::daemon
