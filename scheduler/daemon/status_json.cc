#include "scheduler/daemon/status_json.h"

#include <utility>

#include <boost/json.hpp>

#include "scheduler/decision/decision.h"

namespace tidegate::daemon {
namespace {

namespace json = boost::json;
using decision::Decision;

json::array Readings(const Decision& decision) {
  json::array readings;
  for (const signals::Reading& reading : decision.readings) {
    json::object object{{"signal", reading.signal},
                        {"quality", signals::Name(reading.quality)},
                        {"series", reading.series},
                        {"ageSeconds", Seconds(reading.age)}};
    if (signals::MayGrow(reading.quality)) object["value"] = reading.value;
    if (!reading.detail.empty()) object["detail"] = reading.detail;
    readings.push_back(std::move(object));
  }
  return readings;
}

json::object BudgetUse(const rollout::BudgetUse& use) {
  return {{"surge", use.surge},
          {"surgeLimit", use.surge_limit},
          {"unavailable", use.unavailable},
          {"unavailableLimit", use.unavailable_limit},
          {"liveLimit", use.live_limit},
          {"availableFloor", use.available_floor}};
}

json::array Deferred(const rollout::Plan& plan) {
  json::array deferred;
  for (const rollout::Deferred& item : plan.deferred) {
    deferred.push_back(
        {{"kind", rollout::Name(item.kind)}, {"count", item.count}, {"why", item.why}});
  }
  return deferred;
}

json::object Pool(const Decision& decision, const ApiContext& context) {
  json::object fronts;
  for (const FrontAddress& front : context.fronts(decision.pool))
    fronts[front.port] = front.address;
  json::object pool{{"namespace", decision.pool.ns},
                    {"name", decision.pool.name},
                    {"current", decision.current},
                    {"proposed", decision.desired.proposed},
                    {"stabilized", decision.desired.stabilized},
                    {"desired", decision.desired.replicas},
                    {"min", decision.min},
                    {"max", decision.max},
                    {"starting", decision.counts.starting},
                    {"ready", decision.counts.ready},
                    {"draining", decision.counts.draining},
                    {"failed", decision.counts.failed},
                    {"reason", guards::Name(decision.desired.reason)},
                    {"summary", decision::Summary(decision)},
                    {"revision", decision.revision},
                    {"complete", decision.plan.complete},
                    {"dryRun", decision.dry_run},
                    {"configVersion", decision.config_version},
                    {"fronts", std::move(fronts)},
                    {"readings", Readings(decision)},
                    {"budget", BudgetUse(decision.plan.use)},
                    {"deferred", Deferred(decision.plan)}};
  if (!decision.plan.foresight.deadlock.empty()) {
    pool["deadlock"] = decision.plan.foresight.deadlock;
  }
  if (!decision.error.empty()) pool["error"] = decision.error;
  return pool;
}

json::array Strings(const std::vector<std::string>& texts) {
  json::array array;
  for (const std::string& text : texts) array.push_back(json::string(text));
  return array;
}

}  // namespace

std::string StatusJson(const Shown& shown, const ApiContext& context) {
  json::array pools;
  for (const Decision& decision : shown.tick->decisions) pools.push_back(Pool(decision, context));
  json::object config{{"ok", shown.config.ok},
                      {"loaded", FormatInstant(shown.config.loaded)},
                      {"problems", Strings(shown.config.problems)},
                      {"notes", Strings(shown.config.notes)}};
  json::array failures;
  for (const loop::StepFailure& failure : shown.tick->failures) {
    failures.push_back({{"pool", ToString(failure.pool)},
                        {"replica", failure.step.replica},
                        {"kind", rollout::Name(failure.step.kind)},
                        {"error", failure.error.message}});
  }
  const json::object status{{"version", context.version},
                            {"at", FormatInstant(shown.tick->at)},
                            {"tickSeconds", Seconds(shown.period)},
                            {"config", std::move(config)},
                            {"observeError", shown.tick->observe_error},
                            {"journalError", shown.tick->journal_error},
                            {"stepFailures", std::move(failures)},
                            {"pools", std::move(pools)}};
  return json::serialize(status);
}

}  // namespace tidegate::daemon
