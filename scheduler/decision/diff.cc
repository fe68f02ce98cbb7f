#include "scheduler/decision/diff.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "policies/sizing/policy.h"

namespace tidegate::decision {
namespace {

constexpr std::size_t kMostShown = 20;

void Widen(SizeRange& range, Replicas size, bool first) {
  range.least = first ? size : std::min(range.least, size);
  range.most = first ? size : std::max(range.most, size);
}

void Count(Compared& compared, Replicas recorded, Replicas replayed) {
  const bool first = compared.decisions == 0;
  Widen(compared.recorded, recorded, first);
  Widen(compared.replayed, replayed, first);
  ++compared.decisions;
}

void Spend(Compared& compared, Replicas recorded, Replicas replayed, Duration time) {
  compared.recorded_hours += recorded * Seconds(time) / 3600;
  compared.replayed_hours += replayed * Seconds(time) / 3600;
}

std::string RangeText(const SizeRange& range) {
  if (range.least == range.most) return std::to_string(range.least);
  return fmt::format("{}..{}", range.least, range.most);
}

std::string StretchText(const Stretch& stretch) {
  return fmt::format("  {} for {}, {} decision{}: {} -> {} replicas, {} -> {}\n",
                     FormatInstant(stretch.begin), FormatDuration(stretch.end - stretch.begin),
                     stretch.decisions, stretch.decisions == 1 ? "" : "s",
                     RangeText(stretch.recorded), RangeText(stretch.replayed),
                     guards::Name(stretch.recorded_reason), guards::Name(stretch.replayed_reason));
}

std::string HoursText(const Compared& compared) {
  std::string text = fmt::format("replica-hours {:.2f} -> {:.2f}", compared.recorded_hours,
                                 compared.replayed_hours);
  if (compared.recorded_hours <= 0) return text;
  return text +
         fmt::format(" ({:+.1f} %)", 100 * (compared.replayed_hours / compared.recorded_hours - 1));
}

}  // namespace

Differ::Differ(PoolSpec spec, Instant since)
    : spec_(std::move(spec)), since_(since), replay_(spec_), seen_(spec_.targets.size()) {
  diff_.pool = spec_.id;
}

// Time has gone on since the last decision.
void Differ::Pass(Instant at) {
  if (diff_.decisions == 0) return;
  Spend(diff_, recorded_, replayed_, at - at_);
  if (stretch_) Spend(*stretch_, recorded_, replayed_, at - at_);
}

void Differ::Close(Instant at) {
  if (!stretch_) return;
  stretch_->end = at;
  if (diff_.stretches.size() < kMostStretches) {
    diff_.stretches.push_back(*stretch_);
  } else {
    ++diff_.more_stretches;
  }
  stretch_.reset();
}

void Differ::Open(const Decision& recorded, const Decision& replayed) {
  if (stretch_) return;
  stretch_.emplace();
  stretch_->begin = recorded.at;
  stretch_->recorded_reason = recorded.desired.reason;
  stretch_->replayed_reason = replayed.desired.reason;
}

void Differ::Take(const Decision& recorded) {
  const Decision replayed = replay_.Next(recorded);
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    if (!seen_[i]) {
      seen_[i] = sizing::FindReading(recorded.readings, spec_.targets[i].signal) != nullptr;
    }
  }
  if (recorded.at < since_) return;
  Pass(recorded.at);
  if (diff_.decisions == 0) diff_.begin = recorded.at;
  diff_.end = at_ = recorded.at;
  recorded_ = recorded.desired.replicas;
  replayed_ = replayed.desired.replicas;
  Count(diff_, recorded_, replayed_);
  if (recorded_ == replayed_) return Close(recorded.at);
  ++diff_.differing;
  if (!spec_.config_version.empty() && recorded.config_version == spec_.config_version) {
    ++diff_.unexplained;
  }
  Open(recorded, replayed);
  Count(*stretch_, recorded_, replayed_);
}

PoolDiff Differ::Finish() && {
  Close(at_);
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    const sizing::SignalTarget& target = spec_.targets[i];
    if (!seen_[i] && target.per_replica) diff_.missing.push_back(target.signal);
  }
  return std::move(diff_);
}

std::string ToText(const PoolDiff& diff) {
  const std::string name = ToString(diff.pool);
  if (diff.decisions == 0) return fmt::format("{}: no decision was recorded\n", name);
  std::string text =
      fmt::format("{}: {} of {} decisions would differ, {} .. {}\n", name, diff.differing,
                  diff.decisions, FormatInstant(diff.begin), FormatInstant(diff.end));
  if (diff.differing > 0) {
    text += fmt::format("  replicas {} -> {}, {}\n", RangeText(diff.recorded),
                        RangeText(diff.replayed), HoursText(diff));
  }
  const std::size_t shown = std::min(kMostShown, diff.stretches.size());
  for (std::size_t i = 0; i < shown; ++i) text += StretchText(diff.stretches[i]);
  const std::int64_t more =
      static_cast<std::int64_t>(diff.stretches.size() - shown) + diff.more_stretches;
  if (more > 0) text += fmt::format("  and {} more times; --output json lists them\n", more);
  for (const std::string& signal : diff.missing) {
    text += fmt::format(
        "  note: {} was never recorded, so that a replay can't know it and holds the pool\n",
        signal);
  }
  if (diff.unexplained > 0) {
    text += fmt::format(
        "  note: {} of them were decided under this very configuration: the replay's own error, "
        "from what was not recorded\n",
        diff.unexplained);
  }
  return text;
}

}  // namespace tidegate::decision
