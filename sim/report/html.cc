#include "sim/report/html.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <optional>
#include <set>
#include <string_view>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "policies/base/check.h"
#include "sim/report/notable.h"
#include "sim/report/page_text.h"

namespace tidegate::sim {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kHour = 3'600;

// The part of a column that a chart shows: a name in the page's data, and its value.
struct Series {
  const char* name;
  double (*value)(const Moment&);
};
constexpr std::array<Series, 19> kSeries{{
    {"demand", [](const Moment& m) { return m.demand; }},
    {"capacity", [](const Moment& m) { return m.capacity; }},
    {"backlog", [](const Moment& m) { return m.backlog; }},
    {"lost", [](const Moment& m) { return m.lost; }},
    {"desired", [](const Moment& m) { return double{1} * m.desired; }},
    {"starting", [](const Moment& m) { return double{1} * m.starting; }},
    {"ready", [](const Moment& m) { return double{1} * m.ready; }},
    {"draining", [](const Moment& m) { return double{1} * m.draining; }},
    {"failed", [](const Moment& m) { return double{1} * m.failed; }},
    {"cost", [](const Moment& m) { return m.replica_seconds / kHour; }},
    {"view", [](const Moment& m) { return m.view; }},
    {"blind", [](const Moment& m) { return m.blind ? 1.0 : 0.0; }},
    {"surge", [](const Moment& m) { return double{1} * m.surge; }},
    {"surgeLimit", [](const Moment& m) { return double{1} * m.surge_limit; }},
    {"unavailable", [](const Moment& m) { return double{1} * m.unavailable; }},
    {"unavailableLimit", [](const Moment& m) { return double{1} * m.unavailable_limit; }},
    {"p50", [](const Moment& m) { return m.latency ? m.latency->p50 : kNaN; }},
    {"p90", [](const Moment& m) { return m.latency ? m.latency->p90 : kNaN; }},
    {"p99", [](const Moment& m) { return m.latency ? m.latency->p99 : kNaN; }},
}};

// Writes JSON to be put between the tags of a script: no string of it can end the script or begin
// a comment. Boost.JSON writes the strings; numbers are written here, short ones as they are and
// others to five digits, since a chart shows no more and most of a page is numbers.
class Json {
 public:
  void Raw(std::string_view text) { out_ += text; }

  void Text(std::string_view text) {
    for (const char c :
         boost::json::serialize(boost::json::string_view(text.data(), text.size()))) {
      switch (c) {
        case '<': out_ += "\\u003c"; break;
        case '>': out_ += "\\u003e"; break;
        case '&': out_ += "\\u0026"; break;
        default: out_ += c;
      }
    }
  }

  // A field of an object, of which the value must follow.
  void Name(std::string_view name) {
    Comma();
    Text(name);
    out_ += ':';
  }

  void Number(double value) {
    constexpr double kExact = 1e15;
    if (!std::isfinite(value)) {
      out_ += "null";
    } else if (value == std::trunc(value) && std::abs(value) < kExact) {
      fmt::format_to(std::back_inserter(out_), "{:.0f}", value + 0.0);
    } else {
      fmt::format_to(std::back_inserter(out_), "{:.5g}", value);
    }
  }

  // Exact to the millisecond.
  void Time(Duration at) { fmt::format_to(std::back_inserter(out_), "{:.15g}", Seconds(at)); }

  void Field(std::string_view name, std::string_view text) {
    Name(name);
    Text(text);
  }
  void Field(std::string_view name, double value) {
    Name(name);
    Number(value);
  }

  // Separates what follows from what was written before in the same array or object.
  void Comma() {
    if (out_.back() != '{' && out_.back() != '[' && out_.back() != ':') out_ += ',';
  }

  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
};

void AddColumn(Json& json, std::string_view name, const std::vector<double>& values) {
  json.Name(name);
  json.Raw("[");
  for (const double value : values) {
    json.Comma();
    json.Number(value);
  }
  json.Raw("]");
}

// Both ends, or one column where they are the same; nothing where there is no value at all.
void AddSeries(Json& json, const TimeLine& line, const Series& series) {
  std::vector<double> low, high;
  bool any = false;
  bool same = true;
  for (std::size_t i = 0; i < line.moments().size(); ++i) {
    const double worst = series.value(line.moments()[i]);
    const double best = series.value(line.best()[i]);
    low.push_back(std::fmin(worst, best));
    high.push_back(std::fmax(worst, best));
    any = any || std::isfinite(low.back());
    same = same && !(low.back() < high.back());
  }
  if (!any) return;
  json.Name(series.name);
  json.Raw("{");
  AddColumn(json, "lo", low);
  if (!same) AddColumn(json, "hi", high);
  json.Raw("}");
}

void AddRows(Json& json, const TimeLine& line, const std::optional<Yardstick>& yardstick) {
  json.Name("t");
  json.Raw("[");
  for (const Moment& moment : line.moments()) {
    json.Comma();
    json.Time(moment.at);
  }
  json.Raw("]");
  json.Name("series");
  json.Raw("{");
  for (const Series& series : kSeries) AddSeries(json, line, series);
  if (yardstick) {
    json.Name("oracle");
    json.Raw("{");
    AddColumn(
        json, "lo",
        std::vector<double>(line.moments().size(), yardstick->oracle.replica_seconds / kHour));
    json.Raw("}");
  }
  json.Raw("}");
}

// Single requests, where the run knew them.
void AddRequests(Json& json, const PoolResult& pool) {
  if (!pool.requests) return;
  const Flow& flow = pool.requests->flow;
  json.Name("failures");
  json.Raw("{");
  json.Field("refused", flow.refused);
  json.Field("rejected", flow.rejected);
  json.Field("gave up", flow.gave_up);
  json.Field("cut off", flow.cut);
  json.Raw("}");
}

// Cost over a bound; 0 where the bound is.
double Multiple(double cost, const OracleBound& bound) {
  return bound.replica_seconds > 0 ? cost / bound.replica_seconds : 0;
}

void AddYardstick(Json& json, const PoolResult& pool) {
  if (!pool.yardstick) return;
  const Yardstick& yardstick = *pool.yardstick;
  json.Name("yardstick");
  json.Raw("{");
  json.Field("objective", yardstick.objective);
  json.Field("waitSeconds", Seconds(yardstick.wait));
  json.Field("ofAnswers", yardstick.of_answers ? 1 : 0);
  json.Field("kept", yardstick.kept() ? 1 : 0);
  json.Field("reachable", yardstick.oracle.reachable ? 1 : 0);
  json.Field("leastBadShare", yardstick.oracle.least_bad_fraction);
  json.Field("timesSameLoss", Multiple(pool.replica_seconds, yardstick.same_loss));
  json.Raw("}");
}

void AddTotals(Json& json, const PoolResult& pool, std::size_t breaches) {
  json.Name("totals");
  json.Raw("{");
  json.Field("arrived", std::round(pool.arrived));
  json.Field("lostShare", pool.arrived > 0 ? pool.lost / pool.arrived : 0);
  if (pool.requests) {
    json.Field("p50", pool.requests->p50);
    json.Field("p99", pool.requests->p99);
    json.Field("retries", pool.requests->flow.retries);
  }
  json.Field("longestWaitSeconds", pool.longest_wait_seconds);
  json.Field("shortSeconds", Seconds(pool.short_of_capacity));
  json.Field("replicaHours", pool.replica_seconds / kHour);
  if (pool.yardstick) {
    json.Field("badShare", pool.yardstick->bad_fraction);
    json.Field("timesOracle", Multiple(pool.replica_seconds, pool.yardstick->oracle));
  }
  if (breaches > 0) json.Field("breaches", static_cast<double>(breaches));
  json.Field("peakLive", pool.peak_live);
  json.Field("leastReady", pool.least_ready);
  json.Field("starts", pool.starts);
  json.Field("drains", pool.drains);
  json.Raw("}");
}

// Whole lines of a text, as many as fit.
std::string Cut(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  const std::size_t end = text.rfind('\n', most);
  text.resize(end == std::string::npos ? 0 : end + 1);
  return text + "...";
}

void AddDecisions(Json& json, const Notables& notables, Instant start, std::size_t most_bytes) {
  json.Name("decisions");
  json.Raw("[");
  for (const auto& [decision, mark] : notables.kept) {
    json.Comma();
    json.Raw("{");
    json.Name("t");
    json.Time(decision->at - start);
    json.Field("kind", Name(mark));
    json.Field("by", decision->desired.replicas - decision->current);
    json.Field("summary", Cut(decision::Summary(*decision), most_bytes));
    json.Field("text", Cut(decision::ToText(*decision), most_bytes));
    json.Raw("}");
  }
  json.Raw("]");
  json.Field("decisionsLeftOut", static_cast<double>(notables.left_out));
}

void AddBreaches(Json& json, const std::vector<BudgetBreach>& breaches, Instant start,
                 std::size_t most) {
  json.Name("breaches");
  json.Raw("[");
  for (std::size_t i = 0; i < std::min(breaches.size(), most); ++i) {
    json.Comma();
    json.Raw("{");
    json.Name("t");
    json.Time(breaches[i].at - start);
    json.Field("what", fmt::format("{}: {}", breaches[i].rule, breaches[i].what));
    json.Raw("}");
  }
  json.Raw("]");
}

// What one pool in one run may take.
struct Share {
  std::size_t rows = 0;
  std::size_t decisions = 0;
};

Share ShareOf(const ReportBounds& bounds, std::size_t pools) {
  constexpr std::size_t kLeastRows = 60;
  constexpr std::size_t kLeastDecisions = 4;
  const std::size_t rows = std::clamp(bounds.rows / pools, kLeastRows, bounds.rows_of_pool);
  return {rows / 2 * 2, std::max(bounds.decisions / pools, kLeastDecisions)};
}

void AddPool(Json& json, const ReportRun& run, const PoolResult& pool, const Share& share,
             const ReportBounds& bounds) {
  const auto found = run.breaches.find(pool.id);
  const auto breaches = found == run.breaches.end() ? std::vector<BudgetBreach>() : found->second;
  json.Comma();
  json.Raw("{");
  json.Field("id", ToString(pool.id));
  AddTotals(json, pool, breaches.size());
  AddRequests(json, pool);
  AddYardstick(json, pool);
  AddBreaches(json, breaches, run.start, bounds.breaches);
  AddRows(json, pool.time_line.Thinned(share.rows), pool.yardstick);
  AddDecisions(json, FindNotable(run.decisions, pool.id, share.decisions), run.start,
               bounds.decision_bytes);
  json.Raw("}");
}

void AddRun(Json& json, const ReportRun& run, const std::set<PoolId>& shown, const Share& share,
            const ReportBounds& bounds) {
  json.Comma();
  json.Raw("{");
  json.Field("name", run.name);
  json.Name("seconds");
  json.Time(run.summary->length);
  json.Field("digest", run.summary->digest);
  json.Name("facts");
  json.Raw("[");
  for (const auto& [name, value] : run.facts) {
    json.Comma();
    json.Raw("[");
    json.Text(name);
    json.Raw(",");
    json.Text(value);
    json.Raw("]");
  }
  json.Raw("]");
  json.Name("pools");
  json.Raw("[");
  for (const PoolResult& pool : run.summary->pools) {
    if (shown.contains(pool.id)) AddPool(json, run, pool, share, bounds);
  }
  json.Raw("]}");
}

struct Chosen {
  std::set<PoolId> pools;
  std::size_t left_out = 0;
};

// Those that were short of capacity for longest, in whichever run, if there are too many.
Chosen ChoosePools(std::span<const ReportRun> runs, std::size_t most) {
  std::map<PoolId, Duration> shortage;
  for (const ReportRun& run : runs) {
    for (const PoolResult& pool : run.summary->pools) {
      Duration& longest = shortage[pool.id];
      longest = std::max(longest, pool.short_of_capacity);
    }
  }
  std::vector<std::pair<Duration, PoolId>> order;
  for (const auto& [id, longest] : shortage) order.emplace_back(-longest, id);
  std::ranges::sort(order);
  Chosen chosen;
  chosen.left_out = order.size() - std::min(order.size(), most);
  order.resize(order.size() - chosen.left_out);
  for (const auto& [longest, id] : order) chosen.pools.insert(id);
  return chosen;
}

std::string DataOf(std::span<const ReportRun> runs, const ReportBounds& bounds) {
  const Chosen chosen = ChoosePools(runs, bounds.pools);
  const Share share = ShareOf(bounds, std::max<std::size_t>(1, chosen.pools.size()) * runs.size());
  Json json;
  json.Raw("{");
  if (chosen.left_out > 0) {
    json.Field("note",
               fmt::format("{} more pools, less short of capacity, are left out", chosen.left_out));
  }
  json.Name("runs");
  json.Raw("[");
  for (const ReportRun& run : runs) {
    AddRun(json, run, chosen.pools, share, bounds);
  }
  json.Raw("]}");
  return json.Take();
}

}  // namespace

std::string ToHtml(std::span<const ReportRun> runs, const ReportBounds& bounds) {
  TIDEGATE_CHECK(!runs.empty() && runs.size() <= kMostReportRuns, "one run, or two");
  const PageText page = ReportPage();
  std::string html;
  for (const std::string_view piece : page.head) html += piece;
  html += DataOf(runs, bounds);
  for (const std::string_view piece : page.tail) html += piece;
  return html;
}

}  // namespace tidegate::sim
