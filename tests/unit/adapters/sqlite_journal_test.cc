#include "scheduler/adapters/journal/sqlite_journal.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "policies/catalog.h"
#include "scheduler/adapters/journal/sqlite.h"
#include "tests/testing/child_process.h"
#include "tests/testing/tick_story.h"

namespace tidegate::adapters {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using std::chrono::seconds;

constexpr Instant kStart = FromUnixMillis(1'800'000'000'000);
const PoolId kEdge{"shop", "edge"};

decision::Decision DecisionAt(Instant at, Replicas desired, const PoolId& pool = kEdge) {
  decision::Decision decision;
  decision.at = at;
  decision.pool = pool;
  decision.config_version = "00c0ffee";
  decision.desired.replicas = desired;
  return decision;
}

decision::PoolState StateOf(Replicas desired) {
  decision::PoolState state;
  state.guards.desired = desired;
  state.rollout.size = desired;
  return state;
}

class SqliteJournalTest : public ::testing::Test {
 protected:
  std::string path() const { return (dir_.path() / "journal.db").string(); }
  std::unique_ptr<SqliteJournal> Open() const { return Open({.path = path()}); }
  static std::unique_ptr<SqliteJournal> Open(const JournalOptions& options) {
    auto journal = SqliteJournal::Open(options);
    EXPECT_TRUE(journal) << journal.error().message;
    return journal ? *std::move(journal) : nullptr;
  }
  // One decision with its state, as a tick writes them.
  static void Append(SqliteJournal& journal, const decision::Decision& decision) {
    const decision::PoolState state = StateOf(decision.desired.replicas);
    const std::vector<ports::JournalEntry> entries{
        {.decision = &decision, .pool = &decision.pool, .state = &state}};
    const auto done = journal.Append(decision.at, entries);
    ASSERT_TRUE(done) << done.error().message;
  }
  static std::vector<Replicas> Sizes(const std::string& path, int count = 10'000,
                                     std::optional<Instant> until = std::nullopt) {
    std::vector<Replicas> sizes;
    const auto reader = JournalReader::Open(path);
    EXPECT_TRUE(reader) << reader.error().message;
    if (!reader) return sizes;
    const auto decisions = (*reader)->Last(kEdge, count, until);
    EXPECT_TRUE(decisions) << decisions.error().message;
    if (!decisions) return sizes;
    for (const auto& decision : *decisions) sizes.push_back(decision.desired.replicas);
    return sizes;
  }

  const testing::TempDir dir_;
};

TEST_F(SqliteJournalTest, GivesBackWholeDecisionsAndStates) {
  testing::TickStory story(3);
  std::vector<decision::Decision> written;
  const auto journal = Open();
  for (int i = 0; i < testing::TickStory::kLength; ++i) {
    story.Advance(kStart + seconds(i));
    std::vector<ports::JournalEntry> entries;
    for (const auto& decision : story.tick().decisions) {
      entries.push_back({.decision = &decision,
                         .pool = &decision.pool,
                         .state = &story.state().pools.at(decision.pool)});
    }
    ASSERT_TRUE(journal->Append(story.tick().at, entries));
    written.push_back(story.tick().decisions.at(1));
  }
  const auto reader = JournalReader::Open(path());
  ASSERT_TRUE(reader);
  const auto read = (*reader)->Last(written[0].pool, 1'000, std::nullopt);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, written);
  const auto state = journal->Restore(nullptr);
  ASSERT_TRUE(state) << state.error().message;
  EXPECT_EQ(state->pools, story.state().pools);
}

TEST_F(SqliteJournalTest, RestoresTheStateAfterReopening) {
  Append(*Open(), DecisionAt(kStart, 7));
  const auto state = Open()->Restore(nullptr);
  ASSERT_TRUE(state);
  ASSERT_EQ(state->pools.size(), 1U);
  EXPECT_EQ(state->pools.at(kEdge), StateOf(7));
}

TEST_F(SqliteJournalTest, AnEntryWithoutDecisionWritesTheStateOnly) {
  const auto journal = Open();
  const decision::PoolState state = StateOf(5);
  const std::vector<ports::JournalEntry> entries{
      {.decision = nullptr, .pool = &kEdge, .state = &state}};
  ASSERT_TRUE(journal->Append(kStart, entries));
  EXPECT_EQ(journal->records(), 0);
  EXPECT_EQ(journal->Restore(nullptr)->pools.at(kEdge), state);
}

TEST_F(SqliteJournalTest, AnEntryWithoutStateLeavesTheLastOne) {
  const auto journal = Open();
  Append(*journal, DecisionAt(kStart, 5));
  const decision::Decision decision = DecisionAt(kStart + seconds(1), 6);
  const std::vector<ports::JournalEntry> entries{
      {.decision = &decision, .pool = &kEdge, .state = nullptr}};
  ASSERT_TRUE(journal->Append(kStart + seconds(1), entries));
  EXPECT_EQ(journal->records(), 2);
  EXPECT_EQ(journal->Restore(nullptr)->pools.at(kEdge), StateOf(5));
}

TEST_F(SqliteJournalTest, LeavesOutAndNamesAStateThatCannotBeRead) {
  const auto journal = Open();
  Append(*journal, DecisionAt(kStart, 5));
  auto database = Database::Open(path(), Database::Mode::kReadWrite);
  ASSERT_TRUE(database);
  ASSERT_TRUE(database->Execute("INSERT INTO state VALUES('shop/broken', 1, x'ffffff')"));
  std::vector<std::string> problems;
  const auto state = journal->Restore(&problems);
  ASSERT_TRUE(state);
  EXPECT_EQ(state->pools.size(), 1U);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].substr(0, 13), "shop/broken: ");
}

TEST_F(SqliteJournalTest, NamesThePoolWhoseMemoryCannotBeReadAndKeepsTheRest) {
  const auto journal = Open();
  decision::PoolState state = StateOf(5);
  state.policies = {FindPolicy("kpa")->memory};
  const std::vector<ports::JournalEntry> entries{{.pool = &kEdge, .state = &state}};
  ASSERT_TRUE(journal->Append(kStart, entries));
  auto database = Database::Open(path(), Database::Mode::kReadWrite);
  ASSERT_TRUE(database);
  ASSERT_TRUE(
      database->Execute("UPDATE state SET record = CAST(replace(record, 'kpa', 'apk') AS BLOB)"));
  std::vector<std::string> problems;
  const auto restored = journal->Restore(&problems);
  ASSERT_TRUE(restored);
  EXPECT_EQ(restored->pools.at(kEdge), StateOf(5));
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0],
            "shop/edge: what the policy apk remembers is forgotten: no policy is called apk");
}

TEST_F(SqliteJournalTest, LastGivesTheNewestOnesOldestFirst) {
  const auto journal = Open();
  for (int i = 1; i <= 9; ++i) Append(*journal, DecisionAt(kStart + seconds(i), i));
  EXPECT_EQ(Sizes(path(), 3), (std::vector<Replicas>{7, 8, 9}));
}

TEST_F(SqliteJournalTest, LastLooksBackFromAnInstant) {
  const auto journal = Open();
  for (int i = 1; i <= 9; ++i) Append(*journal, DecisionAt(kStart + seconds(i), i));
  EXPECT_EQ(Sizes(path(), 2, kStart + seconds(4)), (std::vector<Replicas>{3, 4}));
  EXPECT_TRUE(Sizes(path(), 2, kStart).empty());
}

TEST_F(SqliteJournalTest, ForEachGivesAPoolsDecisionsOfATimeOldestFirst) {
  const auto journal = Open();
  for (int i = 1; i <= 9; ++i) {
    Append(*journal, DecisionAt(kStart + seconds(i), i));
    Append(*journal, DecisionAt(kStart + seconds(i), 100 + i, {"shop", "other"}));
  }
  const auto reader = JournalReader::Open(path());
  ASSERT_TRUE(reader);
  std::vector<Replicas> sizes;
  const auto take = [&](const decision::Decision& decision) {
    sizes.push_back(decision.desired.replicas);
  };
  ASSERT_TRUE((*reader)->ForEach(kEdge, kStart + seconds(3), kStart + seconds(6), take));
  EXPECT_EQ(sizes, (std::vector<Replicas>{3, 4, 5, 6}));
}

TEST_F(SqliteJournalTest, ForEachSaysWhereARecordCannotBeRead) {
  const auto journal = Open();
  Append(*journal, DecisionAt(kStart, 5));
  auto database = Database::Open(path(), Database::Mode::kReadWrite);
  ASSERT_TRUE(database);
  ASSERT_TRUE(
      database->Execute("INSERT INTO decisions(at_ms, pool, record) VALUES(1, 'shop/edge', "
                        "x'ffffff')"));
  const auto reader = JournalReader::Open(path());
  ASSERT_TRUE(reader);
  EXPECT_FALSE((*reader)->ForEach(kEdge, Instant{}, kStart, [](const auto&) {}));
}

TEST_F(SqliteJournalTest, PoolsAreListedSorted) {
  const auto journal = Open();
  Append(*journal, DecisionAt(kStart, 1, {"shop", "b"}));
  Append(*journal, DecisionAt(kStart, 1, {"shop", "a"}));
  Append(*journal, DecisionAt(kStart + seconds(1), 1, {"shop", "b"}));
  const auto reader = JournalReader::Open(path());
  ASSERT_TRUE(reader);
  EXPECT_EQ(*(*reader)->Pools(), (std::vector<PoolId>{{"shop", "a"}, {"shop", "b"}}));
}

TEST_F(SqliteJournalTest, RemovesDecisionsThatAreTooOld) {
  const auto journal = Open({.path = path(), .max_age = hours(1)});
  for (int i = 0; i < 6; ++i)
    Append(*journal, DecisionAt(kStart + std::chrono::minutes(15) * i, i));
  // The last is at 75 min: what is older than 15 min goes, the boundary stays.
  EXPECT_EQ(Sizes(path()), (std::vector<Replicas>{1, 2, 3, 4, 5}));
  EXPECT_EQ(journal->records(), 5);
}

TEST_F(SqliteJournalTest, OldDecisionsGoButTheStateStays) {
  const auto journal = Open({.path = path(), .max_age = hours(1)});
  Append(*journal, DecisionAt(kStart, 3, {"shop", "quiet"}));
  Append(*journal, DecisionAt(kStart + hours(5), 4));
  EXPECT_EQ(journal->Restore(nullptr)->pools.size(), 2U);
}

TEST_F(SqliteJournalTest, KeepsTheFileBelowItsBoundAndTheNewestDecisions) {
  constexpr std::int64_t kBound = 1 << 20;
  const auto journal = Open({.path = path(), .max_bytes = kBound});
  decision::Decision decision = DecisionAt(kStart, 0);
  decision.error = std::string(20'000, 'x');
  for (int i = 1; i <= 100; ++i) {  // 2 MB
    decision.at = kStart + seconds(i);
    decision.desired.replicas = i;
    Append(*journal, decision);
  }
  decision.at = kStart + hours(1);
  decision.desired.replicas = 101;
  Append(*journal, decision);  // bounds are looked at once a minute
  EXPECT_LE(journal->bytes(), kBound);
  const auto sizes = Sizes(path());
  ASSERT_GT(sizes.size(), 10U);
  EXPECT_EQ(sizes.back(), 101);
  EXPECT_EQ(sizes.size(), static_cast<std::size_t>(journal->records()));
  EXPECT_EQ(sizes.front(), 101 - static_cast<Replicas>(sizes.size()) + 1);  // no holes
}

TEST_F(SqliteJournalTest, RefusesAFileOfANewerSchema) {
  Open();
  {
    auto database = Database::Open(path(), Database::Mode::kReadWrite);
    ASSERT_TRUE(database);
    ASSERT_TRUE(database->Execute("PRAGMA user_version = 99"));
  }
  const auto journal = SqliteJournal::Open({.path = path()});
  ASSERT_FALSE(journal);
  EXPECT_EQ(journal.error().code, ErrorCode::kInvalid);
  EXPECT_NE(journal.error().message.find("schema version 99"), std::string::npos);
  EXPECT_NE(journal.error().message.find(path()), std::string::npos);
  EXPECT_FALSE(JournalReader::Open(path()));
}

TEST_F(SqliteJournalTest, RefusesAFileThatIsNoDatabase) {
  dir_.Write("journal.db", std::string(8'192, 'x'));
  const auto journal = SqliteJournal::Open({.path = path()});
  ASSERT_FALSE(journal);
  EXPECT_EQ(journal.error().code, ErrorCode::kInvalid);
  EXPECT_NE(journal.error().message.find(path()), std::string::npos);
  EXPECT_EQ(testing::ReadFile(path()), std::string(8'192, 'x'));  // and leaves it as it is
}

TEST_F(SqliteJournalTest, AFolderThatDoesNotExistIsNotFound) {
  const auto journal = SqliteJournal::Open({.path = (dir_.path() / "no" / "journal.db").string()});
  ASSERT_FALSE(journal);
  EXPECT_EQ(journal.error().code, ErrorCode::kNotFound);
}

TEST_F(SqliteJournalTest, ReaderOfAMissingFileSaysNotFoundAndMakesNone) {
  const auto reader = JournalReader::Open(path());
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(fs::exists(path()));
}

TEST_F(SqliteJournalTest, ReaderNamesAFileThatIsNoDatabase) {
  dir_.Write("journal.db", std::string(8'192, 'x'));
  const auto reader = JournalReader::Open(path());
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(reader.error().message.find(path() + " is not a journal of tidegate"), 0U);
}

TEST_F(SqliteJournalTest, ReaderNamesAnEmptyFile) {
  dir_.Write("journal.db", "");
  const auto reader = JournalReader::Open(path());
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().message.find(path() + " is not a journal of tidegate"), 0U);
}

TEST_F(SqliteJournalTest, ReaderNamesAFolder) {
  const auto reader = JournalReader::Open(dir_.path().string());
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().message,
            dir_.path().string() + " is not a journal of tidegate: it is a folder");
}

TEST_F(SqliteJournalTest, FilesAreForTheOwnerOnly) {
  const auto journal = Open();
  Append(*journal, DecisionAt(kStart, 1));
  int files = 0;
  for (const auto& file : fs::directory_iterator(dir_.path())) {
    struct stat info {};
    ASSERT_EQ(::stat(file.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600U) << file.path();
    ++files;
  }
  EXPECT_EQ(files, 3);  // the database, its log and the log's index
}

TEST_F(SqliteJournalTest, ReaderSeesWhatIsWrittenWhileItIsOpen) {
  const auto journal = Open();
  Append(*journal, DecisionAt(kStart, 1));
  const auto reader = JournalReader::Open(path());
  ASSERT_TRUE(reader);
  ASSERT_EQ((*reader)->Last(kEdge, 10, std::nullopt)->size(), 1U);
  Append(*journal, DecisionAt(kStart + seconds(1), 2));
  EXPECT_EQ((*reader)->Last(kEdge, 10, std::nullopt)->size(), 2U);
}

// A kill leaves the files as they are at that instant, and the kernel's view of them is what the
// next start finds. Copies taken after each tick, and copies whose log is torn at any place, must
// open as a whole number of ticks: both pools at the same one.
TEST_F(SqliteJournalTest, AKillAtAnyInstantLeavesWholeTicks) {
  const PoolId other{"shop", "other"};
  const auto journal = Open();
  const auto tick = [&](int i) {
    const Instant at = kStart + seconds(i);
    const decision::Decision a = DecisionAt(at, i);
    const decision::Decision b = DecisionAt(at, i, other);
    const decision::PoolState state = StateOf(i);
    const std::vector<ports::JournalEntry> entries{
        {.decision = &a, .pool = &kEdge, .state = &state},
        {.decision = &b, .pool = &other, .state = &state}};
    ASSERT_TRUE(journal->Append(at, entries));
  };
  constexpr int kTicks = 5;
  for (int i = 1; i <= kTicks; ++i) tick(i);
  const std::string database = testing::ReadFile(path());
  const std::string log = testing::ReadFile(path() + "-wal");
  ASSERT_GT(log.size(), 10'000U);

  Replicas highest = 0;
  const testing::TempDir torn;
  for (std::size_t size = 0; size <= log.size() + 2002; size += 2003) {
    fs::remove(torn.path() / "journal.db-shm");
    torn.Write("journal.db", database);
    torn.Write("journal.db-wal", log.substr(0, std::min(size, log.size())));
    const auto reopened = SqliteJournal::Open({.path = torn.path() / "journal.db"});
    ASSERT_TRUE(reopened) << size << ": " << reopened.error().message;
    const auto state = (*reopened)->Restore(nullptr);
    ASSERT_TRUE(state) << size;
    const Replicas at = state->pools.empty() ? 0 : state->pools.begin()->second.rollout.size;
    ASSERT_EQ(state->pools.size(), at == 0 ? 0U : 2U) << size;
    for (const auto& [pool, of] : state->pools) EXPECT_EQ(of, StateOf(at)) << size;
    EXPECT_EQ((*reopened)->records(), 2 * at) << size;
    EXPECT_GE(at, highest) << size;
    highest = std::max(highest, at);
  }
  EXPECT_EQ(highest, kTicks);
}

TEST_F(SqliteJournalTest, ASecondWriterIsToldOfTheConflict) {
  const auto journal = Open();
  auto holder = Database::Open(path(), Database::Mode::kReadWrite);
  ASSERT_TRUE(holder);
  ASSERT_TRUE(holder->Execute("BEGIN IMMEDIATE"));
  const decision::Decision decision = DecisionAt(kStart, 1);
  const std::vector<ports::JournalEntry> entries{
      {.decision = &decision, .pool = &kEdge, .state = nullptr}};
  const auto refused = journal->Append(kStart, entries);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  ASSERT_TRUE(holder->Execute("ROLLBACK"));
  EXPECT_TRUE(journal->Append(kStart, entries));
}

TEST_F(SqliteJournalTest, WhoOpenedItBeforeCanNotWriteAnyMore) {
  const auto old = Open();
  Append(*old, DecisionAt(kStart, 1));
  const auto next = Open();
  Append(*next, DecisionAt(kStart, 2));
  const decision::Decision decision = DecisionAt(kStart, 3);
  const decision::PoolState state = StateOf(3);
  const std::vector<ports::JournalEntry> entries{
      {.decision = &decision, .pool = &kEdge, .state = &state}};
  const auto refused = old->Append(kStart, entries);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_EQ(refused.error().message, "another daemon has taken the journal " + path() + " since");
  const auto restored = next->Restore(nullptr);
  ASSERT_TRUE(restored);
  EXPECT_NE(restored->pools.at(kEdge), state);
  EXPECT_TRUE(next->Append(kStart, entries));
}

}  // namespace
}  // namespace tidegate::adapters
