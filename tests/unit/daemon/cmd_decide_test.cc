#include "scheduler/daemon/cmd_decide.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate::daemon {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

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

TEST(RunDecideTest, AFileThatCannotBeReadIsOne) {
  DecideOptions options;
  options.input = "/nonexistent/input.json";
  const Result result = RunOn("", options);
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("/nonexistent/input.json"));
}

}  // namespace
}  // namespace tidegate::daemon
