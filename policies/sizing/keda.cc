#include "policies/sizing/keda.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "policies/sizing/formula.h"
#include "policies/sizing/keda_triggers.h"

// What KEDA's operator does to the size by itself: from 0 or idle when something becomes active,
// and back when nothing has been for long enough.
namespace tidegate::sizing {
namespace {

struct AtOnce {
  std::optional<Replicas> replicas;
  std::string why;
};

class Operator {
 public:
  Operator(const Input& input, const KedaOptions& options, KedaMemory& memory)
      : input_(input),
        options_(options),
        memory_(memory),
        least_(std::max(options.min_replica_count, 1)),
        to_zero_(options.fallback && options.fallback->replicas == 0) {}

  // At a look of the operator's, and between them (`polled` false).
  AtOnce Decide(const KedaTick& tick, bool polled) {
    AtOnce decided;
    if (polled) decided = tick.active ? Activate(tick) : Deactivate(tick);
    if (decided.replicas) return decided;
    if (Rests(tick, polled)) {
      return {input_.current, !polled        ? "between two looks at what is active"
                              : tick.failing ? "nothing is known to be active"
                                             : "nothing is active"};
    }
    if (input_.current < least_) return {least_, "the HPA's minimum"};
    return {};
  }

 private:
  // Whether the size is one that only activity ends.
  bool Rests(const KedaTick& tick, bool polled) const {
    if (options_.idle_replica_count && input_.current <= *options_.idle_replica_count) return true;
    if (input_.current > 0) return false;
    const bool unknown = tick.failing && !to_zero_;
    return options_.min_replica_count == 0 || options_.paused_scale_out || !polled || unknown;
  }

  AtOnce Activate(const KedaTick& tick) {
    const bool idle = options_.idle_replica_count && input_.current < options_.min_replica_count;
    if (input_.current == 0 || idle) {
      if (options_.paused_scale_out) return {};
      memory_.last_active = input_.now;
      return {least_, "a trigger became active"};
    }
    if (!tick.failing) memory_.last_active = input_.now;
    return {};
  }

  AtOnce Deactivate(const KedaTick& tick) const {
    if ((tick.failing && !to_zero_) || options_.paused_scale_in) return {};
    const Replicas rest = options_.idle_replica_count.value_or(0);
    const bool may_rest = options_.idle_replica_count || options_.min_replica_count == 0;
    if (may_rest && input_.current > rest) {
      const Duration cooldown =
          memory_.last_active ? options_.cooldown_period : options_.initial_cooldown_period;
      const Instant since = memory_.last_active.value_or(*memory_.created);
      if (input_.now <= since + cooldown) return {};
      return {rest, fmt::format("nothing has been active since {}", FormatInstant(since))};
    }
    return {};
  }

  const Input& input_;
  const KedaOptions& options_;
  KedaMemory& memory_;
  Replicas least_;
  bool to_zero_;  // the fallback asks for none, so that nothing is lost by getting there early
};

// What the HPA makes of selectPolicy Disabled.
void Pause(const KedaOptions& options, Replicas current, std::vector<Proposal>& proposals) {
  if (!options.paused_scale_in && !options.paused_scale_out) return;
  for (Proposal& proposal : proposals) {
    if (!proposal.replicas || *proposal.replicas == current) continue;
    const bool grows = *proposal.replicas > current;
    if (grows ? !options.paused_scale_out : !options.paused_scale_in) continue;
    proposal.note = fmt::format("{}, but {} is set", *proposal.replicas,
                                grows ? "pausedScaleOut" : "pausedScaleIn");
    proposal.replicas = current;
  }
}

bool Polls(const KedaOptions& options, KedaMemory& memory, Instant now) {
  if (!memory.created) memory.created = now;
  if (memory.last_poll && now - *memory.last_poll < options.polling_interval) return false;
  memory.last_poll = now;
  return true;
}

// --- checks --------------------------------------------------------------------------------------

class Checker {
 public:
  Checker(const KedaOptions& options, std::span<const SignalTarget> targets)
      : options_(options), targets_(targets) {}

  std::vector<OptionProblem> Go() {
    if (options_.idle_replica_count && *options_.idle_replica_count >= options_.min_replica_count) {
      Say("idleReplicaCount", fmt::format("expected less than minReplicaCount, which is {}",
                                          options_.min_replica_count));
    }
    for (const SignalTarget& target : targets_) {
      const bool named = std::ranges::find(options_.triggers, target.signal,
                                           &KedaTrigger::signal) != options_.triggers.end();
      if (!named && target.per_replica) names_.push_back(target.signal);
    }
    for (std::size_t i = 0; i < options_.triggers.size(); ++i) CheckTrigger(i);
    for (std::size_t i = 0; i < options_.cron.size(); ++i) CheckCron(i);
    if (names_.empty())
      Say("triggers", "there is none: no trigger, no cron and no signal with a target");
    if (options_.modifiers) CheckFormula();
    CheckFallback();
    return std::move(problems_);
  }

 private:
  void Say(std::string field, std::string message) {
    problems_.push_back({std::move(field), std::move(message)});
  }
  void Take(const std::string& name, std::string field) {
    if (std::ranges::find(names_, name) != names_.end()) {
      Say(std::move(field), fmt::format("another trigger is called {} too", name));
    }
    names_.push_back(name);
  }

  void CheckTrigger(std::size_t index) {
    const KedaTrigger& trigger = options_.triggers[index];
    const std::string at = fmt::format("triggers[{}]", index);
    Take(trigger.name.empty() ? trigger.signal : trigger.name, at + ".name");
    const auto signal = std::ranges::find(targets_, trigger.signal, &SignalTarget::signal);
    if (signal == targets_.end()) {
      Say(at + ".signal", fmt::format("no signal is called {}", trigger.signal));
    } else if (!trigger.target && !signal->per_replica && !options_.modifiers) {
      Say(at + ".target", "neither it nor its signal has a target");
    }
  }

  void CheckCron(std::size_t index) {
    const KedaCron& cron = options_.cron[index];
    const std::string at = fmt::format("cron[{}]", index);
    Take(cron.name, at + ".name");
    const auto start = ParseCron(cron.start);
    if (!start) Say(at + ".start", start.error().message);
    const auto end = ParseCron(cron.end);
    if (!end) Say(at + ".end", end.error().message);
    if (cron.start == cron.end) Say(at + ".end", "is the same as start: it is never over");
  }

  void CheckFallback() {
    if (options_.modifiers || !options_.fallback) return;
    if (options_.fallback->behavior == KedaFallbackBehavior::kScalingModifiers)
      Say("fallback.behavior", "scalingModifiers needs options of that name");
  }

  void CheckFormula() {
    const auto formula = Formula::Parse(options_.modifiers->formula);
    if (!formula) {
      Say("scalingModifiers.formula", formula.error().message);
      return;
    }
    for (const std::string& name : formula->names()) {
      if (std::ranges::find(names_, name) != names_.end()) continue;
      std::string known;
      for (const std::string& one : names_) known += (known.empty() ? "" : ", ") + one;
      Say("scalingModifiers.formula",
          fmt::format("no trigger is called {}; there are {}", name, known));
    }
  }

  const KedaOptions& options_;
  std::span<const SignalTarget> targets_;
  std::vector<std::string> names_;
  std::vector<OptionProblem> problems_;
};

}  // namespace

Sizing Keda::Size(const Input& input, const Options& options, Memory& memory) {
  const bool polled = Polls(options, memory, input.now);
  const std::vector<KedaSaid> said = ListenTo(input, options, polled, memory);
  KedaTick tick = AskHpa(input, options, said);
  Pause(options, input.current, tick.proposals);
  AtOnce at_once = Operator(input, options, memory).Decide(tick, polled);
  Sizing sizing;
  sizing.proposals = std::move(tick.proposals);
  sizing.at_once = at_once.replicas;
  sizing.why = std::move(at_once.why);
  if (!sizing.at_once) return sizing;
  // The HPA is not asked then: where its answer is larger it would be acted upon.
  for (Proposal& proposal : sizing.proposals) {
    if (proposal.replicas.value_or(0) <= *sizing.at_once) continue;
    proposal.note = fmt::format("{}, but the HPA is not asked", *proposal.replicas);
    proposal.replicas = sizing.at_once;
  }
  return sizing;
}

std::vector<OptionProblem> Keda::Check(const Options& options,
                                       std::span<const SignalTarget> targets) {
  return Checker(options, targets).Go();
}

}  // namespace tidegate::sizing
