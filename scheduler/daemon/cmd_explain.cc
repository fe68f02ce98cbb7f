#include "scheduler/daemon/cmd_explain.h"

#include <optional>
#include <ostream>
#include <utility>

#include <fmt/format.h>

#include "scheduler/adapters/journal/sqlite_journal.h"
#include "scheduler/daemon/api.h"
#include "scheduler/daemon/explain_otherwise.h"
#include "scheduler/daemon/pool_name.h"
#include "scheduler/daemon/server_query.h"
#include "traces/net/url.h"

namespace tidegate::daemon {
namespace {

std::string TargetFor(const PoolId& pool, const ExplainOptions& options) {
  net::Parameters parameters{{"last", std::to_string(options.last)},
                             {"format", options.json ? "json" : "text"}};
  if (!options.at.empty()) parameters.emplace_back("at", options.at);
  return fmt::format("/api/v1/pools/{}/{}/decisions?{}", net::PercentEncode(pool.ns),
                     net::PercentEncode(pool.name), net::EncodeParameters(parameters));
}

// The same answer as the daemon gives, from a file.
Expected<std::string> FromJournal(const std::string& target, const std::string& journal) {
  const Published nothing;
  ApiContext context;
  context.published = &nothing;
  context.journal_path = journal;
  net::HttpResponse response =
      Answer({.method = "GET", .target = target, .headers = {}, .body = {}}, context);
  if (response.status == 200) return std::move(response.body);
  return Fail(ErrorCode::kNotFound, response.body);
}

// The options, read.
struct Question {
  PoolId pool;
  std::optional<Instant> at;
  decision::Counterfactual asked;
};

Expected<Question> Read(const ExplainOptions& options) {
  Question question;
  TIDEGATE_TRY(question.pool, ParsePoolName(options.pool));
  if (!options.at.empty()) {
    const auto at = ParseInstant(options.at);
    if (!at) return Fail(ErrorCode::kInvalid, "--at: " + at.error().message);
    question.at = *at;
  }
  TIDEGATE_TRY(question.asked, ParseCounterfactual(options.otherwise));
  if (!question.asked.empty() && (options.journal.empty() || options.config.empty())) {
    return Fail(ErrorCode::kInvalid,
                "--without and --policy replay a journal: name its file with --journal, and the "
                "configuration that it was written under with --config");
  }
  if (options.journal.empty()) {
    TIDEGATE_TRY_VOID(CheckServer(options.server));
  } else {
    // A file that is no journal is a wrong option; what it does not hold is none.
    TIDEGATE_TRY_VOID(adapters::JournalReader::Open(options.journal));
  }
  return question;
}

Expected<std::string> Ask(const Question& question, const ExplainOptions& options) {
  if (!question.asked.empty()) {
    return ExplainOtherwise(question.pool, question.at, question.asked, options);
  }
  const std::string target = TargetFor(question.pool, options);
  return options.journal.empty() ? AskServer(options.server, target)
                                 : FromJournal(target, options.journal);
}

}  // namespace

int RunExplain(const ExplainOptions& options, std::ostream& out, std::ostream& err) {
  const auto complain = [&](std::string message) {
    while (message.ends_with('\n')) message.pop_back();
    err << "tidegate explain: " << message << "\n";
  };
  const auto question = Read(options);
  if (!question) {
    complain(question.error().message);
    return 2;
  }
  const auto answer = Ask(*question, options);
  if (!answer) {
    complain(answer.error().message);
    const bool bad_config = !question->asked.empty() && answer.error().code == ErrorCode::kInvalid;
    return bad_config ? 2 : 1;
  }
  out << *answer << (options.json ? "\n" : "");
  return 0;
}

}  // namespace tidegate::daemon
