#include "scheduler/daemon/cmd_explain.h"

#include <optional>
#include <ostream>
#include <utility>

#include <fmt/format.h>

#include "scheduler/adapters/journal/sqlite_journal.h"
#include "scheduler/daemon/api.h"
#include "scheduler/daemon/server_query.h"
#include "traces/net/url.h"

namespace tidegate::daemon {
namespace {

std::string TargetFor(const std::string& ns, const std::string& name,
                      const ExplainOptions& options) {
  net::Parameters parameters{{"last", std::to_string(options.last)},
                             {"format", options.json ? "json" : "text"}};
  if (!options.at.empty()) parameters.emplace_back("at", options.at);
  return fmt::format("/api/v1/pools/{}/{}/decisions?{}", net::PercentEncode(ns),
                     net::PercentEncode(name), net::EncodeParameters(parameters));
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

}  // namespace

int RunExplain(const ExplainOptions& options, std::ostream& out, std::ostream& err) {
  const auto slash = options.pool.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == options.pool.size()) {
    err << "tidegate explain: expected NAMESPACE/NAME, got \"" << options.pool << "\"\n";
    return 2;
  }
  if (!options.at.empty()) {
    if (const auto at = ParseInstant(options.at); !at) {
      err << "tidegate explain: --at: " << at.error().message << "\n";
      return 2;
    }
  }
  const std::string target =
      TargetFor(options.pool.substr(0, slash), options.pool.substr(slash + 1), options);
  const auto answer = options.journal.empty() ? AskServer(options.server, target)
                                              : FromJournal(target, options.journal);
  if (!answer) {
    err << "tidegate explain: " << answer.error().message << "\n";
    return 1;
  }
  out << *answer << (options.json ? "\n" : "");
  return 0;
}

}  // namespace tidegate::daemon
