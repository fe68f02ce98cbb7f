#include "tests/architecture/source_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

namespace tidegate::architecture {
namespace {

// Walks over one file. Each Skip* member starts at the first byte of its construct, blanks what it
// has to and leaves the position behind the last byte.
class Stripper {
 public:
  Stripper(std::string_view text, Literals literals) : out_(text), literals_(literals) {}

  std::string Run() {
    while (at_ < out_.size()) Next();
    return std::move(out_);
  }

 private:
  void Next() {
    if (Starts("//")) return SkipUntil("\n", /*take_end=*/false, /*blank=*/true);
    if (Starts("/*")) return SkipUntil("*/", /*take_end=*/true, /*blank=*/true);
    const char c = out_[at_];
    if (c == '"' && at_ > 0 && out_[at_ - 1] == 'R') return SkipRawString();
    if (c == '"') return SkipQuoted('"');
    if (c == '\'' && !IsDigitSeparator()) return SkipQuoted('\'');
    ++at_;
  }

  bool Starts(std::string_view prefix) const {
    return std::string_view(out_).substr(at_, prefix.size()) == prefix;
  }

  bool IsDigitSeparator() const {
    return at_ > 0 && at_ + 1 < out_.size() &&
           std::isxdigit(static_cast<unsigned char>(out_[at_ - 1])) != 0 &&
           std::isxdigit(static_cast<unsigned char>(out_[at_ + 1])) != 0;
  }

  void Blank(std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) {
      if (out_[i] != '\n') out_[i] = ' ';
    }
  }

  void SkipUntil(std::string_view end, bool take_end, bool blank) {
    const std::size_t from = at_;
    const std::size_t found = out_.find(end, at_ + 2);
    at_ = found == std::string::npos ? out_.size() : found + (take_end ? end.size() : 0);
    if (blank) Blank(from, at_);
  }

  void SkipQuoted(char quote) {
    const std::size_t from = ++at_;
    while (at_ < out_.size() && out_[at_] != quote && out_[at_] != '\n') {
      at_ += out_[at_] == '\\' ? 2U : 1U;
    }
    at_ = std::min(at_, out_.size());
    if (literals_ == Literals::kBlank) Blank(from, at_);
    if (at_ < out_.size()) ++at_;
  }

  void SkipRawString() {
    const std::size_t open = out_.find('(', at_);
    if (open == std::string::npos) {
      at_ = out_.size();
      return;
    }
    const std::string close = ")" + out_.substr(at_ + 1, open - at_ - 1) + "\"";
    const std::size_t end = out_.find(close, open);
    const std::size_t stop = end == std::string::npos ? out_.size() : end;
    if (literals_ == Literals::kBlank) Blank(open + 1, stop);
    at_ = std::min(stop + close.size(), out_.size());
  }

  std::string out_;
  Literals literals_;
  std::size_t at_ = 0;
};

bool IsTextFile(const std::filesystem::path& path) {
  static constexpr std::array<std::string_view, 19> kExtensions = {
      ".h",   ".cc",   ".proto", ".md",   ".txt",   ".cmake", ".yaml", ".yml", ".json",   ".py",
      ".csv", ".toml", ".cfg",   ".html", ".rules", ".css",   ".js",   ".sh",  ".jsonnet"};
  const std::string extension = path.extension().string();
  return extension.empty() ||
         std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

bool BelongsToTree(const std::filesystem::directory_entry& entry) {
  const std::string name = entry.path().filename().string();
  if (entry.is_directory()) {
    return name == ".ci" || name == ".cmake" ||
           (name.front() != '.' && name != "build" && name != "out");
  }
  return name.front() != '.' && IsTextFile(entry.path());
}

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

}  // namespace

std::string Describe(const std::vector<Violation>& violations) {
  std::string out;
  for (const Violation& v : violations) {
    out += v.line > 0 ? fmt::format("{}:{}: {}\n", v.path, v.line, v.message)
                      : fmt::format("{}: {}\n", v.path, v.message);
  }
  return out;
}

std::string StripComments(std::string_view text, Literals literals) {
  return Stripper(text, literals).Run();
}

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return lines;
}

int LineAt(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  return 1 + static_cast<int>(std::count(before.begin(), before.end(), '\n'));
}

bool IsHeader(std::string_view path) { return path.ends_with(".h"); }
bool IsSource(std::string_view path) { return path.ends_with(".cc"); }

bool IsBelow(std::string_view path, std::string_view folder) {
  return path == folder || (path.size() > folder.size() &&
                            path.substr(0, folder.size()) == folder && path[folder.size()] == '/');
}

std::string_view FolderOf(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::vector<SourceFile> LoadTree(const std::filesystem::path& root) {
  std::vector<SourceFile> tree;
  for (auto it = std::filesystem::recursive_directory_iterator(root);
       it != std::filesystem::recursive_directory_iterator(); ++it) {
    if (!BelongsToTree(*it)) {
      if (it->is_directory()) it.disable_recursion_pending();
      continue;
    }
    if (it->is_regular_file()) {
      tree.push_back(
          {std::filesystem::relative(it->path(), root).generic_string(), ReadAll(it->path())});
    }
  }
  std::sort(tree.begin(), tree.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return tree;
}

std::vector<SourceFile> CppFiles(const std::vector<SourceFile>& tree) {
  std::vector<SourceFile> out;
  std::copy_if(tree.begin(), tree.end(), std::back_inserter(out),
               [](const SourceFile& f) { return IsHeader(f.path) || IsSource(f.path); });
  return out;
}

}  // namespace tidegate::architecture
