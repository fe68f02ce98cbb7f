// Whole decisions as texts. Each folder here holds input.json, an array of observations as
// `tidegate decide` reads them, and decisions.golden, what `tidegate explain` would say of each.
// Two things keep the inputs short: a field that an element leaves out is that of the element
// before, and the memory of a decision is the next one's.
//
// After a change that is meant: TIDEGATE_UPDATE_GOLDEN=1 build/dev/tests/golden_test, then review
// the diff. Never edit a .golden by hand.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "scheduler/config/schedule.h"
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

std::vector<std::string> Cases() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(TIDEGATE_SOURCE_DIR "/tests/golden")) {
    if (fs::exists(entry.path() / "input.json")) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string DecideAll(const fs::path& input) {
  const json::value document = json::parse(ReadFile(input));
  json::object observation;
  std::string text;
  for (const json::value& element : document.as_array()) {
    for (const auto& member : element.as_object()) observation[member.key()] = member.value();
    auto parsed = journal::ParseObservations(json::serialize(observation));
    if (!parsed) return text + parsed.error().message;
    journal::ParsedObservation& item = parsed->items.at(0);
    if (auto* schedule = config::FindSchedule(item.observation.spec.policies)) {
      for (const auto& problem : config::ResolveSchedule(*schedule)) text += problem.message + "\n";
    }
    for (const std::string& problem : item.problems) text += problem + "\n";
    if (!item.problems.empty()) return text;
    const journal::Observation& is = item.observation;
    const decision::Outcome outcome = decision::Decide(is.spec, is.pool, is.now, is.state);
    text += (text.empty() ? "" : "\n") + decision::ToText(outcome.decision);
    observation["memory"] = journal::MemoryObject(outcome.state, outcome.decision.at);
  }
  return text;
}

class GoldenTest : public testing::TestWithParam<std::string> {};

TEST_P(GoldenTest, DecidesAsRecorded) {
  const fs::path folder = fs::path(TIDEGATE_SOURCE_DIR "/tests/golden") / GetParam();
  const std::string text = DecideAll(folder / "input.json");
  const char* update = std::getenv("TIDEGATE_UPDATE_GOLDEN");
  if (update != nullptr && std::string(update) == "1") {
    std::ofstream(folder / "decisions.golden", std::ios::binary) << text;
  }
  EXPECT_EQ(text, ReadFile(folder / "decisions.golden"));
}

INSTANTIATE_TEST_SUITE_P(Decisions, GoldenTest, testing::ValuesIn(Cases()), [](const auto& test) {
  std::string name = test.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace tidegate
