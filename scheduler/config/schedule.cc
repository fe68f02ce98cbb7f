#include "scheduler/config/schedule.h"

#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "policies/base/suggest.h"
#include "scheduler/config/time_zones.h"

namespace tidegate::config {
namespace {

using sizing::Schedule;
using sizing::ScheduledLoad;
using sizing::ScheduleEntry;

class Resolver {
 public:
  Resolver(Schedule& schedule, std::vector<ScheduleProblem>& problems)
      : schedule_(schedule), problems_(problems) {}

  void Add(const ScheduledLoad& load) {
    load_ = &load;
    entry_ = {};
    entry_.name = load.name.empty() ? fmt::format("schedule[{}]", index()) : load.name;
    if (std::ranges::find(schedule_.entries, entry_.name, &ScheduleEntry::name) !=
        schedule_.entries.end()) {
      Complain("name", fmt::format("another entry is called {} too", Printable(entry_.name, 60)));
    }
    entry_.zone = ZoneIndex();
    entry_.duration = load.duration;
    entry_.replicas = load.replicas;
    entry_.requests_per_second = load.requests_per_second;
    entry_.ramp = load.ramp;
    if (load.replicas.has_value() == load.requests_per_second.has_value()) {
      Complain("", "expected either replicas or requestsPerSecond");
    }
    if (load.at.empty() == load.start.empty()) {
      Complain("", "expected either at (a dated event) or start (a window that repeats)");
    } else if (load.start.empty()) {
      ReadEvent();
    } else {
      ReadWindow();
    }
    schedule_.entries.push_back(std::move(entry_));
  }

 private:
  std::size_t index() const { return schedule_.entries.size(); }
  void Complain(std::string_view field, std::string message) {
    problems_.push_back({index(), field, std::move(message)});
  }

  std::size_t ZoneIndex() {
    const auto known = std::ranges::find(schedule_.zones, load_->time_zone, &Zone::name);
    if (known != schedule_.zones.end()) {
      return static_cast<std::size_t>(known - schedule_.zones.begin());
    }
    auto zone = LoadZone(load_->time_zone);
    if (!zone) Complain("timeZone", zone.error().message);
    schedule_.zones.push_back(zone ? *std::move(zone) : Zone{load_->time_zone, Zone{}.offsets});
    return schedule_.zones.size() - 1;
  }

  void ReadEvent() {
    if (!load_->end.empty()) Complain("end", "ends a window; an event has a duration");
    if (!load_->duration) Complain("", "an event needs a duration");
    if (const auto local = ParseLocalTime(load_->at)) {
      entry_.at = ToInstant(schedule_.zones[entry_.zone], *local, Fold::kFirst);
    } else if (const auto at = ParseInstant(load_->at); at && load_->at.size() > 16) {
      entry_.at = *at;  // with an offset of its own
    } else {
      Complain("at", local.error().message);
    }
  }

  void ReadWindow() {
    entry_.start = ReadCron("start", load_->start);
    if (load_->end.empty() != load_->duration.has_value()) {
      Complain("", "a window needs either end or duration");
    }
    if (load_->end.empty()) return;
    entry_.end = ReadCron("end", load_->end);
    if (load_->end == load_->start)
      Complain("end", "is the same as start: the window is never over");
  }

  std::optional<Cron> ReadCron(std::string_view field, const std::string& text) {
    auto cron = ParseCron(text);
    if (cron) return *std::move(cron);
    Complain(field, cron.error().message);
    return std::nullopt;
  }

  Schedule& schedule_;
  std::vector<ScheduleProblem>& problems_;
  const ScheduledLoad* load_ = nullptr;
  ScheduleEntry entry_;
};

template <class Options, class Policies>
Options* Find(Policies& policies) {
  for (auto& policy : policies) {
    if (Options* found = std::get_if<std::remove_const_t<Options>>(&policy)) return found;
  }
  return nullptr;
}

}  // namespace

sizing::ScheduleOptions* FindSchedule(std::vector<PolicyOptions>& policies) {
  return Find<sizing::ScheduleOptions>(policies);
}

const sizing::ScheduleOptions* FindSchedule(const std::vector<PolicyOptions>& policies) {
  return Find<const sizing::ScheduleOptions>(policies);
}

sizing::KedaOptions* FindKeda(std::vector<PolicyOptions>& policies) {
  return Find<sizing::KedaOptions>(policies);
}

std::vector<sizing::OptionProblem> ResolveKeda(sizing::KedaOptions& options) {
  std::vector<sizing::OptionProblem> problems;
  options.resolved.clear();
  for (std::size_t i = 0; i < options.cron.size(); ++i) {
    const sizing::KedaCron& cron = options.cron[i];
    auto zone = LoadZone(cron.time_zone);
    if (!zone) problems.push_back({fmt::format("cron[{}].timezone", i), zone.error().message});
    auto start = ParseCron(cron.start);
    auto end = ParseCron(cron.end);
    if (!zone || !start || !end) continue;
    options.resolved.push_back({*std::move(zone), *std::move(start), *std::move(end)});
  }
  return problems;
}

std::vector<ScheduleProblem> ResolveSchedule(sizing::ScheduleOptions& options) {
  std::vector<ScheduleProblem> problems;
  Schedule schedule;
  Resolver resolver(schedule, problems);
  for (const ScheduledLoad& load : options.entries) resolver.Add(load);
  options.resolved = std::move(schedule);
  return problems;
}

std::vector<AcceptedField> ScheduleWarnings(const decision::PoolSpec& spec, Instant now) {
  std::vector<AcceptedField> warnings;
  const sizing::ScheduleOptions* options = FindSchedule(spec.policies);
  if (options == nullptr) return warnings;
  const sizing::Schedule& schedule = options->resolved;
  for (std::size_t i = 0; i < schedule.entries.size(); ++i) {
    const ScheduleEntry& entry = schedule.entries[i];
    const auto warn = [&](std::string remark) {
      warnings.push_back({fmt::format("spec.schedule[{}]", i), std::move(remark)});
    };
    if (entry.at && *entry.at + *entry.duration <= now) {
      warn(fmt::format("{} was over at {} and never comes again; take it out", entry.name,
                       FormatInstant(*entry.at + *entry.duration)));
    }
    const Replicas need =
        sizing::NeedAt(entry, 1, sizing::ScheduledPerReplica(spec.targets, spec.capacity));
    if (need > spec.guards.max) {
      warn(fmt::format("{} needs {} replicas, and maxReplicas is {}", entry.name, need,
                       spec.guards.max));
    }
  }
  return warnings;
}

}  // namespace tidegate::config
