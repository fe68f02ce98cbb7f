#include <boost/json.hpp>
#include <fmt/format.h>

#include "sim/runner/swarm.h"

namespace tidegate::sim {

void SwarmTotals::Add(const SwarmLife& life) {
  ++lives;
  ticks += life.ticks;
  steps += life.steps;
  restarts += life.restarts;
  takeovers += life.takeovers;
  fenced += life.fenced;
  deaths += life.deaths;
  readings += life.readings;
  for (const char byte : life.digest) {
    digest = (digest ^ static_cast<unsigned char>(byte)) * 1099511628211U;
  }
  if (life.violations.empty()) return;
  ++violated;
  bad.push_back(life);
}

std::string ToText(const SwarmTotals& totals) {
  return fmt::format(
      "{} lives, {} with a violation; {} ticks, {} steps, {} restarts, {} takeovers by a second "
      "daemon, {} steps of the first refused, {} replicas died, {} readings held against the "
      "truth; digest {:016x}\n",
      totals.lives, totals.violated, totals.ticks, totals.steps, totals.restarts, totals.takeovers,
      totals.fenced, totals.deaths, totals.readings, totals.digest);
}

std::string ToJson(const SwarmTotals& totals) {
  boost::json::array violations;
  for (const SwarmLife& life : totals.bad) {
    for (const SwarmViolation& violation : life.violations) {
      violations.push_back({{"seed", life.seed},
                            {"faults", life.faults},
                            {"at", FormatInstant(violation.at)},
                            {"rule", violation.rule},
                            {"what", violation.what}});
    }
  }
  const boost::json::object json{
      {"lives", totals.lives},       {"violated", totals.violated},
      {"ticks", totals.ticks},       {"steps", totals.steps},
      {"restarts", totals.restarts}, {"takeovers", totals.takeovers},
      {"fenced", totals.fenced},     {"deaths", totals.deaths},
      {"readings", totals.readings}, {"digest", fmt::format("{:016x}", totals.digest)},
      {"violations", violations}};
  return boost::json::serialize(json);
}

}  // namespace tidegate::sim
