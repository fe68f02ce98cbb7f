#include "sim/report/table.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "sim/report/bars.h"

namespace tidegate::sim {
namespace {

namespace json = boost::json;

std::string BarsOf(const std::vector<Moment>& moments,
                   const std::function<double(const Moment&)>& value) {
  std::vector<double> values;
  for (const Moment& moment : moments) values.push_back(value(moment));
  return Bars(values);
}

double Multiple(double cost, const OracleBound& bound) {
  return bound.replica_seconds > 0 ? cost / bound.replica_seconds : 0;
}

// The cost against the oracle's, in words.
std::string CostText(const Yardstick& yardstick, double cost) {
  const OracleBound& oracle = yardstick.oracle;
  const std::string objective =
      fmt::format("at most {:g} % {} over {}", yardstick.objective * 100,
                  yardstick.of_answers ? "take" : "wait", FormatDuration(yardstick.wait));
  if (!oracle.reachable) {
    return fmt::format(
        "\n  objective  {}: out of reach; the least is {:.3f} %, for {:.0f} replica-seconds",
        objective, oracle.least_bad_fraction * 100, oracle.replica_seconds);
  }
  std::string text =
      fmt::format(", {:.2f} times the least that keeps the objective\n  objective  {}: ",
                  Multiple(cost, oracle), objective);
  if (yardstick.kept())
    return text + fmt::format("kept, {:.3f} % do", yardstick.bad_fraction * 100);
  return text + fmt::format("missed, {:.3f} % do; the cost is {:.2f} times the least for that",
                            yardstick.bad_fraction * 100, Multiple(cost, yardstick.same_loss));
}

void AppendRequests(std::string& text, const RequestResult& requests) {
  const auto out = std::back_inserter(text);
  const Flow& flow = requests.flow;
  fmt::format_to(out,
                 "  latency    p50 {:.1f} ms, p90 {:.1f} ms, p99 {:.1f} ms, p99.9 {:.1f} ms, "
                 "longest {:.1f} ms\n",
                 requests.p50 * 1e3, requests.p90 * 1e3, requests.p99 * 1e3, requests.p999 * 1e3,
                 requests.longest * 1e3);
  fmt::format_to(out,
                 "  bad        {:.0f} slow, {:.0f} refused, {:.0f} rejected, {:.0f} gave up, "
                 "{:.0f} cut off, {:.0f} retries\n",
                 flow.slow, flow.refused, flow.rejected, flow.gave_up, flow.cut, flow.retries);
}

void AppendPool(std::string& text, const PoolResult& pool) {
  const auto out = std::back_inserter(text);
  fmt::format_to(out, "\n{}\n", ToString(pool.id));
  fmt::format_to(out, "  requests   {:.0f} arrived, {:.0f} served, {:.0f} lost ({:.3f} %)\n",
                 pool.arrived, pool.served, pool.lost,
                 pool.arrived > 0 ? pool.lost / pool.arrived * 100 : 0);
  if (pool.requests) AppendRequests(text, *pool.requests);
  fmt::format_to(out, "  replicas   peak {} live, least {} ready, {} starts, {} drains\n",
                 pool.peak_live, pool.least_ready, pool.starts, pool.drains);
  fmt::format_to(out, "  cost       {:.0f} replica-seconds{}\n", pool.replica_seconds,
                 pool.yardstick ? CostText(*pool.yardstick, pool.replica_seconds) : "");
  fmt::format_to(out, "  shortage   {} with demand above capacity, longest wait {:.1f} s\n",
                 FormatDuration(pool.short_of_capacity), pool.longest_wait_seconds);
  fmt::format_to(out, "  demand     {}\n",
                 BarsOf(pool.time_line.moments(), [](const Moment& m) { return m.demand; }));
  fmt::format_to(out, "  ready      {}\n", BarsOf(pool.time_line.moments(), [](const Moment& m) {
                   return double{1} * m.ready;
                 }));
  fmt::format_to(out, "  backlog    {}\n",
                 BarsOf(pool.time_line.moments(), [](const Moment& m) { return m.backlog; }));
}

json::object MomentJson(const Moment& moment) {
  return {{"seconds", Seconds(moment.at)}, {"demand", moment.demand},
          {"capacity", moment.capacity},   {"backlog", moment.backlog},
          {"desired", moment.desired},     {"starting", moment.starting},
          {"ready", moment.ready},         {"draining", moment.draining}};
}

json::value YardstickJson(const PoolResult& pool) {
  if (!pool.yardstick) return nullptr;
  const auto bound = [&](const OracleBound& oracle) {
    return json::object{{"replicaSeconds", oracle.replica_seconds},
                        {"multiple", Multiple(pool.replica_seconds, oracle)},
                        {"leastBadFraction", oracle.least_bad_fraction},
                        {"reachable", oracle.reachable}};
  };
  return json::object{{"objectiveBadFraction", pool.yardstick->objective},
                      {"objectiveWaitSeconds", Seconds(pool.yardstick->wait)},
                      {"objectiveIsOfAnswers", pool.yardstick->of_answers},
                      {"badFraction", pool.yardstick->bad_fraction},
                      {"objectiveKept", pool.yardstick->kept()},
                      {"oracle", bound(pool.yardstick->oracle)},
                      {"sameLoss", bound(pool.yardstick->same_loss)}};
}

json::value RequestsJson(const PoolResult& pool) {
  if (!pool.requests) return nullptr;
  const RequestResult& requests = *pool.requests;
  return json::object{{"latencySeconds", json::object{{"p50", requests.p50},
                                                      {"p90", requests.p90},
                                                      {"p99", requests.p99},
                                                      {"p99.9", requests.p999},
                                                      {"max", requests.longest},
                                                      {"mean", requests.mean}}},
                      {"slow", requests.flow.slow},
                      {"refused", requests.flow.refused},
                      {"rejected", requests.flow.rejected},
                      {"gaveUp", requests.flow.gave_up},
                      {"cut", requests.flow.cut},
                      {"retries", requests.flow.retries}};
}

json::object PoolJson(const PoolResult& pool) {
  json::array moments;
  for (const Moment& moment : pool.time_line.moments()) moments.push_back(MomentJson(moment));
  return {{"namespace", pool.id.ns},
          {"name", pool.id.name},
          {"arrived", pool.arrived},
          {"served", pool.served},
          {"lost", pool.lost},
          {"requests", RequestsJson(pool)},
          {"longestWaitSeconds", pool.longest_wait_seconds},
          {"worstMinuteBadFraction", pool.worst_minute},
          {"replicaSeconds", pool.replica_seconds},
          {"yardstick", YardstickJson(pool)},
          {"peakLive", pool.peak_live},
          {"leastReady", pool.least_ready},
          {"peakDesired", pool.peak_desired},
          {"starts", pool.starts},
          {"drains", pool.drains},
          {"shortOfCapacitySeconds", Seconds(pool.short_of_capacity)},
          {"moments", std::move(moments)}};
}

}  // namespace

std::string ToTable(const RunSummary& run) {
  std::string text = fmt::format("scenario {}   {} simulated   digest {}\n", run.scenario,
                                 FormatDuration(run.length), run.digest);
  for (const PoolResult& pool : run.pools) AppendPool(text, pool);
  return text;
}

std::string ToJson(const RunSummary& run) {
  json::array pools;
  for (const PoolResult& pool : run.pools) pools.push_back(PoolJson(pool));
  return json::serialize(json::object{{"scenario", run.scenario},
                                      {"seconds", Seconds(run.length)},
                                      {"digest", run.digest},
                                      {"pools", std::move(pools)}});
}

}  // namespace tidegate::sim
