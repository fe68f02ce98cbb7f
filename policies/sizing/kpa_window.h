#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "policies/base/fields.h"
#include "policies/base/instant.h"
#include "policies/base/units.h"

namespace tidegate::sizing {

// Lengths of the two windows; whole seconds, panic <= stable.
struct KpaLengths {
  Duration stable{60'000};
  Duration panic{6'000};
};

// A signal's last stable window in buckets of one second, as Knative keeps it.
struct KpaWindow {
  // One value per second, oldest first; the last is that of `last_write`, and those that nobody
  // wrote are 0. It begins with the first write, and at most one stable window before the last.
  std::vector<double> values;
  std::optional<Instant> last_write;  // a whole second; unset: nothing was ever written
  Instant panic_begin{};              // first write of the panic window, likewise

  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{.name = "values",
                .help = "one value per second, oldest first",
                .most = kMostValue,
                .most_items = 3'600},
          self.values);
    visit(Field{"lastWrite", "when the last of them was written"}, self.last_write);
    visit(Field{"panicBegin", "when the panic window was written first"}, self.panic_begin);
  }
  bool operator==(const KpaWindow&) const = default;

  static constexpr double kMostValue = 1e15;  // larger ones are recorded as this
};

// The second that an instant falls in.
Instant KpaBucket(Instant at);

// Adds `value` to the bucket of `at`. Buckets between the last write and this one become 0. A pause
// of a whole window begins the window anew, and the panic window does the same for itself. Times
// before the last write are ignored, but for those a window before it: the clock was set back, and
// the window begins anew.
void Record(KpaWindow& window, const KpaLengths& lengths, Instant at, double value);

// Nothing was written for more than `length`.
bool IsEmpty(const KpaWindow& window, Duration length, Instant now);

enum class KpaAggregation { kLinear, kWeightedExponential };

// The mean over the newest `length` (one of the two of `lengths`) of the window, 0 where nothing
// was written for that long.
//
// Linear: the sum divided by the number of valid buckets, min(seconds from the first write to the
// last, those of them that are still inside the window), rounded to 6 digits. So a young window
// is averaged over what it has, seconds since the last write don't count, and gaps count as 0.
//
// Weighted exponential: sum of values * a * (1 - a)^age in buckets, newest first, where
// a = max(1 - (1 - 0.9999)^(1 / n), 0.2) for a window of n buckets: their weights add up to at
// least 0.9999. Seconds since the last write use up their weight.
double Mean(const KpaWindow& window, const KpaLengths& lengths, Duration length,
            KpaAggregation aggregation, Instant now);

// The largest of the sizes of the last `slots` slots of 2 s (Knative's tick), its delay of shrinks.
struct KpaDelayed {
  std::int64_t slot = 0;  // 2 s each, since 1970
  Replicas replicas = 0;

  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{"slot", "number of the slot of 2 s since 1970", 0, 1e12}, self.slot);
    visit(Field{"replicas", "what was decided then", 0, kMaxReplicas}, self.replicas);
  }
  bool operator==(const KpaDelayed&) const = default;
};
// Adds `replicas` to the slot of `now` and returns the maximum. `kept` is in order of time and
// falling in size: what can still be a maximum.
Replicas RecordDelayed(std::vector<KpaDelayed>& kept, Duration delay, Instant now,
                       Replicas replicas);

}  // namespace tidegate::sizing
