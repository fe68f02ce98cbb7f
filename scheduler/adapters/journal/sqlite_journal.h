#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "scheduler/decision/decision.h"
#include "scheduler/ports/journal.h"

namespace tidegate::adapters {

struct JournalOptions {
  std::string path;                              // of the SQLite file; made if missing, mode 0600
  Duration max_age{std::chrono::hours(7 * 24)};  // older decisions are removed
  std::int64_t max_bytes = std::int64_t{1}
                           << 30;  // of the file; the oldest decisions go first; >= 1 MiB
};

// Decisions and state in one SQLite file in WAL mode. Survives a kill at any instant: a tick is in
// it whole or not at all. Power loss may cost the last ticks, never the file. Not thread-safe;
// readers open their own.
//
// It belongs to the one that opened it last: who opened it before can't write any more, so that a
// daemon that stood still while another one took its place doesn't undo what that one wrote.
class SqliteJournal : public ports::Journal {
 public:
  static Expected<std::unique_ptr<SqliteJournal>> Open(const JournalOptions& options);
  ~SqliteJournal() override;

  // kConflict: it was opened anew since, and nothing is written.
  Expected<void> Append(Instant now, std::span<const ports::JournalEntry> entries) override;

  // The state as last written. A pool whose record can't be read is left out and named in
  // `problems`, and so is a policy's memory.
  Expected<decision::DecisionState> Restore(std::vector<std::string>* problems);
  // Bytes of the file, without its write-ahead log.
  std::int64_t bytes() const;
  // Decisions kept.
  std::int64_t records() const;

 private:
  struct Impl;
  explicit SqliteJournal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Reads a journal while a daemon writes it, or after.
class JournalReader {
 public:
  // kNotFound where there is no such file.
  static Expected<std::unique_ptr<JournalReader>> Open(const std::string& path);
  ~JournalReader();

  // The pools that have decisions, sorted.
  Expected<std::vector<PoolId>> Pools();
  // The last `count` (1 .. 10,000) decisions of a pool at or before `until`, oldest first.
  Expected<std::vector<decision::Decision>> Last(const PoolId& pool, int count,
                                                 std::optional<Instant> until);
  // Hands over a pool's decisions from `since` to `until`, both included, oldest first, one at a
  // time: as many as there are. An error where one can't be read; what came before was handed over.
  Expected<void> ForEach(const PoolId& pool, Instant since, Instant until,
                         const std::function<void(decision::Decision)>& take);

 private:
  struct Impl;
  explicit JournalReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidegate::adapters
