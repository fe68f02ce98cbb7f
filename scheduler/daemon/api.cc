#include "scheduler/daemon/api.h"

#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "scheduler/adapters/journal/sqlite_journal.h"
#include "scheduler/daemon/status_json.h"
#include "scheduler/decision/decision.h"
#include "scheduler/journal/decision_json.h"
#include "scheduler/telemetry/exporter.h"
#include "traces/net/url.h"

namespace tidegate::daemon {
namespace {

constexpr const char* kText = "text/plain; charset=utf-8";
constexpr const char* kJson = "application/json";
constexpr int kMostDecisions = 1'000;

net::HttpResponse Text(int status, std::string body) {
  return net::MakeResponse(status, kText, std::move(body) + "\n");
}

int StatusOf(ErrorCode code) {
  if (code == ErrorCode::kNotFound) return 404;
  return code == ErrorCode::kInvalid ? 400 : 503;
}

struct DecisionsQuery {
  PoolId pool;
  int last = 1;
  std::optional<Instant> at;
  bool json = true;
};

// "/api/v1/pools/NAMESPACE/NAME/decisions" -> the pool.
std::optional<PoolId> PoolOf(std::string_view path) {
  constexpr std::string_view kPrefix = "/api/v1/pools/";
  constexpr std::string_view kSuffix = "/decisions";
  if (!path.starts_with(kPrefix) || !path.ends_with(kSuffix)) return std::nullopt;
  path.remove_prefix(kPrefix.size());
  if (path.size() < kSuffix.size()) return std::nullopt;
  path.remove_suffix(kSuffix.size());
  const auto slash = path.find('/');
  if (slash == std::string_view::npos || path.find('/', slash + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  return PoolId{std::string(path.substr(0, slash)), std::string(path.substr(slash + 1))};
}

Expected<DecisionsQuery> ParseQuery(PoolId pool, const net::Parameters& parameters) {
  DecisionsQuery query;
  query.pool = std::move(pool);
  for (const auto& [name, value] : parameters) {
    if (name == "last") {
      const auto [end, error] =
          std::from_chars(value.data(), value.data() + value.size(), query.last);
      const bool whole = error == std::errc() && end == value.data() + value.size();
      if (!whole || query.last < 1 || query.last > kMostDecisions) {
        return Fail(ErrorCode::kInvalid,
                    fmt::format("last: expected a number from 1 to {}", kMostDecisions));
      }
    } else if (name == "at") {
      TIDEGATE_TRY(query.at, ParseInstant(value));
    } else if (name == "format" && (value == "json" || value == "text")) {
      query.json = value == "json";
    } else {
      return Fail(ErrorCode::kInvalid,
                  "unknown parameter " + name + "; there are last, at and format=json|text");
    }
  }
  return query;
}

Expected<std::string> Decisions(const DecisionsQuery& query, const ApiContext& context) {
  TIDEGATE_TRY(const auto reader, adapters::JournalReader::Open(context.journal_path));
  TIDEGATE_TRY(const auto decisions, reader->Last(query.pool, query.last, query.at));
  if (decisions.empty()) {
    return Fail(ErrorCode::kNotFound,
                fmt::format("no decision on record for pool {}{}", ToString(query.pool),
                            query.at ? " at or before " + FormatInstant(*query.at) : ""));
  }
  std::string body = query.json ? "[" : "";
  for (const decision::Decision& decision : decisions) {
    if (query.json && body.size() > 1) body += ",\n";
    if (!query.json && !body.empty()) body += "\n";
    body += query.json ? journal::DecisionJson(decision) : decision::ToText(decision);
  }
  return query.json ? body + "]" : body;
}

net::HttpResponse AnswerDecisions(PoolId pool, const net::Parameters& parameters,
                                  const ApiContext& context) {
  const auto query = ParseQuery(std::move(pool), parameters);
  if (!query) return Text(400, query.error().message);
  auto body = Decisions(*query, context);
  if (!body) return Text(StatusOf(body.error().code), body.error().message);
  return net::MakeResponse(200, query->json ? kJson : kText, *std::move(body));
}

constexpr const char* kIndex =
    "tidegate\n\n"
    "/metrics              Prometheus metrics\n"
    "/healthz              the control loop turns\n"
    "/readyz               state is restored and the first tick is done\n"
    "/api/v1/pools         every pool: what it is, what it should be and why\n"
    "/api/v1/pools/NAMESPACE/NAME/decisions?last=10&format=text\n"
    "/api/v1/targets       replicas for Prometheus's http_sd_configs";

}  // namespace

net::HttpResponse Answer(const net::HttpRequest& request, const ApiContext& context) {
  if (request.method != "GET" && request.method != "HEAD") {
    return Text(405, "only GET and HEAD are served");
  }
  const auto target = net::ParseTarget(request.target);
  if (!target) return Text(400, target.error().message);
  const std::string& path = target->path;
  const auto shown = context.published->Get();
  if (path == "/") return Text(200, kIndex);
  if (path == "/healthz") {
    return context.alive() ? Text(200, "ok") : Text(503, "the control loop stands still");
  }
  if (path == "/readyz") return shown ? Text(200, "ok") : Text(503, "the first tick is not done");
  if (path == "/metrics") {
    return net::MakeResponse(200, telemetry::Exporter::kContentType, context.metrics());
  }
  if (path == "/api/v1/targets") return net::MakeResponse(200, kJson, context.targets());
  if (path == "/api/v1/pools") {
    if (!shown) return Text(503, "the first tick is not done");
    return net::MakeResponse(200, kJson, StatusJson(*shown, context));
  }
  if (auto pool = PoolOf(path))
    return AnswerDecisions(*std::move(pool), target->parameters, context);
  return Text(404, "no such page; / lists what there is");
}

}  // namespace tidegate::daemon
