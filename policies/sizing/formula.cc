#include "policies/sizing/formula.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "policies/base/suggest.h"

namespace tidegate::sizing {
namespace {

using Result = Formula::Result;
using Kind = Result::Kind;

Result Number(double value) {
  if (std::isfinite(value)) return {Kind::kNumber, value, {}};
  return {Kind::kFailed, 0, "the result is not a finite number"};
}
Result Truth(bool value) { return {Kind::kNumber, value ? 1.0 : 0.0, {}}; }
constexpr Result kNothing{Kind::kNil, 0, {}};
constexpr Result kOfNil{Kind::kFailed, 0, "it calculates with a signal that has no value"};

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

// A recursive descent. Every rule returns the index of the node that it made; after a problem all
// of them return at once.
class FormulaParser {
 public:
  explicit FormulaParser(std::string_view text) : text_(text) {}

  Expected<Formula> Go() {
    if (text_.size() > Formula::kLongest) {
      return Fail(ErrorCode::kTooLarge, fmt::format("the formula has {} bytes, more than {}",
                                                    text_.size(), Formula::kLongest));
    }
    const Term result = Condition();
    SkipBlanks();
    if (!failed_ && at_ < text_.size()) Complain("an operator or the end");
    if (!failed_ && result.truth) ComplainAt(0, "the formula is a condition; expected a number");
    if (failed_) return Fail(code_, problem_);
    return std::move(formula_);
  }

 private:
  using Op = Formula::Op;
  struct Term {
    std::uint32_t node = 0;
    bool truth = false;  // a condition's; else a number
  };
  struct Binary {
    std::string_view sign;
    Op op;
    int level;
  };
  static constexpr int kCompare = 3;
  static constexpr std::array<Binary, 14> kBinaries{{{"||", Op::kOr, 1},
                                                     {"or", Op::kOr, 1},
                                                     {"&&", Op::kAnd, 2},
                                                     {"and", Op::kAnd, 2},
                                                     {"==", Op::kEqual, kCompare},
                                                     {"!=", Op::kUnequal, kCompare},
                                                     {"<=", Op::kAtMost, kCompare},
                                                     {">=", Op::kAtLeast, kCompare},
                                                     {"<", Op::kLess, kCompare},
                                                     {">", Op::kMore, kCompare},
                                                     {"+", Op::kPlus, 4},
                                                     {"-", Op::kMinus, 4},
                                                     {"*", Op::kTimes, 5},
                                                     {"/", Op::kDivide, 5}}};
  static constexpr int kUnary = 6;

  // One more level of nesting while it lives.
  class Deeper {
   public:
    explicit Deeper(FormulaParser& parser) : parser_(parser) {
      if (++parser_.depth_ > Formula::kDeepest) {
        parser_.TooLarge(fmt::format("it is nested more than {} deep", Formula::kDeepest));
      }
    }
    ~Deeper() { --parser_.depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;

   private:
    FormulaParser& parser_;
  };

  Term Condition() {
    const Deeper deeper(*this);
    if (failed_) return {};
    const std::size_t begin = Here();
    const Term condition = Operators(1);
    if (!Skip("?")) return condition;
    Want(condition, true, begin);
    const Term yes = Condition();
    if (!Skip(":")) Complain("\":\" of the condition");
    const Term no = Condition();
    if (yes.truth != no.truth) ComplainAt(begin, "one side of \":\" is a condition, the other not");
    return {Add({Op::kIf, 0, condition.node, yes.node, no.node}), yes.truth};
  }

  // Operators of `level` and those that bind more, from left to right.
  Term Operators(int level) {
    if (level == kUnary) return Unary();
    const std::size_t begin = Here();
    Term left = Operators(level + 1);
    while (const Binary* binary = NextBinary(level)) {
      const std::size_t middle = Here();
      const Term right = Operators(level + 1);
      const bool truths = level < kCompare;
      Want(left, truths, begin);
      Want(right, truths, middle);
      left = {Add({binary->op, 0, left.node, right.node}), level <= kCompare};
    }
    return left;
  }

  Term Unary() {
    const Deeper deeper(*this);
    if (failed_) return {};
    const std::size_t begin = Here();
    if (Skip("!") || SkipWord("not")) return {Add({Op::kNot, 0, Wanted(true, begin)}), true};
    if (Skip("-")) return {Add({Op::kNegate, 0, Wanted(false, begin)}), false};
    if (Skip("+")) return {Wanted(false, begin), false};
    return OrElse();
  }
  std::uint32_t Wanted(bool truth, std::size_t begin) {
    const Term term = Unary();
    Want(term, truth, begin);
    return term.node;
  }

  Term OrElse() {
    const std::size_t begin = Here();
    Term left = Value();
    while (Skip("??")) {
      const std::size_t middle = Here();
      const Term right = Signed();
      Want(left, false, begin);
      Want(right, false, middle);
      left = {Add({Op::kOrElse, 0, left.node, right.node}), false};
    }
    return left;
  }

  // A value with signs: `a ?? -1`.
  Term Signed() {
    const Deeper deeper(*this);
    if (failed_) return {};
    if (Skip("+")) return Signed();
    if (!Skip("-")) return Value();
    const std::size_t begin = Here();
    const Term term = Signed();
    Want(term, false, begin);
    return {Add({Op::kNegate, 0, term.node}), false};
  }

  Term Value() {
    if (failed_) return {};
    if (Skip("(")) {
      const Term inner = Condition();
      if (!Skip(")")) Complain("\")\"");
      return inner;
    }
    const char next = Here() < text_.size() ? text_[at_] : '\0';
    if (IsDigit(next) || next == '.') return Literal();
    if (IsLetter(next)) return Named();
    Complain("a number, a signal's name, min, max or \"(\"");
    return {};
  }

  Term Literal() {
    double value = 0;
    const char* begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error != std::errc{} || !std::isfinite(value)) {
      Complain("a number");
      return {};
    }
    at_ += static_cast<std::size_t>(end - begin);
    if (at_ < text_.size() && (IsLetter(text_[at_]) || IsDigit(text_[at_]) || text_[at_] == '.')) {
      Complain("an operator after the number");
    }
    return {Add({Op::kNumber, value}), false};
  }

  Term Named() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (IsLetter(text_[at_]) || IsDigit(text_[at_]))) ++at_;
    const std::string_view word = text_.substr(begin, at_ - begin);
    if (word == "nil") return {Add({}), false};
    if (word == "true" || word == "false") {
      return {Add({Op::kNumber, word == "true" ? 1.0 : 0.0}), true};
    }
    if (Skip("(")) return Function(word, begin);
    auto known = std::ranges::find(formula_.names_, word);
    if (known == formula_.names_.end()) {
      known = formula_.names_.insert(known, std::string(word));
    }
    return {Add({Op::kName, 0, static_cast<std::uint32_t>(known - formula_.names_.begin())}),
            false};
  }

  Term Function(std::string_view word, std::size_t begin) {
    if (word != "min" && word != "max") {
      ComplainAt(begin, fmt::format("there is no function {}; there are min and max",
                                    Printable(word, 40)));
      return {};
    }
    const Op op = word == "min" ? Op::kMin : Op::kMax;
    Term result = Argument();
    while (!failed_ && Skip(",")) result = {Add({op, 0, result.node, Argument().node}), false};
    if (!Skip(")")) Complain("\",\" or \")\"");
    return result;
  }
  Term Argument() {
    const std::size_t begin = Here();
    const Term term = Condition();
    Want(term, false, begin);
    return term;
  }

  const Binary* NextBinary(int level) {
    SkipBlanks();
    if (failed_) return nullptr;
    for (const Binary& binary : kBinaries) {
      const bool word = IsLetter(binary.sign[0]);
      if (binary.level == level && (word ? SkipWord(binary.sign) : Skip(binary.sign))) {
        return &binary;
      }
    }
    return nullptr;
  }

  std::uint32_t Add(Formula::Node node) {
    if (formula_.nodes_.size() >= Formula::kMostNodes) {
      TooLarge(fmt::format("it has more than {} operators and values", Formula::kMostNodes));
    } else {
      formula_.nodes_.push_back(node);
    }
    return static_cast<std::uint32_t>(formula_.nodes_.size() - 1);
  }

  std::size_t Here() {
    SkipBlanks();
    return at_;
  }
  void SkipBlanks() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != text_.npos) ++at_;
  }
  bool Skip(std::string_view sign) {
    SkipBlanks();
    if (failed_ || !text_.substr(at_).starts_with(sign)) return false;
    // "?" is not the beginning of "??", nor "!" of "!=".
    const std::string_view rest = text_.substr(at_ + sign.size());
    if ((sign == "?" && rest.starts_with('?')) || (sign == "!" && rest.starts_with('='))) {
      return false;
    }
    at_ += sign.size();
    return true;
  }
  bool SkipWord(std::string_view word) {
    SkipBlanks();
    const std::size_t end = at_ + word.size();
    if (failed_ || !text_.substr(at_).starts_with(word)) return false;
    if (end < text_.size() && (IsLetter(text_[end]) || IsDigit(text_[end]))) return false;
    at_ = end;
    return true;
  }

  void Want(const Term& term, bool truth, std::size_t at) {
    if (term.truth == truth) return;
    ComplainAt(at, truth ? "expected a condition here" : "expected a number, got a condition");
  }
  void Complain(std::string_view expected) {
    std::string got = at_ < text_.size() ? fmt::format("\"{}\"", Printable(text_.substr(at_), 20))
                                         : std::string("the end");
    ComplainAt(at_, fmt::format("expected {}, got {}", expected, got));
  }
  void ComplainAt(std::size_t at, std::string message) {
    if (!failed_) problem_ = fmt::format("character {}: {}", at + 1, message);
    failed_ = true;
  }
  void TooLarge(std::string message) {
    if (failed_) return;
    failed_ = true;
    code_ = ErrorCode::kTooLarge;
    problem_ = "the formula is too large: " + std::move(message);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool failed_ = false;
  ErrorCode code_ = ErrorCode::kInvalid;
  std::string problem_;
  Formula formula_;
};

Expected<Formula> Formula::Parse(std::string_view text) { return FormulaParser(text).Go(); }

Result Formula::Calculate(const Node& node, double a, double b) const {
  switch (node.op) {
    case Op::kPlus: return Number(a + b);
    case Op::kMinus: return Number(a - b);
    case Op::kTimes: return Number(a * b);
    case Op::kDivide: return b == 0 ? Result{Kind::kFailed, 0, "it divides by 0"} : Number(a / b);
    case Op::kMin: return Number(std::min(a, b));
    case Op::kMax: return Number(std::max(a, b));
    case Op::kLess: return Truth(a < b);
    case Op::kAtMost: return Truth(a <= b);
    case Op::kMore: return Truth(a > b);
    default: return Truth(a >= b);
  }
}

Result Formula::Compare(const Node& node, const Result& a, const Result& b) const {
  const bool equal = a.kind == b.kind && (a.kind == Kind::kNil || a.number == b.number);
  return Truth(equal == (node.op == Op::kEqual));
}

Result Formula::At(std::uint32_t index, std::span<const std::optional<double>> values) const {
  const Node& node = nodes_[index];
  if (node.op == Op::kNumber) return {Kind::kNumber, node.number, {}};
  if (node.op == Op::kNil) return kNothing;
  if (node.op == Op::kName) return values[node.a] ? Number(*values[node.a]) : kNothing;
  const Result a = At(node.a, values);
  if (a.kind == Kind::kFailed) return a;
  switch (node.op) {
    case Op::kOrElse: return a.kind == Kind::kNil ? At(node.b, values) : a;
    case Op::kIf: return At(a.number != 0 ? node.b : node.c, values);
    case Op::kAnd: return a.number != 0 ? At(node.b, values) : a;
    case Op::kOr: return a.number != 0 ? a : At(node.b, values);
    case Op::kNot: return Truth(a.number == 0);
    case Op::kNegate: return a.kind == Kind::kNil ? kOfNil : Number(-a.number);
    default: break;
  }
  const Result b = At(node.b, values);
  if (b.kind == Kind::kFailed) return b;
  if (node.op == Op::kEqual || node.op == Op::kUnequal) return Compare(node, a, b);
  if (a.kind == Kind::kNil || b.kind == Kind::kNil) return kOfNil;
  return Calculate(node, a.number, b.number);
}

Result Formula::Evaluate(std::span<const std::optional<double>> values) const {
  return At(static_cast<std::uint32_t>(nodes_.size() - 1), values);
}

}  // namespace tidegate::sizing
