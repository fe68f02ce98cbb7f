#include "tests/architecture/size_limits.h"

#include <gtest/gtest.h>

namespace tidegate::architecture {
namespace {

std::string Repeat(std::string_view line, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += line;
  return out;
}

TEST(SizeLimitsTest, FilesAndFunctionsStaySmall) {
  std::vector<Violation> all;
  for (const SourceFile& file : CppFiles(LoadTree(TIDEGATE_SOURCE_DIR))) {
    const auto found = CheckSizes(file);
    all.insert(all.end(), found.begin(), found.end());
  }
  EXPECT_TRUE(all.empty()) << Describe(all);
}

TEST(SizeLimitsTest, RejectsAFileOfOneLineTooMany) {
  EXPECT_EQ(CheckSizes({"a.cc", Repeat("int x;\n", kMaxFileLines)}).size(), 0u);
  EXPECT_EQ(CheckSizes({"a.cc", Repeat("int x;\n", kMaxFileLines + 1)}).size(), 1u);
}

TEST(SizeLimitsTest, RejectsAFunctionOfOneLineTooMany) {
  const auto function = [](int lines) {
    return "namespace a {\nvoid F() {\n" + Repeat("  x();\n", lines - 2) + "}\n}\n";
  };
  EXPECT_EQ(CheckSizes({"a.cc", function(kMaxFunctionLines)}).size(), 0u);
  const auto found = CheckSizes({"a.cc", function(kMaxFunctionLines + 1)});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].line, 2);
}

TEST(SizeLimitsTest, FindsFreeFunctionsMembersAndTests) {
  const auto found = FunctionsOf(
      "namespace a {\n"
      "template <class T>\n"
      "T Max(T x, T y) {\n  if (x > y) {\n    return x;\n  }\n  return y;\n}\n"
      "class C {\n public:\n  int size() const { return n_; }\n private:\n  int n_ = 0;\n};\n"
      "TEST(A, B) {\n  auto f = [](int x) { return x; };\n}\n"
      "const std::vector<int> kTable = {\n  F(1),\n  {2},\n};\n"
      "}  // namespace a\n");
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].head, "template <class T> T Max(T x, T y)");
  EXPECT_EQ(found[0].lines, 7);
  EXPECT_EQ(found[1].head, "public: int size() const");
  EXPECT_EQ(found[2].head, "TEST(A, B)");
}

TEST(SizeLimitsTest, IgnoresBracesInTextAndDirectives) {
  const auto found = FunctionsOf(
      "void F() {\n  Log(\"{\");\n  // {\n  char c = '{';\n}\n"
      "#define OPEN \\\n  {\n"
      "void G() {}\n");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].lines, 5);
  EXPECT_EQ(found[1].lines, 1);
}

}  // namespace
}  // namespace tidegate::architecture
