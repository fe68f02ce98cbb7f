#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "policies/sizing/kpa.h"

// From a pool's readings to Knative's samples.
//
// Knative asks a sample of the replicas once per second and decides every two. Here a reading comes
// with every decision and is the pool's total already. It stands for the seconds since the decision
// before, so that one decision per second is Knative bit for bit, and a slower loop does not turn
// the seconds between its readings into gaps of 0. A reading that can't be used leaves those
// seconds empty, as a failed scrape does. So does one that knows fewer replicas than Knative would
// have asked; one that knows enough of them is taken for all, as Knative takes its sample.
//
// One thing is ours: while the newest reading can't be used the windows go on, but they only grow
// the pool (the proposal is `partial`, guards/hold.h).
namespace tidegate::sizing {
namespace {

using signals::Quality;
using signals::Reading;

// The sample that Knative would have made of it.
std::optional<double> SampleOf(const Reading& reading) {
  if (!signals::MayGrow(reading.quality)) return std::nullopt;
  if (!std::isfinite(reading.value) || reading.value < 0) return std::nullopt;
  if (reading.quality == Quality::kOk || reading.expected <= reading.series) return reading.value;
  if (reading.series < KpaSampleSize(reading.expected)) return std::nullopt;
  return reading.value * reading.expected / reading.series;
}

void RecordSince(KpaWindow& window, const KpaLengths& lengths, std::optional<Instant> last_tick,
                 Instant now, double value) {
  const Instant bucket = KpaBucket(now);
  Instant from = bucket;
  // After a whole window without a decision there is nothing to go on with.
  if (last_tick && bucket - *last_tick < lengths.stable) {
    from = std::min(bucket, KpaBucket(*last_tick) + std::chrono::seconds(1));
  }
  if (window.last_write && *window.last_write <= bucket) {
    from = std::max(from, *window.last_write + std::chrono::seconds(1));
  }
  for (; from <= bucket; from += std::chrono::seconds(1)) Record(window, lengths, from, value);
}

std::string NoteOf(const KpaOptions& options, const KpaObserved& observed, const KpaScale& scale,
                   const KpaState& state, const KpaTarget& target, Replicas ready) {
  const KpaLengths lengths = LengthsOf(options);
  std::string note = fmt::format("stable {:.6g} over {} gives {}, panic {:.6g} over {} gives {}",
                                 observed.stable, FormatDuration(lengths.stable), scale.stable,
                                 observed.panic, FormatDuration(lengths.panic), scale.panic);
  note += fmt::format(" ({} ready allow {} to {})", ready, scale.least, scale.most);
  if (scale.panicking) {
    note += fmt::format("; in panic since {}, at least {}", FormatInstant(*state.panic_since),
                        state.most_in_panic);
  }
  if (scale.desired > std::max(scale.stable, scale.panicking ? state.most_in_panic : 0)) {
    note += fmt::format("; {} was wanted within {}", scale.desired,
                        FormatDuration(options.scale_down_delay));
  }
  if (scale.excess_burst < 0 && options.target_burst_capacity > 0) {
    note += fmt::format(
        "; a burst of {} would be {} too much (Knative would buffer in {} activators)",
        options.target_burst_capacity, -scale.excess_burst, ActivatorsFor(options, target, ready));
  }
  return note;
}

struct Scaled {
  Proposal proposal;
  bool burst_fits = true;  // as far as is known
};

// One signal's scaler at one tick.
class SignalScaler {
 public:
  SignalScaler(const Input& input, const KpaOptions& options, Replicas ready,
               std::optional<Instant> last_tick)
      : input_(input), options_(options), ready_(ready), last_tick_(last_tick) {}

  Scaled Propose(const SignalTarget& signal, KpaSignal& memory) const {
    const KpaLengths lengths = LengthsOf(options_);
    const Reading* reading = FindReading(input_.readings, signal.signal);
    const auto sample = reading != nullptr ? SampleOf(*reading) : std::nullopt;
    if (sample) RecordSince(memory.window, lengths, last_tick_, input_.now, *sample);

    const KpaTarget target = TargetFor(signal);
    Proposal proposal = Described(signal, reading, target);
    if (IsEmpty(memory.window, lengths.stable, input_.now)) {
      if (proposal.quality == Quality::kOk) proposal.quality = Quality::kEmpty;
      proposal.note = "no usable reading in the stable window" + Because(reading);
      return {std::move(proposal)};
    }
    const KpaObserved observed = Observe(memory.window, lengths);
    const KpaScale scale = Scale(options_, target, observed, ready_, input_.now, memory.state);
    proposal.value = observed.stable;
    proposal.replicas = scale.desired;
    proposal.note = NoteOf(options_, observed, scale, memory.state, target, ready_);
    if (!sample) {
      proposal.quality = Quality::kPartial;
      proposal.note += "; the newest reading can't be used" + Because(reading);
    }
    return {std::move(proposal), scale.excess_burst >= 0};
  }

 private:
  KpaTarget TargetFor(const SignalTarget& signal) const {
    const bool rate = signal.measure == signals::Measure::kRequests;
    const bool limited = signal.measure == signals::Measure::kInflight;
    return TargetOf(options_, signal.per_replica,
                    limited ? input_.capacity.concurrency : std::nullopt, rate);
  }
  KpaObserved Observe(const KpaWindow& window, const KpaLengths& lengths) const {
    return {Mean(window, lengths, lengths.stable, options_.aggregation, input_.now),
            Mean(window, lengths, lengths.panic, options_.aggregation, input_.now)};
  }
  static Proposal Described(const SignalTarget& signal, const Reading* reading,
                            const KpaTarget& target) {
    Proposal proposal;
    proposal.source = signal.signal;
    proposal.target = target.value;
    if (reading != nullptr) {
      proposal.quality = reading->quality;
      proposal.age = reading->age;
    }
    return proposal;
  }
  static std::string Because(const Reading* reading) {
    if (reading == nullptr) return ": the signal was not read";
    return reading->detail.empty() ? "" : ": " + reading->detail;
  }

  const Input& input_;
  const KpaOptions& options_;
  Replicas ready_;
  std::optional<Instant> last_tick_;
};

// The signals that size the pool: those with a target; where none has one, the first that Knative
// has a default for, requests in progress before rates.
std::vector<const SignalTarget*> SizedBy(std::span<const SignalTarget> targets) {
  std::vector<const SignalTarget*> chosen;
  for (const SignalTarget& target : targets) {
    if (target.per_replica && target.measure != signals::Measure::kLatency) {
      chosen.push_back(&target);
    }
  }
  for (const auto measure : {signals::Measure::kInflight, signals::Measure::kRequests}) {
    const auto found = std::ranges::find(targets, measure, &SignalTarget::measure);
    if (chosen.empty() && found != targets.end()) chosen.push_back(&*found);
  }
  return chosen;
}

// What the sizes become on the way to zero.
void ApplyZero(const Input& input, const KpaOptions& options, KpaSizes sizes, KpaZero& zero,
               std::vector<Proposal>& proposals) {
  std::optional<Replicas> wanted;
  for (const Proposal& proposal : proposals) {
    if (proposal.replicas) wanted = std::max(wanted.value_or(0), *proposal.replicas);
  }
  const Replicas proposed = wanted.value_or(0);
  if (wanted) wanted = std::clamp(*wanted, input.min, std::max(input.min, input.max));
  const bool nothing = wanted == 0;
  const auto size = ScaleToZero(options, wanted, sizes, input.now, zero);
  if (!nothing || proposed == size) return;
  for (Proposal& proposal : proposals) {
    if (!proposal.replicas) continue;
    proposal.replicas = size;
    proposal.note += fmt::format("; {} since {}: {} instead of 0",
                                 KpaZero::kActivities[static_cast<std::size_t>(zero.activity)],
                                 FormatInstant(zero.since), *size);
  }
}

}  // namespace

Sizing Kpa::Size(const Input& input, const Options& options, Memory& memory) {
  const Replicas ready = signals::Count(input.replicas).ready;
  const SignalScaler scaler(input, options, ready, memory.last_tick);
  Sizing sizing;
  KpaSizes sizes{.current = input.current, .ready = ready, .min = input.min};
  std::vector<KpaSignal> kept;
  for (const SignalTarget* target : SizedBy(input.targets)) {
    const auto known = std::ranges::find(memory.signals, target->signal, &KpaSignal::signal);
    kept.push_back(known != memory.signals.end()
                       ? std::move(*known)
                       : KpaSignal{target->signal, {}, NewKpaState(ready, input.now)});
    Scaled scaled = scaler.Propose(*target, kept.back());
    sizes.burst_fits = sizes.burst_fits && scaled.burst_fits;
    sizing.proposals.push_back(std::move(scaled.proposal));
  }
  memory.signals = std::move(kept);
  memory.last_tick = input.now;
  ApplyZero(input, options, sizes, memory.zero, sizing.proposals);
  return sizing;
}

}  // namespace tidegate::sizing
