#include "policies/sizing/keda_triggers.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "policies/sizing/formula.h"
#include "policies/sizing/hpa.h"

namespace tidegate::sizing {
namespace {

using signals::Quality;
using signals::Reading;

bool Open(const KedaWindow& window, Instant now) {
  const auto begun = LastFire(window.start, window.zone, now, Fold::kFirst);
  if (!begun) return false;
  const auto end = WindowEnd(window.start, window.end, window.zone, *begun);
  return !end || now < *end;
}

// KEDA's cron scaler: outside where the next start comes before the next end.
bool OpenAsKeda(const KedaWindow& window, Instant now) {
  const auto end = NextFire(window.end, window.zone, now, Fold::kLast);
  const auto start = NextFire(window.start, window.zone, now, Fold::kFirst);
  return end && (!start || *end <= *start);
}

// As KEDA keeps a formula's result: whole thousandths, and no demand below 0.
double Thousandths(double value) { return std::trunc(std::max(0.0, value) * 1'000) / 1'000; }

class Listener {
 public:
  Listener(const Input& input, const KedaOptions& options, bool polled, KedaMemory& memory)
      : input_(input), options_(options), polled_(polled), memory_(memory) {}

  std::vector<KedaSaid> All() {
    std::vector<KedaSaid> said;
    said.reserve(options_.triggers.size() + options_.cron.size() + input_.targets.size());
    for (const KedaTrigger& trigger : options_.triggers) said.push_back(Listen(trigger));
    for (const SignalTarget& target : input_.targets) {
      const bool named = std::ranges::find(options_.triggers, target.signal,
                                           &KedaTrigger::signal) != options_.triggers.end();
      if (named || !target.per_replica) continue;
      said.push_back({target.signal, KedaType::kAverageValue, *target.per_replica});
      Hear(target.signal, true, said.back());
    }
    for (std::size_t i = 0; i < options_.cron.size(); ++i) said.push_back(LookAtClock(i));
    std::vector<KedaHealth> health;
    for (KedaSaid& one : said) Count(one, health);
    memory_.health = std::move(health);
    return said;
  }

 private:
  KedaSaid Listen(const KedaTrigger& trigger) const {
    KedaSaid said;
    said.name = trigger.name.empty() ? trigger.signal : trigger.name;
    said.type = trigger.type;
    said.activation = trigger.activation_threshold;
    const auto signal = std::ranges::find(input_.targets, trigger.signal, &SignalTarget::signal);
    if (trigger.target) {
      said.target = *trigger.target;
    } else if (signal != input_.targets.end()) {
      said.target = signal->per_replica.value_or(1);
    }
    Hear(trigger.signal, trigger.ignore_null_values, said);
    return said;
  }

  void Hear(const std::string& signal, bool ignore_null, KedaSaid& said) const {
    const Reading* reading = FindReading(input_.readings, signal);
    if (reading == nullptr) {
      said.why = "the signal was not read";
      return;
    }
    said.quality = reading->quality;
    said.age = reading->age;
    said.why = reading->detail;
    if (signals::MayGrow(reading->quality)) said.value = reading->value;
    if (options_.compat == KedaCompat::kKeda) TakeAsKeda(*reading, ignore_null, said);
    if (said.value && !(std::isfinite(*said.value) && *said.value >= 0)) {
      said.value.reset();
      said.quality = Quality::kNaN;
    }
  }

  static void TakeAsKeda(const Reading& reading, bool ignore_null, KedaSaid& said) {
    const bool null = reading.quality == Quality::kEmpty || reading.quality == Quality::kNaN;
    if (null && ignore_null) said.value = 0;
    if (reading.quality == Quality::kStale) said.value = reading.last;
    if (said.value && *said.value < 0) said.value = 0;  // by the metrics API, whatever the switch
    if (said.value) said.quality = Quality::kOk;
  }

  KedaSaid LookAtClock(std::size_t index) const {
    const KedaCron& cron = options_.cron[index];
    KedaSaid said;
    said.name = cron.name;
    if (options_.resolved.size() != options_.cron.size()) {
      said.why = "its times were not resolved";
      return said;
    }
    const KedaWindow& window = options_.resolved[index];
    const bool open = options_.compat == KedaCompat::kKeda ? OpenAsKeda(window, input_.now)
                                                           : Open(window, input_.now);
    said.quality = Quality::kOk;
    said.value = open ? cron.desired_replicas : 0;
    return said;
  }

  void Count(KedaSaid& said, std::vector<KedaHealth>& health) const {
    if (said.value || !options_.fallback) return;
    const auto known = std::ranges::find(memory_.health, said.name, &KedaHealth::trigger);
    const std::int32_t before = known == memory_.health.end() ? 0 : known->failures;
    std::int32_t looks = 1;
    if (options_.compat == KedaCompat::kKeda) {
      looks = std::int32_t{input_.current > 0} + std::int32_t{polled_};
    }
    constexpr std::int32_t kMost = 2'000'000'000;
    const std::int32_t failures = std::min(before, kMost - looks) + looks;
    health.push_back({std::string(said.name), failures});
    if (failures <= options_.fallback->failure_threshold) return;
    said.nil = options_.modifiers &&
               options_.fallback->behavior == KedaFallbackBehavior::kScalingModifiers;
    if (said.nil) return;
    const KedaType type = options_.modifiers ? options_.modifiers->type : said.type;
    if (type == KedaType::kValue && signals::Count(input_.replicas).ready == 0) return;
    said.fallback = FallbackSize(*options_.fallback);
  }

  Replicas FallbackSize(const KedaFallback& fallback) const {
    switch (fallback.behavior) {
      case KedaFallbackBehavior::kCurrent: return input_.current;
      case KedaFallbackBehavior::kCurrentIfHigher:
        return std::max(input_.current, fallback.replicas);
      case KedaFallbackBehavior::kCurrentIfLower:
        return std::min(input_.current, fallback.replicas);
      case KedaFallbackBehavior::kStatic:
      case KedaFallbackBehavior::kScalingModifiers: break;
    }
    return fallback.replicas;
  }

  const Input& input_;
  const KedaOptions& options_;
  bool polled_;
  KedaMemory& memory_;
};

// The HPA that KEDA makes.
class Asker {
 public:
  Asker(const Input& input, const KedaOptions& options, std::span<const KedaSaid> said)
      : input_(input),
        options_(options),
        said_(said),
        counts_(signals::Count(input.replicas)),
        tolerances_(input.tolerances.Or(options.tolerance)) {}

  KedaTick All() const {
    KedaTick tick;
    tick.failing = std::ranges::any_of(said_, Fails);
    if (options_.modifiers) {
      tick.proposals.push_back(Composite(*options_.modifiers, tick));
      return tick;
    }
    tick.proposals.reserve(said_.size());
    for (const KedaSaid& said : said_) {
      tick.proposals.push_back(Plain(said));
      const bool above = said.value && *said.value > said.activation;
      tick.active = tick.active || above || said.fallback;
      // What is known of a partial sum is that it is at least so much.
      tick.failing = tick.failing || (said.quality == Quality::kPartial && !above);
    }
    return tick;
  }

 private:
  // One that falls back fails no more.
  static bool Fails(const KedaSaid& said) { return !said.value && !said.fallback && !said.nil; }
  bool AsKeda() const { return options_.compat == KedaCompat::kKeda; }

  // The value that makes the HPA ask for a fallback's replicas.
  double ValueOf(Replicas replicas, double target, KedaType type) const {
    const double value = target * replicas;
    return type == KedaType::kValue ? value / std::max(1, counts_.ready) : value;
  }

  void Ask(double value, KedaType type, Proposal& proposal) const {
    const std::int64_t target = MilliTarget(proposal.target);
    const HpaAnswer answer =
        type == KedaType::kAverageValue
            ? ByAverageValue(MilliValue(value), target, counts_.live(), tolerances_)
            : ByValue(MilliValue(value), target, input_.current, input_.replicas, tolerances_);
    proposal.value = value;
    proposal.replicas = answer.replicas;
    if (!answer.replicas) proposal.quality = Quality::kError;
    if (proposal.note.empty()) proposal.note = answer.why;
    const Replicas least = std::max(options_.min_replica_count, 1);
    if (!answer.replicas || *answer.replicas >= least) return;
    proposal.replicas = least;
    proposal.note += fmt::format("{}at least {}", proposal.note.empty() ? "" : "; ", least);
  }

  static void Describe(const KedaSaid& said, Proposal& proposal) {
    proposal.quality = said.quality;
    proposal.age = said.age;
    proposal.note = said.why;
  }

  void FallBack(const KedaSaid& said, KedaType type, Proposal& proposal) const {
    proposal.quality = Quality::kOk;
    proposal.note = fmt::format(
        "{} has failed more than {} times: {} {}", said.name, options_.fallback->failure_threshold,
        KedaFallback::kBehaviors[static_cast<std::size_t>(options_.fallback->behavior)],
        *said.fallback);
    Ask(ValueOf(*said.fallback, proposal.target, type), type, proposal);
  }

  Proposal Plain(const KedaSaid& said) const {
    Proposal proposal;
    proposal.source = said.name;
    proposal.target = said.target;
    Describe(said, proposal);
    if (said.value) {
      Ask(*said.value, said.type, proposal);
    } else if (said.fallback) {
      FallBack(said, said.type, proposal);
    }
    return proposal;
  }

  // Where the formula is not asked: a trigger that falls back, else one that is to blame.
  const KedaSaid* Bypass() const {
    const auto falls = std::ranges::find_if(said_, [](const auto& one) { return !!one.fallback; });
    if (falls != said_.end()) return &*falls;
    if (!AsKeda() && !options_.fallback) return nullptr;  // nil is for the formula to judge
    const auto fails = std::ranges::find_if(said_, Fails);
    return fails != said_.end() ? &*fails : nullptr;
  }

  Proposal Composite(const KedaModifiers& modifiers, KedaTick& tick) const {
    Proposal proposal;
    proposal.source = "composite-metric";
    proposal.target = modifiers.target;
    if (const KedaSaid* said = Bypass()) {
      Describe(*said, proposal);
      if (!said->fallback) return proposal;
      FallBack(*said, modifiers.type, proposal);
      tick.active = !AsKeda() || (!tick.failing && proposal.value > modifiers.activation_target);
      return proposal;
    }
    const Formula::Result result = Evaluate(modifiers, proposal);
    if (result.kind == Formula::Result::Kind::kNumber) {
      AskFor(Thousandths(result.number), modifiers, proposal, tick);
      return proposal;
    }
    const bool nil = result.kind == Formula::Result::Kind::kNil;
    if (nil && options_.fallback) {
      const Replicas replicas = options_.fallback->replicas;
      proposal.note = fmt::format("the formula comes to nil: {}", replicas);
      // KEDA leaves it undivided where the target is a Value.
      AskFor(AsKeda() ? modifiers.target * replicas
                      : ValueOf(replicas, modifiers.target, modifiers.type),
             modifiers, proposal, tick);
      tick.active = tick.active || !AsKeda();
      return proposal;
    }
    proposal.quality = Quality::kError;
    proposal.note = nil ? "the formula comes to nil" : std::string(result.why);
    tick.failing = true;
    return proposal;
  }

  // The formula's result.
  void AskFor(double value, const KedaModifiers& modifiers, Proposal& proposal,
              KedaTick& tick) const {
    const bool above = value > modifiers.activation_target;
    tick.active = tick.active || above;
    tick.failing = tick.failing || (proposal.quality == Quality::kPartial && !above);
    Ask(value, modifiers.type, proposal);
  }

  Formula::Result Evaluate(const KedaModifiers& modifiers, Proposal& proposal) const {
    const auto formula = Formula::Parse(modifiers.formula);
    if (!formula) return {Formula::Result::Kind::kFailed, 0, "the formula can't be read"};
    proposal.quality = Quality::kOk;
    std::vector<std::optional<double>> values;
    values.reserve(formula->names().size());
    for (const std::string& name : formula->names()) {
      const auto said = std::ranges::find(said_, name, &KedaSaid::name);
      values.push_back(said == said_.end() ? std::nullopt : said->value);
      if (said == said_.end()) continue;
      proposal.age = std::max(proposal.age, said->age);
      if (said->quality == Quality::kPartial) proposal.quality = Quality::kPartial;
    }
    return formula->Evaluate(values);
  }

  const Input& input_;
  const KedaOptions& options_;
  std::span<const KedaSaid> said_;
  signals::PhaseCounts counts_;
  Tolerances tolerances_;
};

}  // namespace

std::vector<KedaSaid> ListenTo(const Input& input, const KedaOptions& options, bool polled,
                               KedaMemory& memory) {
  return Listener(input, options, polled, memory).All();
}

KedaTick AskHpa(const Input& input, const KedaOptions& options, std::span<const KedaSaid> said) {
  return Asker(input, options, said).All();
}

}  // namespace tidegate::sizing
