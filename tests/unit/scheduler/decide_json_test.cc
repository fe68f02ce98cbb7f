// The JSON that `tidegate decide` reads and writes, and sequences told through it: what it writes
// as memory goes back in unchanged.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/journal/decision_json.h"
#include "scheduler/journal/json_text.h"
#include "scheduler/journal/observation_json.h"
#include "scheduler/journal/policy_json.h"

namespace tidegate::journal {
namespace {

namespace json = boost::json;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kScaler =
    R"({"minReplicas":1,"maxReplicas":1000,"signals":[{"name":"rps","target":100}]})";

std::vector<std::string> ProblemsOf(const std::string& text) {
  const auto parsed = ParseObservations(text);
  if (!parsed) return {parsed.error().message};
  std::vector<std::string> problems;
  for (const auto& item : parsed->items) {
    problems.insert(problems.end(), item.problems.begin(), item.problems.end());
  }
  return problems;
}

decision::Outcome OutcomeOf(const std::string& text) {
  const auto parsed = ParseObservations(text);
  EXPECT_TRUE(parsed.has_value() && parsed->items.size() == 1) << text;
  const ParsedObservation& item = parsed->items.at(0);
  EXPECT_THAT(item.problems, ElementsAre()) << text;
  const Observation& observation = item.observation;
  return decision::Decide(observation.spec, observation.pool, observation.now, observation.state);
}

json::object Decide(const std::string& text) {
  return json::parse(OutcomeJson(OutcomeOf(text))).as_object();
}

// A pool that is told tick by tick, with the memory of one tick handed to the next.
class Sequence {
 public:
  explicit Sequence(std::string scaler = kScaler) : scaler_(std::move(scaler)) {}

  std::int64_t Tick(int now, const std::string& pool, const std::string& signals) {
    std::string text = fmt::format(R"({{"now":{},"scaler":{},"pool":{},"signals":[{}])", now,
                                   scaler_, pool, signals);
    if (!memory_.empty()) text += ",\"memory\":" + memory_;
    last = Decide(text + "}");
    memory_ = WriteJson(last.at("memory"));
    return last.at("desired").as_int64();
  }

  json::object last;

 private:
  std::string scaler_;
  std::string memory_;
};

std::vector<std::int64_t> Ladder(int from, int value, int ticks) {
  Sequence sequence;
  std::vector<std::int64_t> sizes;
  for (int i = 0; i < ticks; ++i) {
    sizes.push_back(sequence.Tick(1000 + 15 * i, fmt::format(R"({{"declared":{}}})", from),
                                  fmt::format(R"({{"name":"rps","value":{}}})", value)));
  }
  return sizes;
}

TEST(DecideJsonTest, DefaultLadderFromOne) {
  EXPECT_THAT(Ladder(1, 8000, 7), ElementsAre(5, 10, 20, 40, 80, 80, 80));
}

TEST(DecideJsonTest, DefaultLadderFromThree) {
  EXPECT_THAT(Ladder(3, 11200, 5), ElementsAre(7, 14, 28, 56, 112));
}

// A fleet that takes the steps of each decision: a start is ready one tick later, a drain gone.
class Fleet {
 public:
  explicit Fleet(int size) {
    for (int i = 1; i <= size; ++i) {
      replicas_[fmt::format("edge-aaaaaaaa-{}", i)] = {"aaaaaaaa", "ready"};
    }
  }

  std::string Pool(const char* revision) const {
    std::string text;
    for (const auto& [name, replica] : replicas_) {
      text += fmt::format(R"({}{{"name":"{}","revision":"{}","phase":"{}"}})",
                          text.empty() ? "" : ",", name, replica.revision, replica.phase);
    }
    return fmt::format(R"({{"name":"edge","declared":383,"revision":"{}","replicas":[{}]}})",
                       revision, text);
  }

  void Take(const json::array& steps) {
    std::erase_if(replicas_, [](const auto& item) { return item.second.phase == "draining"; });
    for (auto& [name, replica] : replicas_) replica.phase = "ready";
    for (const json::value& step : steps) {
      Replica& replica = replicas_[std::string(step.at("replica").as_string())];
      replica.revision = std::string(step.at("revision").as_string());
      replica.phase = step.at("kind").as_string() == "start" ? "starting" : "draining";
    }
  }

  int Live() const {
    return static_cast<int>(std::count_if(replicas_.begin(), replicas_.end(), [](const auto& item) {
      return item.second.phase != "draining";
    }));
  }

 private:
  struct Replica {
    std::string revision;
    std::string phase;
  };
  std::map<std::string, Replica> replicas_;
};

TEST(DecideJsonTest, Stays383ThroughARolloutWithSurge) {
  Sequence sequence(
      R"({"maxReplicas":1000,"signals":[{"name":"rps","target":100}],
          "budgets":{"rollingMaxSurge":"25%","rollingMaxUnavailable":"25%"}})");
  const std::string load = R"({"name":"rps","value":38300})";
  Fleet fleet(383);
  int peak = 0;
  for (int tick = 0; tick < 20; ++tick) {
    const std::string pool = fleet.Pool(tick < 2 ? "aaaaaaaa" : "bbbbbbbb");
    ASSERT_EQ(sequence.Tick(1000 + 15 * tick, pool, load), 383) << tick;
    fleet.Take(sequence.last.at("plan").at("steps").as_array());
    peak = std::max(peak, fleet.Live());
  }
  EXPECT_GT(peak, 383);
  EXPECT_LE(peak, 383 + 96);
  EXPECT_TRUE(sequence.last.at("plan").at("complete").as_bool());
}

TEST(DecideJsonTest, OutputOfAFullDecision) {
  const json::object out = Decide(
      R"({"now":"2026-11-27T00:00:00Z","scaler":)" + std::string(kScaler) +
      R"(,"pool":{"declared":4,"counts":{"ready":4}},"signals":[{"name":"rps","value":900}]})");
  EXPECT_EQ(out.at("desired").as_int64(), 8);
  EXPECT_EQ(out.at("reason").as_string(), "ScaleUpLimit");
  EXPECT_EQ(out.at("proposals").at(0).at("replicas").as_int64(), 9);
  EXPECT_EQ(out.at("limits").at(0).at("stage").as_string(), "rateLimit");
  EXPECT_EQ(out.at("limits").at(0).at("before").as_int64(), 9);
  EXPECT_EQ(out.at("limits").at(0).at("after").as_int64(), 8);
  EXPECT_EQ(out.at("plan").at("steps").as_array().size(), 4U);
  EXPECT_TRUE(out.at("errors").as_array().empty());
}

TEST(DecideJsonTest, MemoryComesBackEqual) {
  const decision::Outcome outcome =
      OutcomeOf(R"({"now":1795651200.25,"scaler":)" + std::string(kScaler) +
                R"(,"pool":{"declared":4,"replicas":[{"name":"a","phase":"failed"},{"name":"b"}]},
          "signals":[{"name":"rps","error":"refused"}],
          "memory":{"desired":4,"recommendations":[{"age":1.5,"replicas":9}],
                    "events":[{"age":0.001,"change":-2}],"badFor":7}})");
  const std::string fed_back =
      fmt::format(R"({{"now":1795651300,"pool":{{"declared":1,"replicas":[]}},"memory":{}}})",
                  WriteJson(MemoryObject(outcome.state, FromUnixMillis(1'795'651'200'250))));
  const auto parsed = ParseObservations(fed_back);
  ASSERT_TRUE(parsed.has_value());
  ASSERT_THAT(parsed->items[0].problems, ElementsAre());
  EXPECT_EQ(parsed->items[0].observation.state, outcome.state);
}

TEST(DecideJsonTest, AgesOfAMemoryWithoutTimeCountFromNow) {
  const std::string text = R"({"now":1000,"scaler":)" + std::string(kScaler) +
                           R"(,"pool":{"declared":10},"signals":[{"name":"rps","value":200}],
      "memory":{"recommendations":[{"age":)";
  EXPECT_EQ(Decide(text + R"(299,"replicas":8}]}})").at("desired").as_int64(), 8);
  EXPECT_EQ(Decide(text + R"(300,"replicas":8}]}})").at("desired").as_int64(), 2);
}

TEST(DecideJsonTest, ReadingsAreClassified) {
  const std::pair<const char*, const char*> cases[] = {
      {R"("value":5)", "ok"},
      {R"("value":5,"age":46)", "stale"},
      {R"("value":5,"age":46,"staleAfterSeconds":60)", "ok"},
      {R"("value":5,"quality":"partial")", "partial"},
      {R"("value":-1)", "nan"},
      {R"("value":"NaN")", "nan"},
      {R"("value":null)", "empty"},
      {R"("error":"timeout")", "error"},
      {R"("quality":"empty")", "empty"},
      {R"("perReplica":[{"value":1},{"value":2},{"value":3}])", "ok"},
      {R"("perReplica":[{"replica":"a","value":1}])", "partial"},
      {R"("perReplica":[])", "empty"},
      {R"("samples":[])", "empty"},
  };
  for (const auto& [reading, quality] : cases) {
    const json::object out =
        Decide(R"({"now":1000,"pool":{"declared":3,"ready":3},"signals":[{"name":"rps",)" +
               std::string(reading) + "}]}");
    EXPECT_EQ(out.at("readings").at(0).at("quality").as_string(), quality) << reading;
  }
}

TEST(DecideJsonTest, UnusableReadingsHaveNoValue) {
  const json::object out =
      Decide(R"({"now":1,"pool":{"declared":3},"signals":[{"name":"rps","value":9,"age":99}]})");
  EXPECT_EQ(out.at("readings").at(0).at("value").as_int64(), 0);
}

TEST(DecideJsonTest, PerReplicaValuesAddUp) {
  const json::object out = Decide(
      R"({"now":1,"pool":{"declared":2,"ready":2},
          "signals":[{"name":"rps","perReplica":[{"value":1.5},{"value":2}]}]})");
  EXPECT_EQ(out.at("readings").at(0).at("value").as_double(), 3.5);
}

TEST(DecideJsonTest, SamplesGoThroughTheEstimator) {
  const json::object out = Decide(
      R"({"now":1000,"scaler":)" + std::string(kScaler) +
      R"(,"pool":{"declared":1,"replicas":[{"name":"a"}]},"signals":[{"name":"rps","samples":[
          {"replica":"a","samples":[{"age":30,"value":1000},{"age":15,"value":4000},
                                    {"age":0,"value":7000}]}]}]})");
  EXPECT_EQ(out.at("readings").at(0).at("quality").as_string(), "ok");
  EXPECT_EQ(out.at("proposals").at(0).at("replicas").as_int64(), 2);
}

TEST(DecideJsonTest, WithoutScalerThePoolKeepsItsDeclaredSize) {
  const json::object out = Decide(R"({"now":1,"pool":{"declared":3,"ready":5}})");
  EXPECT_EQ(out.at("desired").as_int64(), 3);
  EXPECT_EQ(out.at("reason").as_string(), "NotScaled");
}

TEST(DecideJsonTest, APoolThatCannotBeObservedIsLeftAlone) {
  const json::object out = Decide(R"({"now":1,"scaler":)" + std::string(kScaler) +
                                  R"(,"pool":{"declared":3,"error":"refused"},
                                      "signals":[{"name":"rps","value":9000}]})");
  EXPECT_EQ(out.at("desired").as_int64(), 3);
  EXPECT_TRUE(out.at("plan").at("steps").as_array().empty());
  EXPECT_THAT(std::string(out.at("errors").at(0).as_string()), HasSubstr("refused"));
}

TEST(DecideJsonTest, DryRunKeepsTheRolloutsMemory) {
  Sequence sequence(R"({"maxReplicas":9,"dryRun":true,"signals":[{"name":"rps","target":100}]})");
  sequence.Tick(1, R"({"declared":1,"replicas":[{"name":"a"}]})", R"({"name":"rps","value":900})");
  EXPECT_FALSE(sequence.last.at("plan").at("steps").as_array().empty());
  EXPECT_TRUE(sequence.last.at("memory").at("rollout").at("pending").as_array().empty());
}

TEST(DecideJsonTest, ReportsAllProblemsAtOnceWithTheirPaths) {
  const auto problems = ProblemsOf(
      R"({"now":"soon","scaler":{"maxReplica":4,"signals":[{"name":"rps","target":0}],
          "behavior":{"scaleUp":{"selectPolicy":"Most","policies":[]}},
          "budgets":{"rollingMaxSurge":"x"}},
          "pool":{"declared":"four","replicas":[{"name":"a","phase":"up"}]}})");
  EXPECT_THAT(problems, Contains(HasSubstr("$.now: expected seconds since 1970")));
  EXPECT_THAT(problems, Contains("$.scaler.maxReplica: unknown field; did you mean maxReplicas?"));
  EXPECT_THAT(problems, Contains("$.scaler.maxReplicas: expected a whole number, got nothing"));
  EXPECT_THAT(problems, Contains(HasSubstr("$.scaler.signals[0].target: expected a number from")));
  EXPECT_THAT(problems,
              Contains("$.scaler.behavior.scaleUp.selectPolicy: expected one of Max, Min, "
                       "Disabled, got \"Most\""));
  EXPECT_THAT(problems,
              Contains("$.scaler.behavior.scaleUp.policies: expected at least one policy"));
  EXPECT_THAT(problems, Contains(HasSubstr("$.scaler.budgets.rollingMaxSurge: expected a count")));
  EXPECT_THAT(problems, Contains("$.pool.declared: expected a whole number from 0 to 100000, got "
                                 "\"four\""));
  EXPECT_THAT(problems, Contains(HasSubstr("$.pool.replicas[0].phase: expected one of starting")));
}

TEST(DecideJsonTest, PoliciesTimesAreWholeSecondsAsInManifests) {
  const auto problems = ProblemsOf(
      R"({"now":1,"scaler":{"maxReplicas":9,"signals":[{"name":"rps","target":1}],"policies":[
          {"name":"kpa","stableWindowSeconds":6.5,"scaleDownDelaySeconds":1.5}]},
          "pool":{"declared":1}})");
  const std::string at = "$.scaler.policies[0].";
  EXPECT_THAT(problems,
              ElementsAre(at + "stableWindowSeconds: expected a whole number from 6 to 3600, "
                               "got 6.5",
                          at + "scaleDownDelaySeconds: expected a whole number from 0 to 3600, "
                               "got 1.5"));
}

TEST(DecideJsonTest, ProblemsOfAnArrayNameTheElement) {
  EXPECT_THAT(ProblemsOf(R"([{"now":1,"pool":{"declared":1}},{"now":1}])"),
              ElementsAre("$[1].pool: expected an object, got nothing"));
}

TEST(DecideJsonTest, BadJsonIsReportedWithItsPlace) {
  EXPECT_THAT(ProblemsOf("{\"now\": 1,\n  \"pool\" 2}"), ElementsAre(HasSubstr("2:10: not JSON")));
  EXPECT_THAT(ProblemsOf("{} x"), ElementsAre(HasSubstr("1:4: not JSON: more text")));
  EXPECT_THAT(ProblemsOf(""), ElementsAre(HasSubstr("not JSON")));
}

TEST(DecideJsonTest, DepthIsBounded) {
  EXPECT_THAT(ProblemsOf(std::string(1000, '[') + std::string(1000, ']')),
              ElementsAre(HasSubstr("not JSON")));
}

TEST(DecideJsonTest, ManyProblemsAreCountedNotListed) {
  std::string signals;
  for (int i = 0; i < 64; ++i) {
    signals += std::string(i == 0 ? "" : ",") + R"({"a":1,"b":2,"c":3})";
  }
  const auto problems =
      ProblemsOf(R"({"now":1,"pool":{"declared":1},"signals":[)" + signals + "]}");
  EXPECT_EQ(problems.size(), JsonProblems::kMost + 1);
  EXPECT_THAT(problems.back(), HasSubstr("more"));
}

TEST(DecideJsonTest, RefusesTwoOfAName) {
  EXPECT_THAT(ProblemsOf(R"({"now":1,"pool":{"declared":1,"replicas":[{"name":"a"},{"name":"a"}]},
                             "signals":[{"name":"s","value":1},{"name":"s","value":1}]})"),
              ElementsAre("$.pool.replicas: there are two replicas called a",
                          "$.signals[1].name: there are two readings of s"));
}

TEST(DecideJsonTest, QueueingLearnsThroughItsMemory) {
  Sequence sequence(
      R"({"minReplicas":1,"maxReplicas":1000,"policies":["queueing"],
          "signals":[{"name":"rps","measure":"requests"},{"name":"in","measure":"inflight"}],
          "capacity":{"workers":8,"serviceTimeSeconds":0.05,"latencyObjectiveSeconds":0.25,
                      "latencyShare":0.999,"balancing":"roundRobin"}})");
  const std::string signals = R"({"name":"rps","value":1000},{"name":"in","value":80})";
  EXPECT_EQ(sequence.Tick(1'000, R"({"declared":10,"ready":20})", signals), 10);
  for (int now = 1'015; now < 3'000; now += 15) {
    sequence.Tick(now, R"({"declared":10,"ready":20})", signals);
  }
  const auto& learned = sequence.last.at("memory").at("policies").at("queueing").at("service");
  EXPECT_NEAR(learned.at("seconds").to_number<double>(), 0.08, 1e-6);
  EXPECT_GE(sequence.last.at("desired").as_int64(), 15);
}

TEST(DecideJsonTest, WithAnObjectiveAndNoBehaviorTideIsTheDefault) {
  const auto remembers = [](const std::string& more) {
    Sequence sequence(R"({"minReplicas":1,"maxReplicas":9,
                          "signals":[{"name":"rps","measure":"requests","target":100}])" +
                      more + "}");
    sequence.Tick(1'000, R"({"declared":2,"ready":2})", R"({"name":"rps","value":150})");
    const json::object& memory = sequence.last.at("memory").as_object();
    return memory.contains("policies") && memory.at("policies").as_object().contains("tide");
  };
  const std::string objective =
      R"(,"capacity":{"workers":8,"serviceTimeSeconds":0.05,"latencyObjectiveSeconds":0.25})";
  EXPECT_TRUE(remembers(objective));
  EXPECT_FALSE(remembers(""));
  EXPECT_FALSE(remembers(objective + R"(,"behavior":{"scaleDown":{"tolerance":0}})"));
}

TEST(DecideJsonTest, RefusesACapacityThatCanNotBe) {
  EXPECT_THAT(ProblemsOf(R"({"now":1,"pool":{"declared":1},"scaler":{"maxReplicas":9,"signals":[],
                             "capacity":{"workers":0,"latencyShare":1,"balancing":"best"}}})"),
              testing::SizeIs(3));
}

// --- the schema document -------------------------------------------------------------------------

json::object Schema() {
  std::ifstream file(TIDEGATE_SOURCE_DIR "/scheduler/journal/decide.schema.json");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return json::parse(text).as_object();
}

std::set<std::string> Keys(const json::object& object) {
  std::set<std::string> keys;
  for (const auto& member : object) keys.insert(std::string(member.key()));
  return keys;
}

TEST(DecideSchemaTest, HasEveryObjectThatTheParserReads) {
  const json::object schema = Schema();
  for (const JsonShape& shape : ObservationShapes()) {
    const json::object& definition = schema.at("$defs").at(std::string(shape.name)).as_object();
    const std::set<std::string> fields(shape.fields.begin(), shape.fields.end());
    EXPECT_EQ(Keys(definition.at("properties").as_object()), fields) << shape.name;
    EXPECT_FALSE(definition.at("additionalProperties").as_bool()) << shape.name;
  }
}

// Follows the schema through an output: every object has exactly the properties that its definition
// lists; the optional ones may be missing.
void ExpectConforms(const json::value& value, const json::object& definition,
                    const json::object& schema, const std::string& path) {
  if (const json::value* reference = definition.if_contains("$ref")) {
    const std::string name(reference->as_string().subview(std::string("#/$defs/").size()));
    return ExpectConforms(value, schema.at("$defs").at(name).as_object(), schema, path);
  }
  if (const json::array* array = value.if_array()) {
    for (const json::value& element : *array) {
      ExpectConforms(element, definition.at("items").as_object(), schema, path + "[]");
    }
    return;
  }
  if (const json::value* choices = definition.if_contains("enum")) {
    EXPECT_THAT(choices->as_array(), Contains(value)) << path;
  }
  if (!value.is_object()) return;
  const json::object& properties = definition.at("properties").as_object();
  for (const auto& member : value.get_object()) {
    const std::string name(member.key());
    ASSERT_TRUE(properties.contains(name)) << path << "." << name;
    ExpectConforms(member.value(), properties.at(name).as_object(), schema, path + "." + name);
  }
  for (const json::value& name : definition.at("required").as_array()) {
    EXPECT_TRUE(value.get_object().contains(name.as_string())) << path << ": " << name;
  }
}

TEST(DecideSchemaTest, DescribesEveryFieldThatIsWritten) {
  const json::object schema = Schema();
  const json::object out = Decide(
      R"({"now":1000,"scaler":)" + std::string(kScaler) +
      R"(,"pool":{"declared":4,"replicas":[{"name":"a","phase":"failed"},{"name":"b"},{"name":"c"}]},
          "signals":[{"name":"rps","value":900},{"name":"lat","error":"refused"}],
          "memory":{"desired":4,"recommendations":[{"age":1,"replicas":9}],
                    "events":[{"age":5,"change":2}],
                    "rollout":{"failing":"00000000","failedStarts":2,"retryAt":1500,
                               "pending":[{"kind":"drain","replica":"b","age":2}]}}})");
  ExpectConforms(out, schema.at("$defs").at("outcome").as_object(), schema, "$");
  EXPECT_FALSE(out.at("limits").as_array().empty());
  EXPECT_FALSE(out.at("memory").at("rollout").at("pending").as_array().empty());
}

TEST(DecideSchemaTest, DescribesCounterfactuals) {
  const json::object schema = Schema();
  const decision::Outcome outcome =
      OutcomeOf(R"({"now":1000,"scaler":)" + std::string(kScaler) + R"(,"pool":{"declared":4}})");
  decision::Counterfactual asked{{}, {FindPolicy("kpa")}};
  asked.without.Add(guards::Stage::kHold);
  const json::object out = json::parse(OutcomeJson(outcome, asked, outcome.decision)).as_object();
  ExpectConforms(out, schema.at("$defs").at("outcome").as_object(), schema, "$");
  EXPECT_TRUE(out.contains("counterfactual"));
}

// After a change of a policy's options or memory: replace these $defs in the file by what the test
// prints.
TEST(DecideSchemaTest, DescribesThePoliciesOfTheCatalog) {
  const json::object schema = Schema();
  const json::object& definitions = schema.at("$defs").as_object();
  for (const auto& member : PolicySchema()) {
    ASSERT_TRUE(definitions.contains(member.key()))
        << '"' << member.key() << "\": " << json::serialize(member.value());
    EXPECT_EQ(definitions.at(member.key()), member.value())
        << '"' << member.key() << "\": " << json::serialize(member.value());
  }
}

TEST(DecideSchemaTest, DescribesFailures) {
  const json::value out = json::parse(ErrorsJson({"$.now: wrong"}));
  const json::object schema = Schema();
  ExpectConforms(out, schema.at("$defs").at("failure").as_object(), schema, "$");
}

TEST(DecideSchemaTest, ListsEveryReasonAndStage) {
  const json::object schema = Schema();
  const json::object& limit = schema.at("$defs").at("limit").at("properties").as_object();
  const json::array& reasons = limit.at("reason").at("enum").as_array();
  ASSERT_EQ(reasons.size(), static_cast<std::size_t>(guards::kReasonCount));
  for (int i = 0; i < guards::kReasonCount; ++i) {
    EXPECT_THAT(reasons, Contains(json::value(Name(static_cast<guards::Reason>(i)))));
  }
  for (int i = 0; i <= static_cast<int>(guards::Stage::kPause); ++i) {
    EXPECT_THAT(limit.at("stage").at("enum").as_array(),
                Contains(json::value(Name(static_cast<guards::Stage>(i)))));
  }
}

TEST(WriteJsonTest, WritesNumbersPlainly) {
  EXPECT_EQ(WriteJson(json::value(100.0)), "100");
  EXPECT_EQ(WriteJson(json::value(812.25)), "812.25");
  EXPECT_EQ(WriteJson(json::value(-0.0)), "0");
  EXPECT_EQ(WriteJson(json::parse(R"({"b":[1,"x\"",null,true]})")), R"({"b":[1,"x\"",null,true]})");
}

}  // namespace
}  // namespace tidegate::journal
