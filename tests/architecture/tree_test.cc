#include "tests/architecture/tree.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace tidegate::architecture {
namespace {

const std::vector<std::string_view> kTopLevel = {"policies", "traces",     "scheduler",
                                                 "sim",      "dashboards", "tests"};

// Paths below the root that the build at hand compiles, sorted.
std::vector<std::string> CompiledSources() {
  const std::filesystem::path commands =
      std::filesystem::path(TIDEGATE_BINARY_DIR) / "compile_commands.json";
  std::ifstream in(commands, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::vector<std::string> paths;
  const boost::json::value parsed = boost::json::parse(text);
  for (const boost::json::value& entry : parsed.as_array()) {
    const std::string file(entry.as_object().at("file").as_string().c_str());
    paths.push_back(
        std::filesystem::path(file).lexically_relative(TIDEGATE_SOURCE_DIR).generic_string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

template <class CheckFile>
std::vector<Violation> CheckAll(const std::vector<SourceFile>& files, CheckFile check) {
  std::vector<Violation> all;
  for (const SourceFile& file : files) {
    const auto found = check(file);
    all.insert(all.end(), found.begin(), found.end());
  }
  return all;
}

TEST(TreeTest, HasTheFoldersOfTheDesignEachWithAReadme) {
  const auto found = CheckTopLevel(LoadTree(TIDEGATE_SOURCE_DIR), kTopLevel);
  EXPECT_TRUE(found.empty()) << Describe(found);
}

TEST(TreeTest, RejectsAnotherFolderAndAMissingReadme) {
  const std::vector<SourceFile> tree = {
      {"a/README.md", ""}, {"b/x.h", ""}, {"c/x.h", ""}, {".ci/run", ""}, {"Makefile", ""}};
  const auto found = CheckTopLevel(tree, {"a", "b"});
  ASSERT_EQ(found.size(), 2u) << Describe(found);
  EXPECT_EQ(found[0].path, "c");
  EXPECT_EQ(found[1].path, "b/README.md");
}

TEST(TreeTest, EverySourceBelongsToATarget) {
  const auto found = CheckEverySourceIsBuilt(LoadTree(TIDEGATE_SOURCE_DIR), CompiledSources());
  EXPECT_TRUE(found.empty()) << Describe(found);
}

TEST(TreeTest, RejectsASourceThatNothingCompiles) {
  const std::vector<SourceFile> tree = {
      {"policies/a.cc", ""},          {"policies/b.cc", ""},    {"policies/b.h", ""},
      {"tests/bench/a_bench.cc", ""}, {"tests/bench/a.cc", ""}, {"tests/fuzz/deep/a_fuzz.cc", ""}};
  const auto found = CheckEverySourceIsBuilt(tree, {"policies/a.cc"});
  ASSERT_EQ(found.size(), 3u) << Describe(found);
  EXPECT_EQ(found[0].path, "policies/b.cc");
  EXPECT_EQ(found[1].path, "tests/bench/a.cc");
  EXPECT_EQ(found[2].path, "tests/fuzz/deep/a_fuzz.cc");
}

TEST(TreeTest, LeavesNothingForLater) {
  const auto found = CheckAll(LoadTree(TIDEGATE_SOURCE_DIR), CheckMarkers);
  EXPECT_TRUE(found.empty()) << Describe(found);
}

TEST(TreeTest, FindsMarkersAsWholeWords) {
  const std::string marker = std::string("TO") + "DO";
  EXPECT_EQ(CheckMarkers({"a.cc", "x\n// " + marker + ": later\n"}).size(), 1u);
  EXPECT_EQ(CheckMarkers({"a.md", "mktemp /tmp/a.XXXXXX\n"}).size(), 0u);
}

TEST(TreeTest, HeadersAreIncludedOnce) {
  const auto found = CheckAll(CppFiles(LoadTree(TIDEGATE_SOURCE_DIR)), CheckGuards);
  EXPECT_TRUE(found.empty()) << Describe(found);
}

TEST(TreeTest, RejectsAHeaderWithoutPragmaOnce) {
  EXPECT_EQ(CheckGuards({"a.h", "// Words.\n#pragma once\n"}).size(), 0u);
  EXPECT_EQ(CheckGuards({"a.h", "#include <vector>\n"}).size(), 1u);
  EXPECT_EQ(CheckGuards({"a.cc", "#include <vector>\n"}).size(), 0u);
}

}  // namespace
}  // namespace tidegate::architecture
