#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "scheduler/metrics/tick_record.h"

namespace tidegate::telemetry {

struct BuildInfo {
  std::string version;   // "0.1.0"
  std::string revision;  // of the source; "unknown" where the build had none
};

// One query to a metrics source.
struct QueryRecord {
  std::string query;  // a preset's name, or "promql"; at most 64 different ones are told apart,
                      // later ones are counted as "other"
  Duration took{0};   // retries included
  std::optional<ErrorCode> error;
  bool empty = false;  // it answered, and with no series at all
};

// One attempt to load the configuration, the first one included.
struct ReloadRecord {
  Instant at{};
  bool ok = false;
  int problems = 0;     // in the files as they are now; 0 when ok
  std::string version;  // hash of the configuration in force after the attempt; empty: none yet
};

struct JournalStatus {
  std::int64_t bytes = 0;    // on disk
  std::int64_t records = 0;  // decisions kept
};

// Turns what the daemon does into the metrics of metric_table.h. All functions may be called from
// any thread; RecordTick() of 10,000 pools takes some milliseconds, and Serialize() keeps it
// waiting only while it copies the values.
//
// A pool's series exist while the pool is in the ticks: they go with the first tick that does not
// name it. A series whose value is unknown is left out rather than exported as 0 (a signal's value
// while its samples can't be used, the time of the last scale-up before there was one). The 0/1
// series of a reason or a quality appear when the pool is first in that state and stay, at 0,
// afterwards; counters appear at 0 with the pool.
class Exporter {
 public:
  explicit Exporter(const BuildInfo& build);
  ~Exporter();
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;

  void RecordTick(const TickRecord& record);
  void RecordQuery(const QueryRecord& record);
  void RecordReload(const ReloadRecord& record);
  void RecordJournal(const JournalStatus& status);
  // Whether the pool's address accepts connections. Ignored until a tick has named the pool.
  void RecordFront(const PoolId& pool, bool up);

  // The body of GET /metrics in Prometheus's text format; its content type is kContentType.
  std::string Serialize() const;
  static constexpr const char* kContentType = "text/plain; version=0.0.4; charset=utf-8";

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidegate::telemetry
