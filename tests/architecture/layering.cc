#include "tests/architecture/layering.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace tidegate::architecture {
namespace {

using Prefix = std::pair<std::string_view, std::string_view>;

// First match wins.
constexpr std::array<Prefix, 27> kThirdParty = {{
    {"boost/asio", "boost.net"},
    {"boost/beast", "boost.net"},
    {"boost/system", "boost.net"},
    {"boost/json", "boost.json"},
    {"boost/math", "boost.math"},
    {"boost/graph", "boost.graph"},
    {"boost/pending", "boost.graph"},
    {"openssl/", "openssl"},
    {"fmt/", "fmt"},
    {"spdlog/", "spdlog"},
    {"yaml-cpp/", "yaml-cpp"},
    {"google/protobuf", "protobuf"},
    {"sqlite3.h", "sqlite"},
    {"prometheus/", "prometheus"},
    {"CLI/", "cli11"},
    {"Eigen/", "eigen"},
    {"tl/expected.hpp", "expected"},
    {"gtest/", "gtest"},
    {"gmock/", "gtest"},
    {"rapidcheck", "rapidcheck"},
    {"benchmark/", "benchmark"},
    {"date/", "date"},
    {"zlib.h", "zlib"},
    {"zstd.h", "zstd"},
    {"sys/", "posix"},
    {"arpa/", "posix"},
    {"netinet/", "posix"},
}};

constexpr std::array<std::string_view, 17> kPosix = {
    "unistd.h", "fcntl.h",   "poll.h",    "signal.h",      "spawn.h", "dirent.h",
    "netdb.h",  "pthread.h", "sched.h",   "termios.h",     "time.h",  "errno.h",
    "pwd.h",    "glob.h",    "ifaddrs.h", "linux/sched.h", "malloc.h"};

bool IsStandard(std::string_view target) {
  return target.find_first_of("./") == std::string_view::npos;
}

bool Grants(const std::vector<std::string_view>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

bool MayInclude(const LayerRule& rule, const std::vector<LayerRule>& table,
                std::string_view target) {
  const LayerRule* other = RuleFor(table, target);
  if (other == &rule) return true;
  return std::any_of(rule.may_include.begin(), rule.may_include.end(),
                     [&](std::string_view folder) { return IsBelow(target, folder); });
}

std::string CheckLibrary(const LayerRule& rule, const SourceFile& file, const Include& include) {
  const std::string_view library = LibraryOf(include.target);
  if (library.empty()) {
    return fmt::format("<{}> belongs to no library that tests/architecture/layering.cc knows",
                       include.target);
  }
  if (library == "std") return "";
  const bool in_tests = IsBelow(file.path, "tests");
  // Everything that can fail returns an Expected, so this one header is everywhere.
  if (library == "expected" && file.path == "policies/base/expected.h") return "";
  if (IsHeader(file.path) && !in_tests) {
    return fmt::format("<{}> ({}) in a header: third-party and system headers stay in .cc files",
                       include.target, library);
  }
  if (!Grants(rule.libraries, library)) {
    return fmt::format("{} may not use {} (<{}>)", rule.folder, library, include.target);
  }
  return "";
}

std::string CheckOurs(const LayerRule& rule, const std::vector<LayerRule>& table,
                      const Include& include) {
  if (include.target.ends_with(".pb.h")) {
    return Grants(rule.libraries, "protobuf")
               ? ""
               : fmt::format("{} may not use protobuf (\"{}\")", rule.folder, include.target);
  }
  if (RuleFor(table, include.target) == nullptr) {
    return fmt::format("\"{}\" is not written from the root of the tree", include.target);
  }
  if (!MayInclude(rule, table, include.target)) {
    return fmt::format("{} may not include {}", rule.folder, include.target);
  }
  return "";
}

}  // namespace

std::vector<Include> IncludesOf(std::string_view text) {
  const std::string code = StripComments(text, Literals::kKeep);
  std::vector<Include> includes;
  int line_number = 0;
  for (std::string_view line : Lines(code)) {
    ++line_number;
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (!line.starts_with("#")) continue;
    line.remove_prefix(std::min(line.find_first_not_of(" \t", 1), line.size()));
    if (!line.starts_with("include")) continue;
    const std::size_t open = line.find_first_of("<\"");
    if (open == std::string_view::npos) continue;
    const std::size_t close = line.find_first_of(">\"", open + 1);
    if (close == std::string_view::npos) continue;
    includes.push_back(
        {std::string(line.substr(open + 1, close - open - 1)), line[open] == '"', line_number});
  }
  return includes;
}

std::string_view LibraryOf(std::string_view target) {
  if (IsStandard(target)) return "std";
  for (const auto& [prefix, library] : kThirdParty) {
    if (target.starts_with(prefix)) return library;
  }
  if (std::find(kPosix.begin(), kPosix.end(), target) != kPosix.end()) return "posix";
  return "";
}

const LayerRule* RuleFor(const std::vector<LayerRule>& table, std::string_view path) {
  const LayerRule* best = nullptr;
  for (const LayerRule& rule : table) {
    if (!IsBelow(path, rule.folder)) continue;
    if (best == nullptr || rule.folder.size() > best->folder.size()) best = &rule;
  }
  return best;
}

std::vector<Violation> CheckIncludes(const std::vector<LayerRule>& table, const SourceFile& file) {
  const LayerRule* rule = RuleFor(table, file.path);
  if (rule == nullptr) {
    return {{file.path, 0, "no row of the dependency table holds this folder"}};
  }
  std::vector<Violation> violations;
  for (const Include& include : IncludesOf(file.text)) {
    std::string message =
        include.quoted ? CheckOurs(*rule, table, include) : CheckLibrary(*rule, file, include);
    if (!message.empty()) violations.push_back({file.path, include.line, std::move(message)});
  }
  return violations;
}

}  // namespace tidegate::architecture
