// What tide remembers, written by another version: it goes on from what it can use.
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "scheduler/journal/decision_json.h"
#include "scheduler/journal/observation_json.h"

namespace tidegate::journal {
namespace {

namespace json = boost::json;

constexpr const char* kPool =
    R"("scaler":{"minReplicas":1,"maxReplicas":90,"policies":["tide"],
                 "signals":[{"name":"rps","measure":"requests"}],
                 "capacity":{"workers":8,"serviceTimeSeconds":0.05,"latencyObjectiveSeconds":0.25}},
       "pool":{"declared":2,"ready":20},"signals":[{"name":"rps","value":1500}])";

// Ticks of five seconds under a steady load that needs 10 replicas or a few more: the last outcome.
json::object Steady(int from, int to, json::value memory) {
  json::object outcome;
  for (int now = from; now < to; now += 5) {
    const auto parsed = ParseObservations(
        fmt::format(R"({{"now":{},{},"memory":{}}})", now, kPool, json::serialize(memory)));
    EXPECT_TRUE(parsed && parsed->items.size() == 1 && parsed->items[0].problems.empty());
    const Observation& seen = parsed->items.at(0).observation;
    outcome = json::parse(OutcomeJson(decision::Decide(seen.spec, seen.pool, seen.now, seen.state)))
                  .as_object();
    memory = outcome.at("memory");
    const std::int64_t desired = outcome.at("desired").as_int64();
    EXPECT_TRUE(desired >= 10 && desired <= 40) << desired;
  }
  return outcome;
}

// All fields of an object and of the objects in it: "panel.late".
void ListFields(const json::object& object, const std::string& prefix,
                std::vector<std::string>& fields) {
  for (const auto& member : object) {
    fields.push_back(prefix + std::string(member.key()));
    if (const json::object* own = member.value().if_object()) {
      ListFields(*own, fields.back() + ".", fields);
    }
  }
}

void EraseField(json::object& object, const std::string& field) {
  const std::size_t dot = field.find('.');
  if (dot == std::string::npos) {
    object.erase(field);
  } else {
    EraseField(object.at(field.substr(0, dot)).as_object(), field.substr(dot + 1));
  }
}

TEST(TideMemoryTest, GoesOnWithoutAnyOneFieldOfIt) {
  const json::value memory = Steady(10'000, 13'000, json::object()).at("memory");
  std::vector<std::string> fields;
  ListFields(memory.at("policies").at("tide").as_object(), "", fields);
  ASSERT_GT(fields.size(), 20U);
  for (const std::string& field : fields) {
    SCOPED_TRACE(field);
    json::value less = memory;
    EraseField(less.at("policies").at("tide").as_object(), field);
    Steady(13'000, 13'300, less);
  }
}

}  // namespace
}  // namespace tidegate::journal
