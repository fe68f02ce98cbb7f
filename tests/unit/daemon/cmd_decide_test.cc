#include "scheduler/daemon/cmd_decide.h"

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/daemon/cli.h"
#include "tests/testing/child_process.h"

namespace tidegate::daemon {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Result {
  int code = 0;
  std::string out;
  std::string err;
};

Result RunOn(const std::string& input, DecideOptions options = {}) {
  std::istringstream in(input);
  std::ostringstream out;
  std::ostringstream err;
  const int code = RunDecide(options, in, out, err);
  return {code, out.str(), err.str()};
}

constexpr const char* kGood =
    R"({"now":1000,"scaler":{"maxReplicas":20,"signals":[{"name":"rps","target":50}]},
        "pool":{"declared":2,"ready":2},"signals":[{"name":"rps","value":390}]})";

TEST(RunDecideTest, OneObjectGivesOneObject) {
  const Result result = RunOn(kGood);
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, StartsWith("{"));
  EXPECT_THAT(result.out, HasSubstr(R"("desired":6,)"));
  EXPECT_EQ(result.err, "");
}

TEST(RunDecideTest, AnArrayGivesAnArray) {
  const Result result = RunOn("[" + std::string(kGood) + "," + kGood + "]");
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, StartsWith("[{"));
  EXPECT_EQ(RunOn("[]").out, "[]\n");
}

TEST(RunDecideTest, SameInputSameBytes) { EXPECT_EQ(RunOn(kGood).out, RunOn(kGood).out); }

TEST(RunDecideTest, TextIsWhatExplainShows) {
  DecideOptions options;
  options.json = false;
  const Result result = RunOn(kGood, options);
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, StartsWith("1970-01-01T00:16:40Z default/pool: 2 -> 6 (ScaleUpLimit)"));
}

TEST(RunDecideTest, WrongInputIsTwo) {
  const Result result = RunOn(R"({"now":1})");
  EXPECT_EQ(result.code, 2);
  EXPECT_EQ(result.err, "tidegate: $.pool: expected an object, got nothing\n");
  EXPECT_EQ(result.out, "{\"errors\":[\"$.pool: expected an object, got nothing\"]}\n");
  EXPECT_EQ(RunOn("{").code, 2);
}

TEST(RunDecideTest, GoodElementsAreDecidedBesideWrongOnes) {
  const Result result = RunOn("[1," + std::string(kGood) + "]");
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.out, HasSubstr("\"$[0]: expected an object, got 1\""));
  EXPECT_THAT(result.out, HasSubstr(R"("desired":6,)"));
}

TEST(RunDecideTest, WithoutAStageAnswersBesideTheDecision) {
  DecideOptions options;
  options.otherwise.without = {"rateLimit"};
  const Result result = RunOn(kGood, options);
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr(R"("desired":8,"reason":"DesiredWithinRange")"));
  EXPECT_THAT(result.out, HasSubstr(R"("counterfactual":{"without":["rateLimit"],"policies":[],)"
                                    R"("asItIs":{"desired":6,"reason":"ScaleUpLimit"}})"));
}

TEST(RunDecideTest, AnotherPolicyAnswersBesideTheDecision) {
  DecideOptions options;
  options.otherwise.policies = {"schedule"};
  const Result result = RunOn(kGood, options);
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr(R"("desired":1,"reason":"TooFewReplicas")"));
  EXPECT_THAT(result.out, HasSubstr(R"("policies":["schedule"],"asItIs":{"desired":6,)"));
}

TEST(RunDecideTest, TextOfACounterfactualSetsItAgainstTheDecision) {
  DecideOptions options;
  options.json = false;
  options.otherwise.without = {"rateLimit"};
  EXPECT_THAT(RunOn(kGood, options).out,
              StartsWith("without rateLimit: 8 replicas (DesiredWithinRange); as it is: 6 "
                         "(ScaleUpLimit)\n1970-01-01T00:16:40Z default/pool: 2 -> 8 ("));
}

TEST(RunDecideTest, NamesThatAreNoneAreTwoAndAllNamed) {
  DecideOptions options;
  options.otherwise = {{"ratelimit", "x"}, {"kap"}};
  const Result result = RunOn(kGood, options);
  EXPECT_EQ(result.code, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr(R"(no stage is called "ratelimit", did you mean rateLimit?)"));
  EXPECT_THAT(result.err, HasSubstr(R"(no stage is called "x"; there are: sizing, hold,)"));
  EXPECT_THAT(result.err, HasSubstr(R"(no policy is called "kap", did you mean kpa?)"));
}

TEST(RunDecideTest, AFileThatCannotBeReadIsTwo) {
  DecideOptions options;
  options.input = "/nonexistent/input.json";
  const Result result = RunOn("", options);
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("/nonexistent/input.json"));
}

TEST(RunDecideTest, ForecastSaysThatItIsNotAsked) {
  DecideOptions options;
  options.json = false;
  options.otherwise.policies = {"forecast"};
  EXPECT_THAT(RunOn(kGood, options).out,
              HasSubstr("decide keeps no history of minutes: the forecast is not asked"));
}

TEST(DecideCommandLineTest, HelpSaysThatForecastHasNoHistory) {
  std::vector<std::string> arguments{"tidegate", "decide", "--help"};
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(Main(static_cast<int>(argv.size()), argv.data()), 0);
  EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr("No history of minutes is kept"));
}

TEST(DecideCommandLineTest, WithoutTakesOneStageAndLeavesTheFile) {
  const testing::TempDir dir;
  const std::string path = (dir.path() / "input.json").string();
  std::ofstream(path) << kGood;
  std::vector<std::string> arguments{"tidegate", "decide", "--without", "rateLimit", path};
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(Main(static_cast<int>(argv.size()), argv.data()), 0);
  EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr(R"("desired":8,)"));
}

}  // namespace
}  // namespace tidegate::daemon
