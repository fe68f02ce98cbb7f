// Formulas over named signals: what they come to, and what is said of those that can't be read.
#include "policies/sizing/formula.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate::sizing {
namespace {

using Kind = Formula::Result::Kind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Values = std::map<std::string, std::optional<double>>;

Formula::Result Evaluate(const std::string& text, const Values& values = {}) {
  const auto formula = Formula::Parse(text);
  if (!formula) {
    ADD_FAILURE() << text << ": " << formula.error().message;
    return {Kind::kFailed, 0, "not read"};
  }
  std::vector<std::optional<double>> given;
  for (const std::string& name : formula->names()) given.push_back(values.at(name));
  return formula->Evaluate(given);
}
double Number(const std::string& text, const Values& values = {}) {
  const Formula::Result result = Evaluate(text, values);
  EXPECT_EQ(result.kind, Kind::kNumber) << text << ": " << result.why;
  return result.number;
}
std::string Refusal(const std::string& text) {
  const auto formula = Formula::Parse(text);
  return formula ? "read" : formula.error().message;
}

TEST(FormulaTest, CalculatesFromLeftToRight) {
  EXPECT_EQ(Number("1 + 2 * 3"), 7);
  EXPECT_EQ(Number("(1 + 2) * 3"), 9);
  EXPECT_EQ(Number("10 - 4 - 3"), 3);
  EXPECT_EQ(Number("7 / 2"), 3.5);
  EXPECT_EQ(Number("8 / 4 / 2"), 1);
  EXPECT_EQ(Number("-2 * -3 + +1"), 7);
  EXPECT_EQ(Number("1.5e3"), 1500);
  EXPECT_EQ(Number(".5"), 0.5);
}

TEST(FormulaTest, ReadsNamesOnceInTheirOrder) {
  const auto formula = Formula::Parse("b + a * b + _c1");
  ASSERT_TRUE(formula);
  EXPECT_THAT(formula->names(), ElementsAre("b", "a", "_c1"));
  EXPECT_EQ(Number("(a + b) / 2", {{"a", 10}, {"b", 30}}), 20);
}

TEST(FormulaTest, MinAndMaxTakeAnyNumberOfArguments) {
  EXPECT_EQ(Number("min(3, 1, 2)"), 1);
  EXPECT_EQ(Number("max(3, 1, 2 * 4)"), 8);
  EXPECT_EQ(Number("max(5)"), 5);
  EXPECT_EQ(Number("max(a, min(b, 7))", {{"a", 2}, {"b", 9}}), 7);
}

TEST(FormulaTest, ConditionsChoose) {
  const std::string text = "a > 100 ? a / 2 : a <= 10 ? 1 : 2";
  EXPECT_EQ(Number(text, {{"a", 300}}), 150);
  EXPECT_EQ(Number(text, {{"a", 10}}), 1);
  EXPECT_EQ(Number(text, {{"a", 50}}), 2);
  EXPECT_EQ(Number("!(1 == 2) && (2 >= 2 || 1 > 2) ? 1 : 0"), 1);
  EXPECT_EQ(Number("not true or false ? 1 : 0"), 0);
  EXPECT_EQ(Number("1 < 2 and 2 != 2 ? 1 : 0"), 0);
}

TEST(FormulaTest, TheRightSideOfNilCountsBeforeEveryOperator) {
  EXPECT_EQ(Number("a ?? 5 + 1", {{"a", std::nullopt}}), 6);
  EXPECT_EQ(Number("a ?? 5 + 1", {{"a", 3}}), 4);
  EXPECT_EQ(Number("a ?? b ?? 9", {{"a", std::nullopt}, {"b", std::nullopt}}), 9);
  EXPECT_EQ(Number("a ?? -1", {{"a", std::nullopt}}), -1);
  EXPECT_EQ(Number("a ?? -+2 * 3", {{"a", std::nullopt}}), -6);
  EXPECT_EQ(Number("a == nil ? 1 : a", {{"a", std::nullopt}}), 1);
  EXPECT_EQ(Number("a != nil ? a : 1", {{"a", 4}}), 4);
  EXPECT_EQ(Number("(a ?? 0)>0?1:2", {{"a", 0}}), 2);
}

TEST(FormulaTest, NilIsNoNumber) {
  EXPECT_EQ(Evaluate("a", {{"a", std::nullopt}}).kind, Kind::kNil);
  EXPECT_EQ(Evaluate("a ?? b", {{"a", std::nullopt}, {"b", std::nullopt}}).kind, Kind::kNil);
  for (const char* text : {"a + 1", "-a", "max(1, a)", "a > 1 ? 1 : 2", "1 / a"}) {
    const Formula::Result result = Evaluate(text, {{"a", std::nullopt}});
    EXPECT_EQ(result.kind, Kind::kFailed) << text;
    EXPECT_THAT(std::string(result.why), HasSubstr("has no value"));
  }
  // Where nothing reaches it, it does no harm.
  EXPECT_EQ(Number("true || a > 1 ? 1 : a", {{"a", std::nullopt}}), 1);
  EXPECT_EQ(Number("false && a > 1 ? a : 2", {{"a", std::nullopt}}), 2);
}

TEST(FormulaTest, WhatIsNotFiniteFails) {
  EXPECT_EQ(std::string(Evaluate("1 / 0").why), "it divides by 0");
  EXPECT_EQ(Evaluate("1e308 * 10").kind, Kind::kFailed);
  EXPECT_EQ(Evaluate("a", {{"a", std::numeric_limits<double>::quiet_NaN()}}).kind, Kind::kFailed);
}

TEST(FormulaTest, ErrorsNameTheCharacter) {
  EXPECT_EQ(Refusal(""),
            "character 1: expected a number, a signal's name, min, max or \"(\", got "
            "the end");
  EXPECT_EQ(Refusal("1 +"),
            "character 4: expected a number, a signal's name, min, max or \"(\", "
            "got the end");
  EXPECT_EQ(Refusal("a b"), "character 3: expected an operator or the end, got \"b\"");
  EXPECT_EQ(Refusal("(a + 1"), "character 7: expected \")\", got the end");
  EXPECT_EQ(Refusal("sum(a, b)"), "character 1: there is no function sum; there are min and max");
  EXPECT_EQ(Refusal("a ? 1 : 2"), "character 1: expected a condition here");
  EXPECT_EQ(Refusal("a > 1"), "character 1: the formula is a condition; expected a number");
  EXPECT_EQ(Refusal("1 + (a > 2)"), "character 5: expected a number, got a condition");
  EXPECT_EQ(Refusal("a > 1 ? 2"), "character 10: expected \":\" of the condition, got the end");
  EXPECT_EQ(Refusal("a > 1 ? 2 : 3 > 4"),
            "character 1: one side of \":\" is a condition, the other "
            "not");
  EXPECT_EQ(Refusal("12ab"), "character 3: expected an operator after the number, got \"ab\"");
  EXPECT_EQ(Refusal("a % 2"), "character 3: expected an operator or the end, got \"% 2\"");
  EXPECT_THAT(Refusal("1e999"), HasSubstr("character 1: expected a number"));
}

TEST(FormulaTest, EveryBoundIsAnError) {
  EXPECT_THAT(Refusal(std::string(Formula::kLongest + 1, ' ')), HasSubstr("2049 bytes"));
  EXPECT_EQ(Refusal(std::string(60, '(') + "1" + std::string(60, ')')),
            "the formula is too large: it is nested more than 64 deep");
  EXPECT_EQ(Number(std::string(30, '(') + "1" + std::string(30, ')')), 1);
  EXPECT_THAT(Refusal(std::string(100, '-') + "1"), HasSubstr("nested"));
  std::string sum = "1";
  for (int i = 0; i < 300; ++i) sum += "+1";
  EXPECT_EQ(Refusal(sum), "the formula is too large: it has more than 512 operators and values");
  EXPECT_EQ(Number(sum.substr(0, 401)), 201);
}

}  // namespace
}  // namespace tidegate::sizing
