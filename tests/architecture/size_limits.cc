#include "tests/architecture/size_limits.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace tidegate::architecture {
namespace {

enum class Scope { kNamespace, kType, kFunction, kOther };

std::string_view Trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

// "template <...>" in front of a head says nothing about what the head is.
std::string_view WithoutTemplate(std::string_view head) {
  head = Trim(head);
  while (head.starts_with("template")) {
    int depth = 0;
    std::size_t at = head.find('<');
    for (; at < head.size(); ++at) {
      depth += head[at] == '<' ? 1 : head[at] == '>' ? -1 : 0;
      if (depth == 0) break;
    }
    if (at >= head.size()) return {};
    head = Trim(head.substr(at + 1));
  }
  return head;
}

Scope Classify(std::string_view head, Scope around) {
  if (around == Scope::kFunction || around == Scope::kOther) return Scope::kOther;
  head = WithoutTemplate(head);
  if (head.starts_with("namespace") || head.starts_with("inline namespace") ||
      head.starts_with("extern \"")) {
    return Scope::kNamespace;
  }
  for (const std::string_view keyword : {"class ", "struct ", "union ", "enum "}) {
    if (head.starts_with(keyword)) return Scope::kType;
  }
  return head.find('(') != std::string_view::npos ? Scope::kFunction : Scope::kOther;
}

std::string OnOneLine(std::string_view head) {
  std::string out;
  for (const char c : Trim(head)) {
    const bool blank = std::isspace(static_cast<unsigned char>(c)) != 0;
    if (!blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  return out.substr(0, 80);
}

// Preprocessor lines hold braces of macros; they are not part of any function's text.
std::string WithoutDirectives(std::string code) {
  bool continued = false;
  for (std::size_t at = 0; at < code.size();) {
    const std::size_t end = std::min(code.find('\n', at), code.size());
    const std::size_t first = code.find_first_not_of(" \t", at);
    const bool directive = continued || (first < end && code[first] == '#');
    continued = directive && end > at && code[end - 1] == '\\';
    if (directive) code.replace(at, end - at, end - at, ' ');
    at = end + 1;
  }
  return code;
}

class Finder {
 public:
  explicit Finder(std::string_view text)
      : code_(WithoutDirectives(StripComments(text, Literals::kBlank))) {}

  std::vector<Function> Run() {
    for (at_ = 0; at_ < code_.size(); ++at_) {
      const char c = code_[at_];
      if (c == '{') Open();
      if (c == '}') Close();
      if (c == ';' || c == '{' || c == '}') head_ = at_ + 1;
    }
    return std::move(functions_);
  }

 private:
  struct OpenBrace {
    Scope scope;
    std::string head;
    int line;
  };

  void Open() {
    const std::string_view head = std::string_view(code_).substr(head_, at_ - head_);
    const Scope around = open_.empty() ? Scope::kNamespace : open_.back().scope;
    const std::size_t first = code_.find_first_not_of(" \t\n", head_);
    open_.push_back({Classify(head, around), OnOneLine(head), LineAt(code_, first)});
  }

  void Close() {
    if (open_.empty()) return;
    if (open_.back().scope == Scope::kFunction) {
      const int first = open_.back().line;
      functions_.push_back({open_.back().head, first, LineAt(code_, at_) - first + 1});
    }
    open_.pop_back();
  }

  std::string code_;
  std::size_t at_ = 0;
  std::size_t head_ = 0;
  std::vector<OpenBrace> open_;
  std::vector<Function> functions_;
};

}  // namespace

std::vector<Function> FunctionsOf(std::string_view text) { return Finder(text).Run(); }

std::vector<Violation> CheckSizes(const SourceFile& file) {
  std::vector<Violation> violations;
  const auto lines = static_cast<int>(Lines(file.text).size());
  if (lines > kMaxFileLines) {
    violations.push_back({file.path, 0, fmt::format("{} lines; at most {}", lines, kMaxFileLines)});
  }
  for (const Function& f : FunctionsOf(file.text)) {
    if (f.lines <= kMaxFunctionLines) continue;
    violations.push_back({file.path, f.first_line,
                          fmt::format("{} lines in one function; at most {}: {}", f.lines,
                                      kMaxFunctionLines, f.head)});
  }
  return violations;
}

}  // namespace tidegate::architecture
