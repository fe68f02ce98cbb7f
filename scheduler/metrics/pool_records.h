#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/units.h"
#include "policies/guards/desired.h"
#include "policies/signals/snapshot.h"
#include "scheduler/metrics/metric_table.h"
#include "scheduler/metrics/tick_record.h"
#include "scheduler/rollout/plan.h"

// The values of every pool's series between two ticks, held as plain numbers: 10,000 pools with 40
// series each would take some 200 MB as objects of a metrics library, and take 8 here.

namespace tidegate::telemetry {

// A value that is not known; its series is left out.
inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// Metrics with one value per pool come first in the table.
inline constexpr std::size_t kPlainPoolMetrics = static_cast<std::size_t>(MetricId::kPoolReplicas);

// What is exported of one signal of one pool.
struct SignalRecord {
  std::string signal;
  signals::Quality quality = signals::Quality::kError;
  std::uint8_t seen = 0;  // bit per Quality: it has been in that state
  double value = kUnknown;
  double target = kUnknown;
  double proposed = kUnknown;
  double age_s = kUnknown;
  double series = kUnknown;
  double expected = kUnknown;
};

// What is exported of one pool.
struct PoolRecord {
  PoolRecord();

  std::shared_ptr<const PoolId> id;
  std::array<double, kPlainPoolMetrics> plain;
  std::array<double, 4> phases;          // index: signals::Phase
  std::array<double, 2> used;            // surge, unavailable
  std::array<double, 2> limit;           // surge, unavailable
  std::array<double, 2> deferred;        // index: rollout::StepKind
  std::array<double, 2> last_scale_s;    // up, down
  std::array<double, 2> scalings{0, 0};  // up, down
  std::array<double, 2> steps{0, 0};     // index: rollout::StepKind
  double step_failures = 0;
  double front_up = kUnknown;
  int reason = -1;         // guards::Reason; -1 before the first decision
  std::uint32_t seen = 0;  // bit per guards::Reason
  std::string config_version;
  std::string revision;
  std::string policy;
  std::vector<SignalRecord> signals;

  double& at(MetricId metric) { return plain[static_cast<std::size_t>(metric)]; }
};

// Takes one sample of the metric being written.
class SampleSink {
 public:
  virtual ~SampleSink() = default;
  // As many label values as the metric has labels, in the table's order. An unknown value is left
  // out.
  virtual void Add(std::initializer_list<std::string_view> labels, double value) = 0;
};

// What a decision did to the size.
enum class Action { kUp, kDown, kNone, kError };  // kError: the pool was left alone
inline constexpr int kActionCount = 4;
const char* Name(Action action);

inline constexpr int kStepReasonCount = static_cast<int>(rollout::StepReason::kRepeat) + 1;

// One tick, counted over all pools.
struct TickTotals {
  std::array<std::array<int, guards::kReasonCount>, kActionCount> decisions{};
  std::array<std::array<int, kStepReasonCount>, 2> steps{};  // accepted, by kind and reason
};

// Brings the records of all pools up to a tick, which names them in `record.pools`: pools that it
// does not name are dropped, new ones begin. Sorted by id before and after.
TickTotals UpdatePools(const TickRecord& record, std::vector<PoolRecord>& pools);

// Writes one pool's samples of one metric; nothing for a metric that is not the pools'.
void WritePool(MetricId metric, const PoolRecord& pool, SampleSink& sink);

}  // namespace tidegate::telemetry
