#include "scheduler/daemon/explain_otherwise.h"

#include <memory>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "scheduler/adapters/journal/sqlite_journal.h"
#include "scheduler/config/compile.h"
#include "scheduler/decision/replay.h"
#include "scheduler/journal/decision_json.h"
#include "scheduler/journal/json_text.h"

namespace tidegate::daemon {
namespace {

namespace json = boost::json;
using decision::Decision;
using decision::PoolSpec;

// One recorded decision, and the replay's with and without what was asked.
struct Answered {
  Decision recorded;
  Decision as_it_is;
  Decision altered;
};

Expected<std::vector<Answered>> Answer(const PoolSpec& spec, const PoolSpec& altered,
                                       const std::vector<Decision>& wanted,
                                       adapters::JournalReader& journal) {
  std::vector<Answered> answers;
  decision::Replay replay(spec);
  const Instant first = wanted.front().at;
  const auto take = [&](const Decision& recorded) {
    if (recorded.at >= first) {
      decision::Replay otherwise = replay;
      otherwise.Become(altered);
      answers.push_back({recorded, {}, otherwise.Next(recorded)});
    }
    Decision as_it_is = replay.Next(recorded);
    if (recorded.at >= first) answers.back().as_it_is = std::move(as_it_is);
  };
  TIDEGATE_TRY_VOID(
      journal.ForEach(spec.id, first - decision::WarmUp(altered), wanted.back().at, take));
  return answers;
}

std::string Text(const std::vector<Answered>& answers, const decision::Counterfactual& asked) {
  std::string text;
  for (const Answered& answer : answers) {
    if (!text.empty()) text += '\n';
    if (answer.recorded.desired.replicas != answer.as_it_is.desired.replicas) {
      text += fmt::format(
          "note: {} was decided then ({}); this configuration and what the journal holds do not "
          "lead there\n",
          answer.recorded.desired.replicas, guards::Name(answer.recorded.desired.reason));
    }
    text += decision::ToText(asked, answer.altered, answer.as_it_is);
  }
  return text;
}

std::string Json(const std::vector<Answered>& answers, const decision::Counterfactual& asked) {
  json::array array;
  for (const Answered& answer : answers) {
    json::object object = journal::DecisionObject(answer.altered);
    object["counterfactual"] = journal::CounterfactualObject(asked, answer.as_it_is);
    object["recorded"] = answer.recorded.desired.replicas;
    array.push_back(std::move(object));
  }
  return journal::WriteJson(array);
}

}  // namespace

Expected<std::string> ExplainOtherwise(const PoolId& pool, std::optional<Instant> at,
                                       const decision::Counterfactual& asked,
                                       const ExplainOptions& options) {
  const config::Compiled compiled = config::LoadAndCompile(options.config, {});
  if (!compiled.problems.empty()) return Fail(ErrorCode::kInvalid, compiled.problems.text());
  const PoolSpec* spec = compiled.config.FindSpec(pool);
  if (spec == nullptr) {
    return Fail(ErrorCode::kInvalid, ToString(pool) + " is not in the configuration");
  }
  TIDEGATE_TRY(const auto journal, adapters::JournalReader::Open(options.journal));
  TIDEGATE_TRY(const std::vector<Decision> wanted, journal->Last(pool, options.last, at));
  if (wanted.empty()) {
    return Fail(ErrorCode::kNotFound,
                fmt::format("the journal has no decision of {}{}", ToString(pool),
                            at ? " at or before " + FormatInstant(*at) : ""));
  }
  TIDEGATE_TRY(const std::vector<Answered> answers,
               Answer(*spec, decision::Altered(*spec, asked), wanted, *journal));
  return options.json ? Json(answers, asked) : Text(answers, asked);
}

}  // namespace tidegate::daemon
