#include "scheduler/daemon/cmd_decide.h"

#include <fstream>
#include <iterator>
#include <ostream>

#include <fmt/format.h>

#include "policies/base/expected.h"
#include "scheduler/config/schedule.h"
#include "scheduler/decision/counterfactual.h"
#include "scheduler/decision/decision.h"
#include "scheduler/journal/decision_json.h"
#include "scheduler/journal/json_text.h"
#include "scheduler/journal/observation_json.h"

namespace tidegate::daemon {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kBadInput = 2;

// Reads one byte more than is allowed, so that the parser can say that it is too much.
std::string ReadBounded(std::istream& in) {
  const std::size_t most = journal::JsonLimits{}.bytes_max + 1;
  std::string text;
  std::string chunk(64 * 1024, '\0');
  while (in && text.size() < most) {
    in.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    text.append(chunk, 0, static_cast<std::size_t>(in.gcount()));
  }
  return text;
}

Expected<std::string> ReadInput(const DecideOptions& options, std::istream& in) {
  if (options.input == "-") {
    std::string text = ReadBounded(in);
    if (in.bad()) return Fail(ErrorCode::kUnavailable, "the standard input can't be read");
    return text;
  }
  std::ifstream file(options.input, std::ios::binary);
  std::string text = file ? ReadBounded(file) : "";
  if (!file.is_open() || file.bad()) {
    return Fail(ErrorCode::kNotFound, options.input + " can't be read");
  }
  return text;
}

decision::Outcome DecideBy(const decision::PoolSpec& spec,
                           const journal::Observation& observation) {
  return decision::Decide(spec, observation.pool, observation.now, observation.state);
}

std::string Answer(const journal::ParsedObservation& item, bool json,
                   const decision::Counterfactual& asked) {
  if (!item.problems.empty()) return json ? journal::ErrorsJson(item.problems) : "";
  const journal::Observation& observation = item.observation;
  const decision::Outcome as_it_is = DecideBy(observation.spec, observation);
  if (asked.empty()) {
    return json ? journal::OutcomeJson(as_it_is) : decision::ToText(as_it_is.decision);
  }
  const decision::Outcome outcome =
      DecideBy(decision::Altered(observation.spec, asked), observation);
  if (json) return journal::OutcomeJson(outcome, asked, as_it_is.decision);
  return decision::ToText(asked, outcome.decision, as_it_is.decision);
}

// The journal's reader knows no time zones; the configuration does.
void ResolveTimes(journal::ParsedObservations& parsed) {
  for (journal::ParsedObservation& item : parsed.items) {
    if (!item.problems.empty()) continue;
    if (auto* keda = config::FindKeda(item.observation.spec.policies)) {
      for (const sizing::OptionProblem& problem : config::ResolveKeda(*keda)) {
        item.problems.push_back(
            fmt::format("policies: keda: {}: {}", problem.field, problem.message));
      }
    }
    sizing::ScheduleOptions* schedule = config::FindSchedule(item.observation.spec.policies);
    if (schedule == nullptr) continue;
    for (const config::ScheduleProblem& problem : config::ResolveSchedule(*schedule)) {
      item.problems.push_back(fmt::format("policies: schedule: entries[{}]{}{}: {}", problem.entry,
                                          problem.field.empty() ? "" : ".", problem.field,
                                          problem.message));
    }
  }
}

int AnswerAll(const journal::ParsedObservations& parsed, const DecideOptions& options,
              const decision::Counterfactual& asked, std::ostream& out, std::ostream& err) {
  const bool brackets = options.json && parsed.array;
  int code = kDone;
  const char* separator = "";
  if (brackets) out << "[";
  for (const journal::ParsedObservation& item : parsed.items) {
    for (const std::string& problem : item.problems) err << "tidegate: " << problem << '\n';
    if (!item.problems.empty()) code = kBadInput;
    const std::string answer = Answer(item, options.json, asked);
    if (answer.empty()) continue;
    out << separator << answer;
    separator = options.json ? ",\n" : "\n";
  }
  if (brackets) out << "]";
  if (options.json) out << '\n';
  out.flush();
  return out ? code : kFailed;
}

}  // namespace

int RunDecide(const DecideOptions& options, std::istream& in, std::ostream& out,
              std::ostream& err) {
  const auto asked = ParseCounterfactual(options.otherwise);
  if (!asked) {
    err << "tidegate decide: " << asked.error().message << '\n';
    return kBadInput;
  }
  const auto text = ReadInput(options, in);
  if (!text) {
    err << "tidegate: " << text.error().message << '\n';
    return text.error().code == ErrorCode::kNotFound ? kBadInput : kFailed;
  }
  auto parsed = journal::ParseObservations(*text);
  if (!parsed) {
    // A place in the text comes first, where it is one.
    const char* const separator = parsed.error().code == ErrorCode::kTooLarge ? ": " : ":";
    err << "tidegate: " << options.input << separator << parsed.error().message << '\n';
    if (options.json) out << journal::ErrorsJson({parsed.error().message}) << '\n';
    return kBadInput;
  }
  ResolveTimes(*parsed);
  return AnswerAll(*parsed, options, *asked, out, err);
}

}  // namespace tidegate::daemon
