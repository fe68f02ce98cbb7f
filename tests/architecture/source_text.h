#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate::architecture {

// One file of the tree. `path` is relative to the root, with forward slashes.
struct SourceFile {
  std::string path;
  std::string text;
};

// A rule broken at a place. `line` counts from 1; 0 means the file as a whole.
struct Violation {
  std::string path;
  int line = 0;
  std::string message;
  bool operator==(const Violation&) const = default;
};

// "path:line: message", one a line: what a failing test prints.
std::string Describe(const std::vector<Violation>& violations);

enum class Literals { kKeep, kBlank };

// The text with comments turned into blanks, and with kBlank also what stands inside string and
// character literals. Line breaks stay, so offsets and line numbers do too. Knows raw strings and
// digit separators (100'000).
std::string StripComments(std::string_view text, Literals literals);

// The file's lines, without their line breaks.
std::vector<std::string_view> Lines(std::string_view text);

// 1 for the first line. Precondition: offset <= text.size().
int LineAt(std::string_view text, std::size_t offset);

bool IsHeader(std::string_view path);  // .h
bool IsSource(std::string_view path);  // .cc

// True where `path` is `folder` itself or lies below it: "a/b" holds "a/b/c.h" and not "a/bc.h".
bool IsBelow(std::string_view path, std::string_view folder);

// "scheduler/loop" for "scheduler/loop/control_loop.h"; "" for a file in the root.
std::string_view FolderOf(std::string_view path);

// Every text file that belongs to the tree, sorted by path. Build output, version control, and
// folders and files that an editor hides behind a dot are left out, except ours (.ci, .cmake).
std::vector<SourceFile> LoadTree(const std::filesystem::path& root);

// Only the C++ of a tree.
std::vector<SourceFile> CppFiles(const std::vector<SourceFile>& tree);

}  // namespace tidegate::architecture
