#include "sim/runner/sweep.h"

#include <atomic>
#include <memory>
#include <ostream>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "sim/report/measures.h"
#include "sim/runner/experiment.h"
#include "sim/runner/interrupt.h"
#include "sim/runner/progress.h"
#include "sim/runner/results_writer.h"
#include "sim/runner/sweep_plan.h"
#include "sim/runner/workers.h"

namespace tidegate::sim {
namespace {

int StatusOf(const Error& error) { return error.code == ErrorCode::kInvalid ? kBadInput : kFailed; }

// All replications of one cell. Run i has the sweep's seed plus i in every cell, so that cells can
// be compared pair by pair.
Expected<SweepCell> RunCell(const SweepPlan& plan, std::size_t number, std::size_t point,
                            const Rung& rung) {
  SweepCell cell{number, point, plan.points[point].texts, {}};
  TIDEGATE_TRY(const Case input, CaseOf(plan, plan.points[point]));
  const auto load = LoadFor(plan, input, rung);
  for (int i = 0; i < rung.replications; ++i) {
    const auto run =
        RunWithSeed(input, *load, plan.sweep.seed + static_cast<std::uint64_t>(i), Bounds::kOracle);
    if (!run) {
      std::string at = fmt::format("cell {}", number);
      for (std::size_t f = 0; f < plan.sweep.fields.size(); ++f)
        at += fmt::format(", {} = {}", plan.sweep.fields[f].path.text, cell.values[f]);
      return Fail(run.error().code, fmt::format("{}: {}", at, run.error().message));
    }
    cell.runs.push_back(Measured(run->summary));
  }
  return cell;
}

// The cells of one process, by number.
class SweepRun {
 public:
  SweepRun(const SweepPlan& plan, Shard shard, ResultsWriter& writer)
      : plan_(plan), shard_(shard), writer_(writer), cells_(plan.Cells()) {
    for (const SweepCell& cell : writer.found()) cells_[cell.number] = cell;
  }

  std::size_t Mine() const {
    return CountMine([](const auto&) { return true; });
  }
  std::size_t Done() const {
    return CountMine([](const std::optional<SweepCell>& cell) { return cell.has_value(); });
  }
  std::vector<SweepCell> Cells() const {
    std::vector<SweepCell> done;
    for (const auto& cell : cells_) {
      if (cell) done.push_back(*cell);
    }
    return done;
  }

  // True where everything is done now, false where it was stopped before.
  Expected<bool> Go(int threads, const std::function<bool()>& stopped, Progress& progress) {
    std::size_t first = 0;
    for (std::size_t i = 0; i < plan_.rungs.size(); ++i) {
      std::vector<const SweepCell*> before;
      const std::size_t begin = i == 0 ? 0 : first - plan_.rungs[i - 1].cells;
      for (std::size_t number = begin; number < first; ++number) before.push_back(&*cells_[number]);
      const auto points = PointsOf(plan_, i, i == 0 ? std::vector<const SweepCell*>{} : before);
      TIDEGATE_TRY(const bool complete, GoRung(i, first, points, threads, {stopped, progress}));
      if (!complete) return false;
      first += plan_.rungs[i].cells;
    }
    return true;
  }

 private:
  struct Host {
    const std::function<bool()>& stopped;
    Progress& progress;
  };

  Expected<bool> GoRung(std::size_t rung, std::size_t first, const std::vector<std::size_t>& points,
                        int threads, const Host& host) {
    std::vector<std::size_t> todo;
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (shard_.Holds(first + i) && !cells_[first + i]) todo.push_back(i);
    }
    std::atomic<bool> failed = false;
    std::vector<Expected<void>> outcomes(todo.size());
    const bool complete = ForEach(
        todo.size(), threads, [&] { return host.stopped() || failed; },
        [&](std::size_t i) {
          const std::size_t number = first + todo[i];
          outcomes[i] = One(number, points[todo[i]], plan_.rungs[rung]);
          if (!outcomes[i]) failed = true;
          host.progress.Done();
        });
    for (auto& outcome : outcomes) TIDEGATE_TRY_VOID(std::move(outcome));
    return complete;
  }

  Expected<void> One(std::size_t number, std::size_t point, const Rung& rung) {
    TIDEGATE_TRY(SweepCell cell, RunCell(plan_, number, point, rung));
    TIDEGATE_TRY_VOID(writer_.Append(cell));
    cells_[number] = std::move(cell);
    return {};
  }

  template <class Condition>
  std::size_t CountMine(const Condition& condition) const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      if (shard_.Holds(i) && condition(cells_[i])) ++count;
    }
    return count;
  }

  const SweepPlan& plan_;
  Shard shard_;
  ResultsWriter& writer_;
  std::vector<std::optional<SweepCell>> cells_;
};

ResultsHeader HeaderOf(const SweepPlan& plan, Shard shard) {
  ResultsHeader header{plan.sweep.name,
                       plan.sweep.search,
                       plan.fingerprint,
                       plan.sweep.objective,
                       plan.rungs,
                       {},
                       shard};
  for (const SweptField& field : plan.sweep.fields) header.fields.push_back(field.path.text);
  return header;
}

std::string ResultsFile(const SweepOptions& options, const std::string& name, Shard shard) {
  if (!options.results.empty()) return options.results;
  if (shard.count == 1) return name + ".results";
  return fmt::format("{}.{}-of-{}.results", name, shard.index, shard.count);
}

std::string ShardText(const ResultsHeader& header, std::size_t cells, const std::string& file,
                      bool json) {
  const Shard shard = header.shard;
  if (json) {
    return boost::json::serialize(
               boost::json::object{{"sweep", header.name},
                                   {"shard", fmt::format("{}/{}", shard.index, shard.count)},
                                   {"cells", cells},
                                   {"results", file}}) +
           "\n";
  }
  return fmt::format(
      "shard {}/{} of sweep {}: {} of {} cells are in {}\nwhen all shards are done: tidesim merge "
      "FILE...\n",
      shard.index, shard.count, header.name, cells, header.Cells(), file);
}

// Runs what is missing and prints what came of it.
int Finish(const SweepPlan& plan, const ResultsHeader& header, const std::string& file,
           const SweepOptions& options, Streams streams) {
  const auto writer = ResultsWriter::Open(file, header);
  if (!writer) {
    streams.err << writer.error().message << "\n";
    return StatusOf(writer.error());
  }
  if ((*writer)->damaged() > 0)
    streams.err << fmt::format("{}: took {} damaged lines out\n", file, (*writer)->damaged());
  SweepRun run(plan, header.shard, **writer);
  if (run.Done() > 0)
    streams.err << fmt::format("{}: holds {} of {} cells already\n", file, run.Done(), run.Mine());
  const Interrupt interrupt;
  Expected<bool> complete = true;
  {
    Progress progress(streams.err, "cells", run.Mine(), run.Done());
    complete = run.Go(
        options.threads > 0 ? options.threads : Processors(), [&] { return interrupt.Asked(); },
        progress);
  }
  if (!complete) {
    streams.err << complete.error().message << "\n";
    return StatusOf(complete.error());
  }
  if (!*complete) {
    streams.err << fmt::format("stopped: {} of {} cells are in {}; the same command goes on\n",
                               run.Done(), run.Mine(), file);
    return kFailed;
  }
  const auto finished = (*writer)->Finish(run.Cells());
  if (!finished) {
    streams.err << finished.error().message << "\n";
    return StatusOf(finished.error());
  }
  if (header.shard.count > 1) {
    streams.out << ShardText(header, run.Done(), file, options.json);
  } else {
    const SweepResult result = ResultOf(header, run.Cells());
    streams.out << (options.json ? ToJson(result) + "\n" : ToTable(result));
  }
  return streams.out ? kDone : kFailed;
}

}  // namespace

int RunSweep(const SweepOptions& options, const Variables& variables, Streams streams) {
  const Expected<Shard> shard =
      options.shard ? Expected<Shard>(*options.shard) : ShardFrom(variables);
  if (!shard) {
    streams.err << shard.error().message << "\n";
    return kBadInput;
  }
  const MadePlan made = MakePlan(options.file);
  if (!made.problems.empty()) {
    streams.err << made.problems.text();
    return kBadInput;
  }
  const SweepPlan& plan = made.plan;
  if (plan.sweep.search == Search::kHalving && shard->count > 1) {
    streams.err << "halving chooses by the results of all cells and can't be split into shards; "
                   "use search: random, or one process with more threads\n";
    return kBadInput;
  }
  if (shard->count > 1) streams.err << fmt::format("shard {}/{}\n", shard->index, shard->count);
  return Finish(plan, HeaderOf(plan, *shard), ResultsFile(options, plan.sweep.name, *shard),
                options, streams);
}

}  // namespace tidegate::sim
