#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "policies/sizing/schedule.h"

// A pool's schedule as proposals.
namespace tidegate::sizing {
namespace {

Growth GrowthOf(const Input& input, const ScheduleOptions& options) {
  const Duration startup = MeasuredStartup(input.replicas).value_or(options.startup);
  return {.serving = signals::Count(input.replicas).ready,
          .surge = input.surge,
          .rolling = input.rolling_up,
          .wave = startup + options.margin,
          .limits = input.growth_limits};
}

std::string LoadOf(const ScheduleEntry& entry) {
  return entry.replicas ? fmt::format("{} replicas", *entry.replicas)
                        : fmt::format("{:.6g} requests per second", *entry.requests_per_second);
}

Proposal FloorProposal(std::string source, signals::Quality quality) {
  Proposal proposal;
  proposal.source = std::move(source);
  proposal.quality = quality;
  proposal.floor = true;
  return proposal;
}

// The entries of one pool at one tick.
class Floors {
 public:
  Floors(const Input& input, const ScheduleOptions& options, const ScheduleMemory& memory)
      : input_(input),
        schedule_(options.resolved),
        memory_(memory),
        growth_(GrowthOf(input, options)),
        per_replica_(ScheduledPerReplica(input.targets, input.capacity)) {}

  Proposal Propose(const ScheduleEntry& entry, std::vector<RaisedFloor>& raised) const {
    if (entry.requests_per_second && per_replica_ <= 0) {
      Proposal proposal = FloorProposal(entry.name, signals::Quality::kError);
      proposal.note =
          "no signal of requests has a target, and no capacity.requestsPerSecond is set";
      return proposal;
    }
    Floor floor = FloorOf(entry, schedule_, growth_, per_replica_, input_.now);
    Keep(entry, floor, raised);
    Proposal proposal = FloorProposal(entry.name, signals::Quality::kOk);
    proposal.value = floor.share * (entry.replicas ? *entry.replicas : *entry.requests_per_second);
    proposal.target = entry.replicas ? 1 : per_replica_;
    proposal.replicas = floor.replicas;
    proposal.note = Note(entry, floor);
    return proposal;
  }

 private:
  // What was raised for an occurrence that is still to come stays.
  void Keep(const ScheduleEntry& entry, Floor& floor, std::vector<RaisedFloor>& raised) const {
    const auto kept = std::ranges::find(memory_.raised, entry.name, &RaisedFloor::entry);
    if (kept != memory_.raised.end() && kept->begin > input_.now) {
      const auto next = OccurrencesAt(entry, schedule_, input_.now).next;
      const Replicas replicas = std::min(kept->replicas, NeedAt(entry, 1, per_replica_));
      if (next && next->begin == kept->begin && replicas > floor.replicas) {
        floor.replicas = replicas;
        floor.occurrence = next;
      }
    }
    if (floor.replicas > 0 && floor.occurrence->begin > input_.now) {
      raised.push_back({entry.name, floor.occurrence->begin, floor.replicas});
    }
  }

  std::string Note(const ScheduleEntry& entry, const Floor& floor) const {
    if (!floor.occurrence) return {};
    const std::string span =
        fmt::format("{} from {} to {}", LoadOf(entry), FormatInstant(floor.occurrence->begin),
                    FormatInstant(floor.occurrence->end));
    if (floor.occurrence->begin <= input_.now) return span;
    const Replicas waves = WavesTo(growth_, floor.replicas);
    const Duration later = LeadTo(growth_, floor.replicas) - std::max(1, waves) * growth_.wave;
    return span + fmt::format("; {} of {} from {} serving on{}",
                              waves == 1 ? "1 wave" : fmt::format("{} waves", waves),
                              FormatDuration(growth_.wave), growth_.serving,
                              later > Duration(0)
                                  ? fmt::format(", and {} by scaleUp", FormatDuration(later))
                                  : std::string());
  }

  const Input& input_;
  const Schedule& schedule_;
  const ScheduleMemory& memory_;
  Growth growth_;
  double per_replica_;
};

// Where nothing is due: what comes next.
Proposal NothingDue(const Schedule& schedule, Instant now) {
  Proposal proposal = FloorProposal("schedule", signals::Quality::kOk);
  proposal.replicas = 0;
  const ScheduleEntry* soonest = nullptr;
  Instant begin{};
  for (const ScheduleEntry& entry : schedule.entries) {
    const auto next = OccurrencesAt(entry, schedule, now).next;
    if (!next || (soonest != nullptr && next->begin >= begin)) continue;
    soonest = &entry;
    begin = next->begin;
  }
  proposal.note = soonest == nullptr
                      ? "nothing is to come"
                      : fmt::format("nothing is due; {} ({}) begins at {}", soonest->name,
                                    LoadOf(*soonest), FormatInstant(begin));
  return proposal;
}

}  // namespace

Sizing Scheduled::Size(const Input& input, const Options& options, Memory& memory) {
  Sizing sizing;
  if (options.resolved.entries.size() != options.entries.size()) {
    sizing.proposals.push_back(FloorProposal("schedule", signals::Quality::kError));
    sizing.proposals.back().note = "the schedule's times were not resolved";
    return sizing;
  }
  const Floors floors(input, options, memory);
  std::vector<RaisedFloor> raised;
  for (const ScheduleEntry& entry : options.resolved.entries) {
    Proposal proposal = floors.Propose(entry, raised);
    if (proposal.replicas != 0) sizing.proposals.push_back(std::move(proposal));
  }
  if (sizing.proposals.empty()) {
    sizing.proposals.push_back(NothingDue(options.resolved, input.now));
  }
  memory.raised = std::move(raised);
  return sizing;
}

}  // namespace tidegate::sizing
