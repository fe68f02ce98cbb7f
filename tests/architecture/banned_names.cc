#include "tests/architecture/banned_names.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace tidegate::architecture {
namespace {

bool IsWordByte(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::size_t WordEnd(std::string_view code, std::size_t at) {
  while (at < code.size() && IsWordByte(code[at])) ++at;
  return at;
}

std::size_t SkipBlanks(std::string_view code, std::size_t at) {
  while (at < code.size() && std::isspace(static_cast<unsigned char>(code[at])) != 0) ++at;
  return at;
}

bool EndsOwnMember(std::string_view before) {
  return before.ends_with('.') || before.ends_with("->");
}

// time(nullptr) calls the C library; `Instant time() const` and `At(time)` do not.
bool IsFreeCall(std::string_view code, std::size_t begin, std::size_t end) {
  if (EndsOwnMember(code.substr(0, begin))) return false;
  const std::size_t open = SkipBlanks(code, end);
  if (open >= code.size() || code[open] != '(') return false;
  const std::size_t argument = SkipBlanks(code, open + 1);
  const std::string_view before = code.substr(0, begin);
  const bool qualified = before.ends_with("std::") || before.ends_with("::");
  const bool declaration = argument < code.size() && code[argument] == ')' && !qualified &&
                           begin > 0 && code[begin - 1] == ' ' && begin > 1 &&
                           IsWordByte(code[begin - 2]);
  return !declaration;
}

bool IsAllowed(const BanRule& rule, std::string_view path) {
  const std::string_view stem = path.substr(0, path.rfind('.'));
  return std::any_of(rule.except.begin(), rule.except.end(), [&](std::string_view except) {
    return IsBelow(path, except) || stem == except;
  });
}

bool Applies(const BanRule& rule, std::string_view path) {
  return std::any_of(rule.folders.begin(), rule.folders.end(),
                     [&](std::string_view folder) { return IsBelow(path, folder); }) &&
         !IsAllowed(rule, path);
}

void CheckRule(const BanRule& rule, const SourceFile& file, std::string_view code,
               std::vector<Violation>& out) {
  for (std::size_t at = 0; at < code.size();) {
    if (!IsWordByte(code[at])) {
      ++at;
      continue;
    }
    for (const BannedName& name : rule.names) {
      if (!IsUse(code, at, name)) continue;
      out.push_back({file.path, LineAt(code, at),
                     fmt::format("{}: {}", code.substr(at, WordEnd(code, at) - at), rule.reason)});
      break;
    }
    at = WordEnd(code, at);
  }
}

}  // namespace

bool IsUse(std::string_view code, std::size_t offset, const BannedName& name) {
  const std::size_t end = WordEnd(code, offset);
  const std::string_view word = code.substr(offset, end - offset);
  switch (name.form) {
    case NameForm::kWord: return word == name.name;
    case NameForm::kCall: return word == name.name && IsFreeCall(code, offset, end);
    case NameForm::kPrefix: return word.starts_with(name.name);
    case NameForm::kSuffix: return word.ends_with(name.name);
  }
  return false;
}

std::vector<Violation> CheckNames(const std::vector<BanRule>& rules, const SourceFile& file) {
  std::vector<Violation> violations;
  const std::string code = StripComments(file.text, Literals::kBlank);
  for (const BanRule& rule : rules) {
    if (Applies(rule, file.path)) CheckRule(rule, file, code, violations);
  }
  return violations;
}

}  // namespace tidegate::architecture
