// The dependency table of the tree, and the tests that hold it. To let a folder use another one or
// a library, change its row here and say why in the commit; ARCHITECTURE.md has the table in words.
#include "tests/architecture/layering.h"

#include <gtest/gtest.h>

namespace tidegate::architecture {
namespace {

const std::vector<LayerRule> kDependencyTable = {
    // policies: arithmetic. A stage sees the stages before it.
    {"policies/base", {}, {"fmt"}},
    {"policies/signals", {"policies/base"}, {"fmt"}},
    {"policies/forecast", {"policies/base", "policies/signals"}, {"fmt", "eigen"}},
    {"policies/sizing",
     {"policies/base", "policies/signals", "policies/forecast"},
     {"fmt", "eigen"}},
    {"policies/guards",
     {"policies/base", "policies/signals", "policies/forecast", "policies/sizing"},
     {"fmt"}},
    {"policies", {"policies"}, {"fmt"}},

    // traces: loads, and the one HTTP stack.
    {"traces/format",
     {"policies/base", "policies/signals"},
     {"fmt", "boost.json", "protobuf", "zlib", "zstd", "posix"}},
    {"traces/generate", {"policies/base", "traces/format"}, {"fmt"}},
    {"traces/history", {"policies/base", "policies/signals", "traces/format"}, {"fmt"}},
    {"traces/net", {"policies/base"}, {"fmt", "boost.net", "openssl", "zlib", "posix"}},
    {"traces/import",
     {"policies/base", "policies/signals", "traces/format", "traces/net"},
     {"fmt", "boost.json"}},
    {"traces/cli",
     {"policies/base", "policies/signals", "traces"},
     {"fmt", "boost.json", "cli11", "posix"}},
    {"traces", {"traces/cli"}, {}},

    // scheduler: the pure pipeline, then what touches the world.
    {"scheduler/allocation", {"policies"}, {"fmt", "boost.graph"}},
    {"scheduler/rollout", {"policies", "scheduler/allocation"}, {"fmt"}},
    {"scheduler/decision", {"policies", "scheduler/allocation", "scheduler/rollout"}, {"fmt"}},
    {"scheduler/ports",
     {"policies", "scheduler/allocation", "scheduler/rollout", "scheduler/decision"},
     {"fmt"}},
    {"scheduler/loop",
     {"policies", "scheduler/rollout", "scheduler/decision", "scheduler/ports"},
     {"fmt"}},
    {"scheduler/journal",
     {"policies", "scheduler/allocation", "scheduler/rollout", "scheduler/decision",
      "scheduler/ports"},
     {"fmt", "boost.json", "protobuf"}},
    {"scheduler/config",
     {"policies", "scheduler/allocation", "scheduler/rollout", "scheduler/decision"},
     {"fmt", "yaml-cpp", "date", "posix"}},
    {"scheduler/metrics",
     {"policies", "scheduler/rollout", "scheduler/decision", "scheduler/ports", "scheduler/loop"},
     {"fmt"}},
    {"scheduler/telemetry",
     {"policies", "scheduler/rollout", "scheduler/decision", "scheduler/ports", "scheduler/loop",
      "scheduler/metrics"},
     {"fmt", "spdlog", "prometheus", "posix"}},
    {"scheduler/adapters",
     {"policies", "traces/format", "traces/net", "traces/import", "scheduler/allocation",
      "scheduler/rollout", "scheduler/decision", "scheduler/ports", "scheduler/journal",
      "scheduler/config", "scheduler/metrics", "scheduler/telemetry"},
     {"fmt", "spdlog", "boost.json", "sqlite", "openssl", "posix"}},
    {"scheduler/daemon",
     {"policies", "traces/net", "scheduler"},
     {"fmt", "spdlog", "prometheus", "boost.json", "cli11", "posix"}},
    {"scheduler", {"scheduler/daemon"}, {}},

    // sim: the world around the same loop. No adapters, telemetry or daemon, but for sim/history.
    {"sim/engine", {"policies/base", "traces/generate", "scheduler/ports"}, {"fmt"}},
    {"sim/world",
     {"policies", "traces/format", "traces/generate", "scheduler/allocation", "scheduler/rollout",
      "sim/engine"},
     {"fmt"}},
    {"sim/ports",
     {"policies", "scheduler/allocation", "scheduler/rollout", "scheduler/decision",
      "scheduler/ports", "sim/engine", "sim/world"},
     {"fmt"}},
    {"sim/faults",
     {"policies", "scheduler/rollout", "scheduler/ports", "sim/engine", "sim/world"},
     {"fmt"}},
    {"sim/checks",
     {"policies", "scheduler/rollout", "scheduler/decision", "scheduler/ports", "sim/engine",
      "sim/world"},
     {"fmt"}},
    {"sim/report",
     {"policies", "traces/format", "scheduler/rollout", "scheduler/decision", "scheduler/journal",
      "scheduler/metrics", "sim/engine", "sim/world", "sim/checks"},
     {"fmt", "boost.json", "boost.math"}},
    // The one part of sim that asks a live system: for the past, never for a decision.
    {"sim/history",
     {"policies", "traces/format", "traces/history", "traces/import", "scheduler/config",
      "scheduler/adapters/prometheus", "scheduler/adapters/system_clock.h"},
     {"fmt"}},
    {"sim/runner",
     {"policies", "traces/format", "traces/generate", "traces/history", "scheduler/allocation",
      "scheduler/rollout", "scheduler/decision", "scheduler/ports", "scheduler/loop",
      "scheduler/journal", "scheduler/config", "scheduler/metrics", "sim"},
     {"fmt", "boost.json", "cli11", "posix"}},
    {"sim", {"sim/runner"}, {}},

    // tests: see everything.
    {"tests",
     {"policies", "traces", "scheduler", "sim"},
     {"fmt", "gtest", "rapidcheck", "benchmark", "boost.json", "boost.net", "openssl", "spdlog",
      "prometheus", "sqlite", "zlib", "zstd", "protobuf", "yaml-cpp", "cli11", "eigen", "posix"}},
};

std::vector<Violation> Check(std::string path, std::string text) {
  return CheckIncludes(kDependencyTable, {std::move(path), std::move(text)});
}

TEST(LayeringTest, EveryIncludeIsInTheDependencyTable) {
  std::vector<Violation> all;
  for (const SourceFile& file : CppFiles(LoadTree(TIDEGATE_SOURCE_DIR))) {
    const auto found = CheckIncludes(kDependencyTable, file);
    all.insert(all.end(), found.begin(), found.end());
  }
  EXPECT_TRUE(all.empty()) << Describe(all);
}

TEST(LayeringTest, RejectsAnUpwardInclude) {
  const auto found = Check("policies/guards/bounds.cc", "\n#include \"scheduler/loop/x.h\"\n");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].line, 2);
  EXPECT_EQ(found[0].message, "policies/guards may not include scheduler/loop/x.h");
}

TEST(LayeringTest, CatchesAnUpwardIncludePlantedInAnyFileOfThePolicies) {
  int planted = 0;
  for (SourceFile file : CppFiles(LoadTree(TIDEGATE_SOURCE_DIR))) {
    if (!IsBelow(file.path, "policies")) continue;
    const std::size_t before = CheckIncludes(kDependencyTable, file).size();
    file.text = "#include \"scheduler/ports/clock.h\"\n" + file.text;
    EXPECT_EQ(CheckIncludes(kDependencyTable, file).size(), before + 1) << file.path;
    ++planted;
  }
  EXPECT_GE(planted, 10);
}

TEST(LayeringTest, RejectsALaterStage) {
  EXPECT_EQ(Check("policies/signals/a.h", "#include \"policies/sizing/b.h\"\n").size(), 1u);
  EXPECT_EQ(Check("policies/sizing/a.h", "#include \"policies/signals/b.h\"\n").size(), 0u);
}

TEST(LayeringTest, RejectsTheSimulatorReachingForAnAdapter) {
  EXPECT_EQ(Check("sim/runner/a.cc", "#include \"scheduler/adapters/b.h\"\n").size(), 1u);
  EXPECT_EQ(Check("sim/runner/a.cc", "#include \"traces/net/http.h\"\n").size(), 1u);
  EXPECT_EQ(Check("sim/world/a.cc", "#include \"sim/history/pool_history.h\"\n").size(), 1u);
  EXPECT_EQ(Check("sim/history/a.cc", "#include \"scheduler/adapters/journal/b.h\"\n").size(), 1u);
  EXPECT_EQ(Check("sim/history/a.cc", "#include \"scheduler/adapters/prometheus/b.h\"\n").size(),
            0u);
}

TEST(LayeringTest, RejectsThirdPartyHeadersInOurHeaders) {
  EXPECT_EQ(Check("scheduler/config/a.h", "#include <yaml-cpp/yaml.h>\n").size(), 1u);
  EXPECT_EQ(Check("scheduler/config/a.cc", "#include <yaml-cpp/yaml.h>\n").size(), 0u);
}

TEST(LayeringTest, AllowsTlExpectedInExactlyOneFile) {
  EXPECT_EQ(Check("policies/base/expected.h", "#include <tl/expected.hpp>\n").size(), 0u);
  EXPECT_EQ(Check("policies/base/instant.h", "#include <tl/expected.hpp>\n").size(), 1u);
  EXPECT_EQ(Check("policies/base/instant.cc", "#include <tl/expected.hpp>\n").size(), 1u);
}

TEST(LayeringTest, RejectsALibraryThatTheFolderWasNotGranted) {
  EXPECT_EQ(Check("policies/sizing/a.cc", "#include <sys/socket.h>\n").size(), 1u);
  EXPECT_EQ(Check("sim/world/a.cc", "#include <spdlog/spdlog.h>\n").size(), 1u);
  EXPECT_EQ(Check("scheduler/config/a.cc", "#include \"scheduler/journal/x.pb.h\"\n").size(), 1u);
}

TEST(LayeringTest, RejectsUnknownLibrariesAndRelativePaths) {
  EXPECT_EQ(Check("policies/base/a.cc", "#include <nlohmann/json.hpp>\n").size(), 1u);
  EXPECT_EQ(Check("policies/base/a.cc", "#include \"units.h\"\n").size(), 1u);
  EXPECT_EQ(Check("policies/base/a.cc", "#include \"../base/units.h\"\n").size(), 1u);
}

TEST(LayeringTest, RejectsAFolderWithoutARow) { EXPECT_EQ(Check("plugins/a.cc", "").size(), 1u); }

TEST(LayeringTest, IgnoresIncludesInComments) {
  EXPECT_EQ(Check("policies/base/a.cc", "// #include \"sim/engine/x.h\"\n").size(), 0u);
  EXPECT_EQ(Check("policies/base/a.cc", "/*\n#include \"sim/engine/x.h\"\n*/\n").size(), 0u);
}

TEST(LayeringTest, KnowsTheStandardLibraryFromTheRest) {
  EXPECT_EQ(LibraryOf("vector"), "std");
  EXPECT_EQ(LibraryOf("unistd.h"), "posix");
  EXPECT_EQ(LibraryOf("boost/beast/http.hpp"), "boost.net");
  EXPECT_EQ(LibraryOf("boost/algorithm/string.hpp"), "");
}

}  // namespace
}  // namespace tidegate::architecture
