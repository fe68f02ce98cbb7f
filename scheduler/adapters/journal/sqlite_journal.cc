// Three tables: `decisions` (protobuf records, the bulk), `state` (one row a pool, overwritten) and
// `owner` (one row: how often the journal was opened to write, a fencing token that each
// transaction looks at). SQLite's own user_version is the schema's version; a program that doesn't
// know `owner` ignores it. Bounded twice: decisions past max_age go with
// the next tick; when the file passes max_bytes the oldest tenth goes, and incremental vacuum hands
// the pages back.

#include "scheduler/adapters/journal/sqlite_journal.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

#include "scheduler/adapters/journal/sqlite.h"
#include "scheduler/journal/decision_record.h"

namespace tidegate::adapters {
namespace {

constexpr std::int64_t kSchemaVersion = 1;
constexpr Duration kPruneEvery{60'000};
constexpr int kMostDecisions = 10'000;

const char kSchema[] = R"(
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA journal_size_limit = 16777216;
CREATE TABLE IF NOT EXISTS decisions(id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL,
  pool TEXT NOT NULL, record BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS decisions_by_pool ON decisions(pool, at_ms);
CREATE INDEX IF NOT EXISTS decisions_by_time ON decisions(at_ms);
CREATE TABLE IF NOT EXISTS state(pool TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, record BLOB NOT NULL)
  WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS owner(one INTEGER PRIMARY KEY CHECK(one = 1), opened INTEGER NOT NULL);
)";
const char kTake[] =
    "INSERT INTO owner VALUES(1, 1) ON CONFLICT(one) DO UPDATE SET opened = opened + 1 "
    "RETURNING opened";

PoolId ParsePool(const std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos) return {"", text};
  return {text.substr(0, slash), text.substr(slash + 1)};
}

Expected<std::int64_t> Number(Database& database, const char* pragma) {
  TIDEGATE_TRY(Statement statement, database.Prepare(pragma));
  TIDEGATE_TRY(const bool row, statement.Step());
  return row ? statement.Integer(0) : 0;
}

Expected<std::int64_t> TakeOwnership(Database& database) {
  TIDEGATE_TRY(Statement take, database.Prepare(kTake));
  TIDEGATE_TRY([[maybe_unused]] const bool row, take.Step());
  const std::int64_t opened = take.Integer(0);
  TIDEGATE_TRY([[maybe_unused]] const bool more, take.Step());
  return opened;
}

Expected<void> CheckVersion(Database& database, const std::string& path) {
  TIDEGATE_TRY(const std::int64_t version, Number(database, "PRAGMA user_version"));
  if (version <= kSchemaVersion) return {};
  return Fail(
      ErrorCode::kInvalid,
      fmt::format("the journal {} has schema version {}, this program knows {}; move the file "
                  "away or use a newer tidegate",
                  path, version, kSchemaVersion));
}

Error NotAJournal(const std::string& path, std::string_view why) {
  return {ErrorCode::kInvalid, fmt::format("{} is not a journal of tidegate{}", path, why)};
}

// Before anything is read of it: an empty file is a database without tables for SQLite.
Expected<void> CheckIsJournal(Database& database, const std::string& path) {
  const auto tables = Number(
      database, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'decisions'");
  if (!tables && tables.error().code == ErrorCode::kInvalid)
    return Fail(NotAJournal(path, ", or it is damaged: " + tables.error().message));
  if (!tables) return Fail(tables.error());
  TIDEGATE_TRY_VOID(CheckVersion(database, path));
  if (*tables == 0) return Fail(NotAJournal(path, ": it has no table of decisions"));
  return {};
}

}  // namespace

struct SqliteJournal::Impl {
  JournalOptions options;
  Database database;
  Statement insert_decision;
  Statement insert_state;
  Statement select_owner;
  std::int64_t owner = 0;
  Instant pruned{};
  std::int64_t records = 0;  // counted once and kept up to date: count(*) reads the whole table

  Expected<void> Write(Instant now, std::span<const ports::JournalEntry> entries);
  Expected<std::int64_t> Owner();
  Expected<void> Prune(Instant now);
  Expected<std::int64_t> Bytes();
};

SqliteJournal::SqliteJournal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SqliteJournal::~SqliteJournal() = default;

Expected<std::unique_ptr<SqliteJournal>> SqliteJournal::Open(const JournalOptions& options) {
  const mode_t before = umask(0077);  // decisions tell a lot about traffic: for the owner only
  auto opened = Database::Open(options.path, Database::Mode::kReadWrite);
  umask(before);
  if (!opened) return Fail(std::move(opened).error());
  Database database = *std::move(opened);
  TIDEGATE_TRY_VOID(CheckVersion(database, options.path));
  TIDEGATE_TRY_VOID(database.Execute(kSchema));
  TIDEGATE_TRY_VOID(database.Execute(fmt::format("PRAGMA user_version = {}", kSchemaVersion)));
  TIDEGATE_TRY(Statement decision, database.Prepare("INSERT INTO decisions(at_ms, pool, record) "
                                                    "VALUES(?1, ?2, ?3)"));
  TIDEGATE_TRY(Statement state,
               database.Prepare("INSERT OR REPLACE INTO state(at_ms, pool, record) "
                                "VALUES(?1, ?2, ?3)"));
  TIDEGATE_TRY(const std::int64_t rows, Number(database, "SELECT count(*) FROM decisions"));
  TIDEGATE_TRY(const std::int64_t taken, TakeOwnership(database));
  TIDEGATE_TRY(Statement owner, database.Prepare("SELECT opened FROM owner"));
  auto impl = std::make_unique<Impl>(Impl{.options = options,
                                          .database = std::move(database),
                                          .insert_decision = std::move(decision),
                                          .insert_state = std::move(state),
                                          .select_owner = std::move(owner),
                                          .owner = taken,
                                          .records = rows});
  return std::unique_ptr<SqliteJournal>(new SqliteJournal(std::move(impl)));
}

Expected<std::int64_t> SqliteJournal::Impl::Owner() {
  TIDEGATE_TRY(const bool row, select_owner.Step());
  const std::int64_t opened = row ? select_owner.Integer(0) : 0;
  select_owner.Reset();
  return opened;
}

Expected<void> SqliteJournal::Impl::Write(Instant now,
                                          std::span<const ports::JournalEntry> entries) {
  const auto insert = [&](Statement& statement, const PoolId& pool,
                          const std::string& record) -> Expected<void> {
    const std::string name = ToString(pool);
    statement.Reset();
    statement.Bind(1, UnixMillis(now)).Bind(2, name).BindBlob(3, record);
    TIDEGATE_TRY([[maybe_unused]] const bool row, statement.Step());
    statement.Reset();
    return {};
  };
  TIDEGATE_TRY(const std::int64_t opened, Owner());
  if (opened != owner) {
    return Fail(ErrorCode::kConflict,
                fmt::format("another daemon has taken the journal {} since", options.path));
  }
  for (const ports::JournalEntry& entry : entries) {
    if (entry.decision != nullptr) {
      TIDEGATE_TRY_VOID(
          insert(insert_decision, *entry.pool, journal::EncodeDecision(*entry.decision)));
    }
    if (entry.state != nullptr) {
      TIDEGATE_TRY_VOID(insert(insert_state, *entry.pool, journal::EncodeState(*entry.state)));
    }
  }
  return {};
}

Expected<std::int64_t> SqliteJournal::Impl::Bytes() {
  TIDEGATE_TRY(const std::int64_t pages, Number(database, "PRAGMA page_count"));
  TIDEGATE_TRY(const std::int64_t size, Number(database, "PRAGMA page_size"));
  return pages * size;
}

Expected<void> SqliteJournal::Impl::Prune(Instant now) {
  TIDEGATE_TRY_VOID(database.Execute(
      fmt::format("DELETE FROM decisions WHERE at_ms < {}", UnixMillis(now - options.max_age))));
  TIDEGATE_TRY(std::int64_t bytes, Bytes());
  while (bytes > options.max_bytes) {
    TIDEGATE_TRY(const std::int64_t rows, Number(database, "SELECT count(*) FROM decisions"));
    if (rows == 0) break;
    TIDEGATE_TRY_VOID(database.Execute(
        fmt::format("DELETE FROM decisions WHERE id IN (SELECT id FROM decisions ORDER BY id "
                    "LIMIT {})",
                    rows / 10 + 1)));
    TIDEGATE_TRY_VOID(database.Execute("PRAGMA incremental_vacuum"));
    TIDEGATE_TRY(bytes, Bytes());
  }
  TIDEGATE_TRY(records, Number(database, "SELECT count(*) FROM decisions"));
  return database.Execute("PRAGMA incremental_vacuum");
}

Expected<void> SqliteJournal::Append(Instant now, std::span<const ports::JournalEntry> entries) {
  TIDEGATE_TRY_VOID(impl_->database.Execute("BEGIN IMMEDIATE"));
  if (auto written = impl_->Write(now, entries); !written) {
    [[maybe_unused]] const auto undone = impl_->database.Execute("ROLLBACK");
    return written;
  }
  if (auto committed = impl_->database.Execute("COMMIT"); !committed) {
    [[maybe_unused]] const auto undone = impl_->database.Execute("ROLLBACK");
    return committed;
  }
  impl_->records +=
      std::ranges::count_if(entries, [](const auto& entry) { return entry.decision != nullptr; });
  if (now - impl_->pruned < kPruneEvery) return {};
  impl_->pruned = now;
  return impl_->Prune(now);
}

Expected<decision::DecisionState> SqliteJournal::Restore(std::vector<std::string>* problems) {
  decision::DecisionState state;
  TIDEGATE_TRY(Statement rows,
               impl_->database.Prepare("SELECT pool, record FROM state ORDER BY pool"));
  for (;;) {
    TIDEGATE_TRY(const bool row, rows.Step());
    if (!row) return state;
    const std::string pool = rows.Bytes(0);
    std::vector<std::string> unreadable;
    auto decoded = journal::DecodeState(rows.Bytes(1), &unreadable);
    if (decoded) {
      state.pools[ParsePool(pool)] = *std::move(decoded);
    } else {
      unreadable.push_back(decoded.error().message);
    }
    if (problems == nullptr) continue;
    for (const std::string& what : unreadable) {
      problems->push_back(fmt::format("{}: {}", pool, what));
    }
  }
}

std::int64_t SqliteJournal::bytes() const { return impl_->Bytes().value_or(0); }
std::int64_t SqliteJournal::records() const { return impl_->records; }

struct JournalReader::Impl {
  Database database;
};

JournalReader::JournalReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
JournalReader::~JournalReader() = default;

Expected<std::unique_ptr<JournalReader>> JournalReader::Open(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    return Fail(NotAJournal(path, ": it is a folder"));
  TIDEGATE_TRY(Database database, Database::Open(path, Database::Mode::kReadOnly));
  TIDEGATE_TRY_VOID(CheckIsJournal(database, path));
  return std::unique_ptr<JournalReader>(
      new JournalReader(std::make_unique<Impl>(Impl{std::move(database)})));
}

Expected<std::vector<PoolId>> JournalReader::Pools() {
  TIDEGATE_TRY(Statement rows,
               impl_->database.Prepare("SELECT DISTINCT pool FROM decisions ORDER BY pool"));
  std::vector<PoolId> pools;
  for (;;) {
    TIDEGATE_TRY(const bool row, rows.Step());
    if (!row) return pools;
    pools.push_back(ParsePool(rows.Bytes(0)));
  }
}

Expected<std::vector<decision::Decision>> JournalReader::Last(const PoolId& pool, int count,
                                                              std::optional<Instant> until) {
  TIDEGATE_TRY(Statement rows,
               impl_->database.Prepare("SELECT record FROM decisions WHERE pool = ?1 AND at_ms <= "
                                       "?2 ORDER BY at_ms DESC, id DESC LIMIT ?3"));
  const std::string name = ToString(pool);
  const std::int64_t latest = until ? UnixMillis(*until) : INT64_MAX;
  rows.Bind(1, name).Bind(2, latest).Bind(3, std::clamp(count, 1, kMostDecisions));
  std::vector<decision::Decision> decisions;
  for (;;) {
    TIDEGATE_TRY(const bool row, rows.Step());
    if (!row) break;
    TIDEGATE_TRY(decision::Decision decision, journal::DecodeDecision(rows.Bytes(0)));
    decisions.push_back(std::move(decision));
  }
  std::ranges::reverse(decisions);
  return decisions;
}

Expected<void> JournalReader::ForEach(const PoolId& pool, Instant since, Instant until,
                                      const std::function<void(decision::Decision)>& take) {
  TIDEGATE_TRY(Statement rows,
               impl_->database.Prepare("SELECT record FROM decisions WHERE pool = ?1 AND at_ms "
                                       "BETWEEN ?2 AND ?3 ORDER BY at_ms, id"));
  const std::string name = ToString(pool);
  rows.Bind(1, name).Bind(2, UnixMillis(since)).Bind(3, UnixMillis(until));
  for (;;) {
    TIDEGATE_TRY(const bool row, rows.Step());
    if (!row) return {};
    TIDEGATE_TRY(decision::Decision decision, journal::DecodeDecision(rows.Bytes(0)));
    take(std::move(decision));
  }
}

}  // namespace tidegate::adapters
