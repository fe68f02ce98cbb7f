#include <iterator>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "policies/sizing/target.h"
#include "scheduler/decision/decision.h"

// Numbers are printed with fixed digits and without a locale, so that equal decisions give equal
// texts on every machine: golden files and the parity of daemon and simulator rest on it.
namespace tidegate::decision {
namespace {

template <class... Args>
void Line(std::string& text, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
  text += '\n';
}

void AddReadings(const std::vector<signals::Reading>& readings, std::string& text) {
  Line(text, "  signals{}", readings.empty() ? ": none" : "");
  for (const signals::Reading& reading : readings) {
    std::string line = fmt::format("    {}: {}", reading.signal, signals::Name(reading.quality));
    if (signals::MayGrow(reading.quality)) line += fmt::format(", {:.3f}", reading.value);
    line += fmt::format(", age {}", FormatDuration(reading.age));
    if (reading.expected > 0) {
      line += fmt::format(", {} of {} series", reading.series, reading.expected);
    } else if (reading.series > 0) {
      line += fmt::format(", {} series", reading.series);
    }
    if (!reading.detail.empty()) line += " (" + reading.detail + ")";
    Line(text, "{}", line);
  }
}

// Other policies than `target` say in the note how the number came about.
bool IsQuotient(const sizing::Proposal& proposal) {
  if (proposal.note.empty()) return true;
  return !signals::MayShrink(proposal.quality) && proposal.target > 0 &&
         *proposal.replicas == sizing::ReplicasFor(proposal.value, proposal.target);
}

void AddProposals(const std::vector<sizing::Proposal>& proposals, std::string& text) {
  if (!proposals.empty()) Line(text, "  proposals");
  for (const sizing::Proposal& proposal : proposals) {
    if (proposal.replicas) {
      const char* may = proposal.floor                         ? ", at least"
                        : signals::MayShrink(proposal.quality) ? ""
                                                               : ", may only grow";
      if (IsQuotient(proposal)) {
        Line(text, "    {}: ceil({:.3f} / {:.3f}) = {}{}", proposal.source, proposal.value,
             proposal.target, *proposal.replicas, may);
      } else {
        Line(text, "    {}: {}{}: {}", proposal.source, *proposal.replicas, may, proposal.note);
      }
    } else {
      Line(text, "    {}: none, {}{}{}", proposal.source, signals::Name(proposal.quality),
           proposal.note.empty() ? "" : ": ", proposal.note);
    }
  }
}

void AddLimits(const std::vector<guards::Limit>& limits, std::string& text) {
  if (!limits.empty()) Line(text, "  limits");
  for (const guards::Limit& limit : limits) {
    Line(text, "    {}: {} -> {}, {} ({})", guards::Name(limit.stage), limit.before, limit.after,
         guards::Name(limit.reason), limit.detail);
  }
}

void AddPlan(const rollout::Plan& plan, std::string& text) {
  const rollout::BudgetUse& use = plan.use;
  Line(text,
       "  budgets: surge {} of {}, unavailable {} of {}, live at most {}, available at least {}",
       use.surge, use.surge_limit, use.unavailable, use.unavailable_limit, use.live_limit,
       use.available_floor);
  Line(text, "  steps{}",
       plan.steps.empty() ? (plan.complete ? ": none, complete" : ": none") : "");
  for (const rollout::Step& step : plan.steps) {
    Line(text, "    {} {} ({}), {}", rollout::Name(step.kind), step.replica, step.revision,
         rollout::Name(step.reason));
  }
  if (!plan.deferred.empty()) Line(text, "  deferred");
  for (const rollout::Deferred& deferred : plan.deferred) {
    Line(text, "    {} {}: {}", rollout::Name(deferred.kind), deferred.count, deferred.why);
  }
  const rollout::Foresight& ahead = plan.foresight;
  Line(text, "  ahead: peak live {}, least available {}, waves {}", ahead.peak_live,
       ahead.least_available, ahead.waves);
  if (!ahead.deadlock.empty()) Line(text, "  deadlock: {}", ahead.deadlock);
}

int CountOf(const rollout::Plan& plan, rollout::StepKind kind) {
  int count = 0;
  for (const rollout::Step& step : plan.steps) count += step.kind == kind ? 1 : 0;
  return count;
}

}  // namespace

std::string ToText(const Decision& decision) {
  std::string text;
  Line(text, "{} {}: {} -> {} ({})", FormatInstant(decision.at), ToString(decision.pool),
       decision.current, decision.desired.replicas, guards::Name(decision.desired.reason));
  Line(text, "  bounds: min {}, max {}; config {}, revision {}{}", decision.min, decision.max,
       decision.config_version.empty() ? "-" : decision.config_version,
       decision.revision.empty() ? "-" : decision.revision,
       decision.dry_run ? "; dry run, no step is taken" : "");
  Line(text, "  replicas: {} ready, {} starting, {} draining, {} failed", decision.counts.ready,
       decision.counts.starting, decision.counts.draining, decision.counts.failed);
  AddReadings(decision.readings, text);
  if (!decision.error.empty()) {
    Line(text, "  left alone: {}", decision.error);
    return text;
  }
  AddProposals(decision.proposals, text);
  AddLimits(decision.desired.limits, text);
  Line(text, "  desired: {} (proposed {}, stabilized {})", decision.desired.replicas,
       decision.desired.proposed, decision.desired.stabilized);
  AddPlan(decision.plan, text);
  return text;
}

std::string Summary(const Decision& decision) {
  std::string line = fmt::format("{} {} -> {} (proposed {}, {})", ToString(decision.pool),
                                 decision.current, decision.desired.replicas,
                                 decision.desired.proposed, guards::Name(decision.desired.reason));
  if (!decision.error.empty()) return line + ": " + decision.error;
  const int starts = CountOf(decision.plan, rollout::StepKind::kStart);
  const int drains = CountOf(decision.plan, rollout::StepKind::kDrain);
  if (starts > 0 || drains > 0) line += decision.dry_run ? ", dry run:" : ":";
  if (starts > 0) line += fmt::format(" start {}{}", starts, drains > 0 ? "," : "");
  if (drains > 0) line += fmt::format(" drain {}", drains);
  return line;
}

}  // namespace tidegate::decision
