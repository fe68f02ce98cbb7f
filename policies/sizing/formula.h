#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/expected.h"

namespace tidegate::sizing {

// A formula over named signals, as KEDA's scalingModifiers have one: "(a + b) / 2",
// "max(queue, rps ?? 0) * 1.5", "inflight > 100 ? rps : rps / 2". From what binds least to what
// binds most:
//
//   condition ? a : b     to the right
//   || or    && and
//   == != < <= > >=       of numbers; == and != of nil too
//   + -      * /
//   ! - +                 before a value
//   ??                    the right one, which may have signs, where the left one is nil
//   number, name, nil, true, false, (...), min(a, ...), max(a, ...)
//
// The precedences are those of expr, KEDA's library (`??` before everything: `a ?? 0 + b` is
// `(a ?? 0) + b`, which expr wants to see in parentheses). Numbers are doubles. A name is a letter
// or "_" and letters, digits and "_" after it. Of expr's language the rest (strings, lists, ranges,
// %, **, other functions) is refused.
class Formula {
 public:
  // What it comes to. A signal that is nil makes nil of nothing but itself: calculating with it
  // fails, as it does in expr, unless `??` or a condition keeps it away.
  struct Result {
    enum class Kind { kNumber, kNil, kFailed };
    Kind kind = Kind::kNil;
    double number = 0;     // finite
    std::string_view why;  // it failed
  };

  static constexpr std::size_t kLongest = 2'048;  // bytes
  static constexpr std::size_t kMostNodes = 512;  // operators, functions and values
  static constexpr int kDeepest = 64;             // parentheses count 2, conditions and signs 1

  // kInvalid names the character, counted from 1, and what was expected there; kTooLarge where a
  // bound above is exceeded. The result of a formula is a number.
  static Expected<Formula> Parse(std::string_view text);

  // The names in it, each once, in the order in which they appear.
  const std::vector<std::string>& names() const { return names_; }
  // `values` are those of names(), unset: nil. Dividing by 0 fails, and so does what is not finite.
  Result Evaluate(std::span<const std::optional<double>> values) const;

 private:
  friend class FormulaParser;
  enum class Op : std::uint8_t {
    kNumber,
    kName,
    kNil,
    kPlus,
    kMinus,
    kTimes,
    kDivide,
    kNegate,
    kMin,
    kMax,
    kOrElse,
    kIf,
    kEqual,
    kUnequal,
    kLess,
    kAtMost,
    kMore,
    kAtLeast,
    kAnd,
    kOr,
    kNot,
  };
  struct Node {
    Op op = Op::kNil;
    double number = 0;                  // of kNumber; of truths 0 and 1
    std::uint32_t a = 0, b = 0, c = 0;  // operands; of kName: index in names_
  };
  Result At(std::uint32_t node, std::span<const std::optional<double>> values) const;
  Result Calculate(const Node& node, double a, double b) const;
  Result Compare(const Node& node, const Result& a, const Result& b) const;

  std::vector<Node> nodes_;  // operands before what uses them; the last one is the result
  std::vector<std::string> names_;
};

}  // namespace tidegate::sizing
