#include "sim/report/limits.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

namespace tidegate::sim {
namespace {

constexpr Duration kMinute{60'000};

double WaitSeconds(const Moment& moment) {
  if (moment.capacity > 0) return moment.backlog / moment.capacity;
  return moment.backlog > 0 ? std::numeric_limits<double>::infinity() : 0;
}

// What the decision was held to, and by what: "7 wanted, 4 allowed: maxReplicas is 4".
std::string Held(const decision::Decision& decision) {
  std::string text;
  for (const guards::Limit& limit : decision.desired.limits) {
    if (limit.before == limit.after) continue;
    text += fmt::format("; {} wanted, {} allowed: {}", limit.before, limit.after, limit.detail);
  }
  return text;
}

}  // namespace

const char* Name(LimitKind kind) {
  switch (kind) {
    case LimitKind::kBadMinutes: return "bad minutes";
    case LimitKind::kReplicas: return "replicas";
    case LimitKind::kReplicaHours: return "replica-hours";
    case LimitKind::kCostMultiple: return "cost multiple";
  }
  return "";
}

LimitBreach LimitCheck::Describe(LimitKind kind, double allowed, Instant at,
                                 const Moment& moment) const {
  return {.kind = kind,
          .allowed = allowed,
          .reached = 0,
          .at = at,
          .why = fmt::format("demand {:.1f} rps, capacity {:.1f} rps; {} ready, {} starting, {} "
                             "draining, {} desired; requests wait {:.1f} s{}",
                             moment.demand, moment.capacity, moment.ready, moment.starting,
                             moment.draining, moment.desired, WaitSeconds(moment),
                             last_ ? Held(*last_) : ""),
          .decision = last_ ? decision::ToText(*last_) : ""};
}

void LimitCheck::Pass(LimitKind kind, double allowed, Instant at, const Moment& moment) {
  const auto same = [&](const LimitBreach& breach) { return breach.kind == kind; };
  if (std::ranges::any_of(verdict_.breaches, same)) return;
  verdict_.breaches.push_back(Describe(kind, allowed, at, moment));
}

void LimitCheck::Look(Instant at, const Moment& moment, const Flow& total) {
  const double arrived = total.arrived - before_.arrived;
  // Where single requests are known, those that were answered late are told apart.
  const double known_bad = total.lost - before_.lost + total.slow - before_.slow;
  const Instant since = std::max(looked_.value_or(from_), from_);
  before_ = total;
  looked_ = at;
  if (at <= from_ || at > until_) return;
  const Replicas all = moment.starting + moment.ready + moment.draining;
  verdict_.peak_replicas = std::max(verdict_.peak_replicas, all);
  verdict_.replica_hours += all * Seconds(at - since) / 3'600;
  if (limits_.replicas && all > *limits_.replicas) {
    Pass(LimitKind::kReplicas, *limits_.replicas, at, moment);
  }
  if (limits_.replica_hours && verdict_.replica_hours > *limits_.replica_hours) {
    Pass(LimitKind::kReplicaHours, *limits_.replica_hours, at, moment);
  }
  LookAtRequests(at, moment, arrived, known_bad);
  // This look ends a minute where the next one lies beyond it.
  if ((at - from_) % kMinute < at - since) EndMinute();
}

void LimitCheck::LookAtRequests(Instant at, const Moment& moment, double arrived,
                                double known_bad) {
  const bool slow = WaitSeconds(moment) > objective_.wait_seconds;
  const double bad = slow ? std::max(arrived, known_bad) : known_bad;
  minute_.arrived += arrived;
  minute_.bad += bad;
  if (bad <= 0 || minute_.first_bad || !limits_.bad_minutes) return;
  minute_.first_bad = Describe(LimitKind::kBadMinutes, *limits_.bad_minutes, at, moment);
}

void LimitCheck::EndMinute() {
  Minute minute = std::exchange(minute_, {});
  verdict_.arrived += minute.arrived;
  verdict_.bad += minute.bad;
  if (minute.bad <= objective_.bad_fraction * minute.arrived) return;
  ++verdict_.bad_minutes;
  const bool passed = limits_.bad_minutes && verdict_.bad_minutes > *limits_.bad_minutes;
  const auto known = [](const LimitBreach& one) { return one.kind == LimitKind::kBadMinutes; };
  if (!passed || !minute.first_bad || std::ranges::any_of(verdict_.breaches, known)) return;
  verdict_.breaches.push_back(*std::move(minute.first_bad));
}

Verdict LimitCheck::Finish() {
  EndMinute();
  for (LimitBreach& breach : verdict_.breaches) {
    breach.reached = breach.kind == LimitKind::kBadMinutes ? verdict_.bad_minutes
                     : breach.kind == LimitKind::kReplicas ? verdict_.peak_replicas
                                                           : verdict_.replica_hours;
  }
  std::ranges::sort(verdict_.breaches, {}, &LimitBreach::kind);
  return verdict_;
}

}  // namespace tidegate::sim
