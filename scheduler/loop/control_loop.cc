// One tick, in this order, and the order is the point:
//
//   observe -> decide -> record -> request
//
// The record is written ahead of the requests: a daemon that dies in between finds its requests as
// pending after the restart, counts them against the budgets and repeats them under the same names.
// What the fleet refuses is taken back and written again, or a restart would repeat it.
// A journal that fails does not stop the pools: the fleet itself shows what runs, and a full disk
// must not freeze a pool in a spike.

#include "scheduler/loop/control_loop.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

#include "policies/base/check.h"
#include "policies/catalog.h"
#include "policies/sizing/forecast_policy.h"

namespace tidegate::loop {
namespace {

using decision::Decision;

constexpr Duration kAskAgain = std::chrono::minutes(10);  // for a past that could not be had

bool SameQualities(const std::vector<signals::Reading>& a, const std::vector<signals::Reading>& b) {
  return std::ranges::equal(a, b, {}, &signals::Reading::quality, &signals::Reading::quality);
}

// Whether `now` tells a reader nothing that `before` did not.
bool Repeats(const Decision& before, const Decision& now) {
  return now.plan.steps.empty() && now.desired.replicas == before.desired.replicas &&
         now.desired.reason == before.desired.reason && now.counts == before.counts &&
         now.revision == before.revision && now.config_version == before.config_version &&
         now.error == before.error && SameQualities(now.readings, before.readings);
}

// The signal whose past the pool's policies want; null: none does.
const std::string* WantedSignal(const decision::PoolSpec& spec) {
  const bool wanted = std::ranges::any_of(
      spec.policies, [](const PolicyOptions& options) { return PolicyOf(options).history; });
  const sizing::SignalTarget* target = wanted ? sizing::RequestsTarget(spec.targets) : nullptr;
  return target == nullptr ? nullptr : &target->signal;
}

const Decision* Find(const Tick& tick, const PoolId& pool) {
  const auto at = std::ranges::lower_bound(tick.decisions, pool, {}, &Decision::pool);
  return at != tick.decisions.end() && at->pool == pool ? &*at : nullptr;
}

}  // namespace

ControlLoop::ControlLoop(ports::Clock& clock, ports::SignalSource& source,
                         ports::Actuator& actuator, ports::Journal& journal, Options options)
    : clock_(clock), source_(source), actuator_(actuator), journal_(journal), options_(options) {}

void ControlLoop::Configure(std::vector<decision::PoolSpec> pools) {
  TIDEGATE_CHECK(std::ranges::is_sorted(pools, {}, &decision::PoolSpec::id), "pools are sorted");
  pools_ = std::move(pools);
  const auto gone = [&](const PoolId& id) {
    return !std::ranges::binary_search(pools_, id, {}, &decision::PoolSpec::id);
  };
  std::erase_if(state_.pools, [&](const auto& entry) { return gone(entry.first); });
  std::erase_if(written_, [&](const auto& entry) { return gone(entry.first); });
  std::map<PoolId, Past> pasts;
  for (const decision::PoolSpec& spec : pools_) {
    const std::string* signal = WantedSignal(spec);
    if (signal == nullptr) continue;
    const auto known = pasts_.find(spec.id);
    const bool same = known != pasts_.end() && known->second.signal == *signal;
    pasts.emplace(spec.id, same ? std::move(known->second) : Past(*signal));
  }
  pasts_ = std::move(pasts);
}

const signals::History* ControlLoop::history(const PoolId& pool) const {
  const auto known = pasts_.find(pool);
  return known == pasts_.end() ? nullptr : &known->second.history;
}

void ControlLoop::Restore(decision::DecisionState state) { state_ = std::move(state); }

Instant ControlLoop::Step() {
  auto tick = std::make_shared<Tick>();
  tick->at = clock_.Now();
  const Instant due = tick->at + options_.period;
  const auto snapshot = source_.Observe(tick->at, pools_);
  RefillPasts(*tick);
  if (snapshot) {
    const std::vector<rollout::StepBasis> bases = DecideAll(*snapshot, *tick);
    Record(*tick);
    TakeSteps(bases, *tick);
  } else {
    tick->observe_error = snapshot.error().message;  // no evidence, no change
  }
  tick_ = std::move(tick);
  return due;
}

std::vector<rollout::StepBasis> ControlLoop::DecideAll(const signals::Snapshot& snapshot,
                                                       Tick& tick) {
  TIDEGATE_CHECK(snapshot.pools.size() == pools_.size(), "a snapshot has one entry per pool");
  tick.decisions.reserve(pools_.size());
  std::vector<rollout::StepBasis> bases;
  bases.reserve(pools_.size());
  for (std::size_t i = 0; i < pools_.size(); ++i) {
    decision::PoolState& state = state_.pools[pools_[i].id];
    const signals::History* history = Remember(pools_[i], snapshot.pools[i], tick.at);
    decision::Outcome outcome =
        decision::Decide(pools_[i], snapshot.pools[i], tick.at, std::move(state), history);
    state = std::move(outcome.state);
    tick.decisions.push_back(std::move(outcome.decision));
    bases.push_back(outcome.basis);
  }
  return bases;
}

void ControlLoop::RefillPasts(Tick& tick) {
  std::vector<ports::SignalSource::PastWanted> wanted;
  for (const auto& [pool, past] : pasts_) {
    if (!past.refilled && past.ask_at <= tick.at) wanted.push_back({&pool, &past.signal});
  }
  if (wanted.empty()) return;
  for (ports::Past& taken : source_.TakePasts(tick.at, wanted)) {
    const auto known = pasts_.find(taken.pool);
    if (known == pasts_.end()) continue;  // no longer wanted
    if (taken.error.empty()) {
      signals::History& history = known->second.history;
      // Nobody knows the future: a past that reaches there would keep the present out.
      const std::int64_t past = std::min(history.BinOf(tick.at) - taken.first,
                                         static_cast<std::int64_t>(taken.means.size()));
      if (past > 0) {
        history.Refill(taken.first, std::span(taken.means).first(static_cast<std::size_t>(past)));
      }
      known->second.refilled = true;
    } else {
      known->second.ask_at = tick.at + kAskAgain;
      tick.past_failures.push_back({taken.pool, std::move(taken.error)});
    }
  }
}

const signals::History* ControlLoop::Remember(const decision::PoolSpec& spec,
                                              const signals::PoolSnapshot& pool, Instant now) {
  const auto known = pasts_.find(spec.id);
  if (known == pasts_.end()) return nullptr;
  Past& past = known->second;
  const signals::Reading* reading = sizing::FindReading(pool.readings, past.signal);
  // A partial reading is a lower bound and would teach that load had fallen.
  if (reading != nullptr && reading->quality == signals::Quality::kOk) {
    past.history.Append(now, reading->value);
  }
  return &past.history;
}

void ControlLoop::Record(Tick& tick) {
  std::vector<ports::JournalEntry> entries;
  for (const Decision& decision : tick.decisions) {
    const Decision* before = Find(*tick_, decision.pool);
    Written& written = written_[decision.pool];
    const bool news = before == nullptr || !Repeats(*before, decision);
    const bool record = news || tick.at - written.decision >= options_.record_every;
    const bool save = news || tick.at - written.state >= options_.checkpoint_every;
    if (!record && !save) continue;
    entries.push_back({.decision = record ? &decision : nullptr,
                       .pool = &decision.pool,
                       .state = save ? &state_.pools[decision.pool] : nullptr});
    if (record) written.decision = tick.at;
    if (save) written.state = tick.at;
  }
  Append(entries, tick);
}

void ControlLoop::Append(const std::vector<ports::JournalEntry>& entries, Tick& tick) {
  if (entries.empty()) return;
  if (auto appended = journal_.Append(tick.at, entries); !appended) {
    tick.journal_error = appended.error().message;
  }
}

void ControlLoop::TakeSteps(const std::vector<rollout::StepBasis>& bases, Tick& tick) {
  std::vector<rollout::Step> refused;
  std::vector<ports::JournalEntry> entries;
  for (std::size_t i = 0; i < tick.decisions.size(); ++i) {
    const Decision& decision = tick.decisions[i];
    if (decision.dry_run) continue;
    refused.clear();
    for (const rollout::Step& step : decision.plan.steps) {
      if (auto taken = actuator_.Request(tick.at, decision.pool, step); taken) {
        ++tick.steps;
      } else {
        tick.failures.push_back({decision.pool, step, taken.error()});
        refused.push_back(step);
      }
    }
    if (refused.empty()) continue;
    decision::PoolState& state = state_.pools[decision.pool];
    rollout::TakeBack(decision.plan, refused, bases[i], state.rollout);
    entries.push_back({.decision = nullptr, .pool = &decision.pool, .state = &state});
  }
  Append(entries, tick);
}

Expected<void> ControlLoop::Checkpoint() {
  std::vector<ports::JournalEntry> entries;
  for (const auto& [pool, state] : state_.pools) {
    entries.push_back({.decision = nullptr, .pool = &pool, .state = &state});
  }
  if (entries.empty()) return {};
  return journal_.Append(clock_.Now(), entries);
}

}  // namespace tidegate::loop
