#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "policies/base/expected.h"

struct sqlite3;
struct sqlite3_stmt;

namespace tidegate::adapters {

// A prepared statement: bind, step, read. Columns and parameters count from 0 and 1, as in SQLite.
class Statement {
 public:
  explicit Statement(sqlite3_stmt* statement);
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;

  Statement& Bind(int parameter, std::int64_t value);
  // The bytes must outlive the next Step().
  Statement& Bind(int parameter, std::string_view text);
  Statement& BindBlob(int parameter, std::string_view bytes);
  // True while there is a row.
  Expected<bool> Step();
  std::int64_t Integer(int column) const;
  std::string Bytes(int column) const;
  void Reset();

 private:
  sqlite3_stmt* statement_;
};

// One connection. Errors carry SQLite's own message and the file.
class Database {
 public:
  enum class Mode { kReadWrite, kReadOnly };
  static Expected<Database> Open(const std::string& path, Mode mode);
  ~Database();
  Database(Database&& other) noexcept;
  Database& operator=(Database&&) = delete;

  // Statements without parameters or rows.
  Expected<void> Execute(const std::string& sql);
  Expected<Statement> Prepare(std::string_view sql);

 private:
  Database(sqlite3* handle, std::string path);
  sqlite3* handle_;
  std::string path_;
};

}  // namespace tidegate::adapters
