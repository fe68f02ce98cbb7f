// Whole decisions as texts. Each folder here holds input.json, an array of observations as
// `tidegate decide` reads them, and decisions.golden, what `tidegate explain` would say of each.
// Two things keep the inputs short: a field that an element leaves out is that of the element
// before, and the memory of a decision is the next one's. Where a folder has other-scaler.json as
// well, its decisions are taken for a journal, and diff.golden is what `tidegate diff` says of it
// under that scaler.
//
// After a change that is meant: TIDEGATE_UPDATE_GOLDEN=1 build/dev/tests/golden_test, then review
// the diff. Never edit a .golden by hand.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "scheduler/config/schedule.h"
#include "scheduler/decision/diff.h"
#include "scheduler/journal/decision_json.h"
#include "scheduler/journal/observation_json.h"

namespace tidegate {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::string> CasesWith(const char* file) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(TIDEGATE_SOURCE_DIR "/tests/golden")) {
    if (fs::exists(entry.path() / file)) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

struct Told {
  std::string text;
  std::vector<decision::Decision> decisions;
};

Told DecideAll(const fs::path& input) {
  const json::value document = json::parse(ReadFile(input));
  json::object observation;
  Told told;
  std::string& text = told.text;
  for (const json::value& element : document.as_array()) {
    for (const auto& member : element.as_object()) observation[member.key()] = member.value();
    auto parsed = journal::ParseObservations(json::serialize(observation));
    if (!parsed) return {text + parsed.error().message, {}};
    journal::ParsedObservation& item = parsed->items.at(0);
    if (auto* schedule = config::FindSchedule(item.observation.spec.policies)) {
      for (const auto& problem : config::ResolveSchedule(*schedule)) text += problem.message + "\n";
    }
    if (auto* keda = config::FindKeda(item.observation.spec.policies)) {
      for (const auto& problem : config::ResolveKeda(*keda)) text += problem.message + "\n";
    }
    for (const std::string& problem : item.problems) text += problem + "\n";
    if (!item.problems.empty()) return told;
    const journal::Observation& is = item.observation;
    const decision::Outcome outcome = decision::Decide(is.spec, is.pool, is.now, is.state);
    text += (text.empty() ? "" : "\n") + decision::ToText(outcome.decision);
    observation["memory"] = journal::MemoryObject(outcome.state, outcome.decision.at);
    told.decisions.push_back(outcome.decision);
  }
  return told;
}

// The spec of the first observation with another scaler.
decision::PoolSpec SpecWith(const fs::path& input, const fs::path& scaler) {
  json::object first = json::parse(ReadFile(input)).as_array().at(0).as_object();
  first["scaler"] = json::parse(ReadFile(scaler));
  return journal::ParseObservations(json::serialize(first))->items.at(0).observation.spec;
}

void ExpectGolden(const std::string& text, const fs::path& golden) {
  const char* update = std::getenv("TIDEGATE_UPDATE_GOLDEN");
  if (update != nullptr && std::string(update) == "1") {
    std::ofstream(golden, std::ios::binary) << text;
  }
  EXPECT_EQ(text, ReadFile(golden));
}

std::string TestName(const testing::TestParamInfo<std::string>& test) {
  std::string name = test.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

class GoldenTest : public testing::TestWithParam<std::string> {};

TEST_P(GoldenTest, DecidesAsRecorded) {
  const fs::path folder = fs::path(TIDEGATE_SOURCE_DIR "/tests/golden") / GetParam();
  ExpectGolden(DecideAll(folder / "input.json").text, folder / "decisions.golden");
}

INSTANTIATE_TEST_SUITE_P(Decisions, GoldenTest, testing::ValuesIn(CasesWith("input.json")),
                         TestName);

class DiffGoldenTest : public testing::TestWithParam<std::string> {};

TEST_P(DiffGoldenTest, DiffersAsRecorded) {
  const fs::path folder = fs::path(TIDEGATE_SOURCE_DIR "/tests/golden") / GetParam();
  decision::Differ differ(SpecWith(folder / "input.json", folder / "other-scaler.json"), Instant{});
  for (const auto& decision : DecideAll(folder / "input.json").decisions) differ.Take(decision);
  ExpectGolden(decision::ToText(std::move(differ).Finish()), folder / "diff.golden");
}

INSTANTIATE_TEST_SUITE_P(Diffs, DiffGoldenTest, testing::ValuesIn(CasesWith("other-scaler.json")),
                         TestName);

}  // namespace
}  // namespace tidegate
