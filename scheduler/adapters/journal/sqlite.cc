#include "scheduler/adapters/journal/sqlite.h"

#include <utility>

#include <fmt/format.h>
#include <sqlite3.h>

namespace tidegate::adapters {
namespace {

constexpr int kBusyMillis =
    2'000;  // a reader's checkpoint or a backup may hold the file for a moment

ErrorCode CodeOf(int result) {
  switch (result & 0xff) {
    case SQLITE_CANTOPEN: return ErrorCode::kNotFound;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ErrorCode::kConflict;
    case SQLITE_FULL:
    case SQLITE_TOOBIG: return ErrorCode::kTooLarge;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY: return ErrorCode::kDenied;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT: return ErrorCode::kInvalid;
    default: return ErrorCode::kInternal;
  }
}

}  // namespace

Statement::Statement(sqlite3_stmt* statement) : statement_(statement) {}
Statement::~Statement() { sqlite3_finalize(statement_); }
Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)) {}

Statement& Statement::Bind(int parameter, std::int64_t value) {
  sqlite3_bind_int64(statement_, parameter, value);
  return *this;
}

Statement& Statement::Bind(int parameter, std::string_view text) {
  sqlite3_bind_text(statement_, parameter, text.data(), static_cast<int>(text.size()), nullptr);
  return *this;
}

Statement& Statement::BindBlob(int parameter, std::string_view bytes) {
  sqlite3_bind_blob(statement_, parameter, bytes.data(), static_cast<int>(bytes.size()), nullptr);
  return *this;
}

Expected<bool> Statement::Step() {
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  sqlite3* const handle = sqlite3_db_handle(statement_);
  return Fail(CodeOf(result), fmt::format("journal {}: {}", sqlite3_db_filename(handle, "main"),
                                          sqlite3_errmsg(handle)));
}

std::int64_t Statement::Integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string Statement::Bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), size);
}

void Statement::Reset() { sqlite3_reset(statement_); }

Database::Database(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}
Database::~Database() { sqlite3_close(handle_); }
Database::Database(Database&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)), path_(std::move(other.path_)) {}

Expected<Database> Database::Open(const std::string& path, Mode mode) {
  const int flags =
      mode == Mode::kReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  sqlite3* handle = nullptr;
  const int result = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(handle, path);
  if (result != SQLITE_OK) {
    return Fail(CodeOf(result), fmt::format("can't open the journal {}: {}", path,
                                            handle ? sqlite3_errmsg(handle) : "out of memory"));
  }
  sqlite3_busy_timeout(handle, kBusyMillis);
  return database;
}

Expected<void> Database::Execute(const std::string& sql) {
  const int result = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (result == SQLITE_OK) return {};
  return Fail(CodeOf(result), fmt::format("journal {}: {}", path_, sqlite3_errmsg(handle_)));
}

Expected<Statement> Database::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int result =
      sqlite3_prepare_v2(handle_, sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  if (result == SQLITE_OK) return Statement(statement);
  return Fail(CodeOf(result), fmt::format("journal {}: {}", path_, sqlite3_errmsg(handle_)));
}

}  // namespace tidegate::adapters
