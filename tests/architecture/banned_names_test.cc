// Names that would make a decision depend on anything but its inputs. One decision core runs in the
// daemon, in the simulator and in `decide`; a clock read or an unordered container in it would make
// the three disagree, and no replay would be worth anything.
#include "tests/architecture/banned_names.h"

#include <gtest/gtest.h>

namespace tidegate::architecture {
namespace {

const std::vector<std::string_view> kPureFolders = {
    "policies",       "scheduler/allocation", "scheduler/rollout", "scheduler/decision",
    "scheduler/loop", "scheduler/metrics",    "scheduler/ports",   "sim",
    "traces/format",  "traces/generate",      "traces/import",     "scheduler/config"};

const std::vector<BanRule> kRules = {
    {"only scheduler/adapters/system_clock reads the time of day; take an Instant",
     {{"system_clock"},
      {"high_resolution_clock"},
      {"utc_clock"},
      {"gettimeofday"},
      {"clock_gettime"},
      {"time", NameForm::kCall},
      {"localtime", NameForm::kPrefix},
      {"timespec_get"}},
     {"policies", "traces", "scheduler", "sim"},
     {"scheduler/adapters/system_clock",
      // The time stamp of a log line; nothing reads it back.
      "scheduler/telemetry/log"}},
    {"a steady clock is for deadlines and sleeping at the edge of the process",
     {{"steady_clock"}, {"steady_timer"}},
     {"policies", "traces", "scheduler", "sim"},
     {"scheduler/adapters", "scheduler/daemon", "traces/net", "traces/cli",
      // When a sweep will be done and when its file was synced; no run sees it.
      "sim/runner/progress", "sim/runner/results_writer"}},
    {"decisions take no entropy, environment or locale",
     {{"random_device"},
      {"rand", NameForm::kCall},
      {"srand", NameForm::kCall},
      {"getrandom"},
      {"getenv"},
      {"secure_getenv"},
      {"setlocale"},
      {"locale"},
      {"default_random_engine"},
      {"_distribution", NameForm::kSuffix}},
     kPureFolders,
     {// Which part of a sweep is this process's.
      "sim/runner/environment",
      // Jitter between tries.
      "traces/import/prometheus_client"}},
    {"random engines live in sim/engine, so that streams are ours and keep their order",
     {{"mt19937", NameForm::kPrefix}, {"minstd_rand", NameForm::kPrefix}},
     {"policies", "traces", "scheduler", "sim"},
     {"sim/engine"}},
    {"decision code starts no thread, takes no lock and never sleeps",
     {{"thread"},
      {"jthread"},
      {"this_thread"},
      {"thread_local"},
      {"mutex"},
      {"shared_mutex"},
      {"condition_variable"},
      {"async"},
      {"sleep_for"},
      {"sleep_until"},
      {"usleep"},
      {"nanosleep"},
      {"sleep", NameForm::kCall}},
     kPureFolders,
     // Many runs at once, each by itself on one thread.
     {"sim/runner/workers", "sim/runner/progress", "sim/runner/results_writer"}},
    {"decision code opens no file and starts no process",
     {{"fstream"},
      {"ifstream"},
      {"ofstream"},
      {"fopen"},
      {"popen"},
      {"filesystem"},
      {"system", NameForm::kCall}},
     kPureFolders,
     {"sim/runner", "scheduler/config", "traces/format"}},
    {"the order of unordered containers is not part of any input; use map, set or a sorted "
     "vector",
     {{"unordered_", NameForm::kPrefix}},
     kPureFolders,
     {}},
    {"wait on a condition with a deadline (tests/testing), not for a time",
     {{"usleep"}, {"nanosleep"}, {"sleep", NameForm::kCall}, {"sleep_for"}},
     {"tests"},
     {"tests/testing", "tests/bench"}},
};

std::vector<Violation> Check(std::string path, std::string text) {
  return CheckNames(kRules, {std::move(path), std::move(text)});
}

TEST(BannedNamesTest, DecisionsDependOnTheirInputsOnly) {
  std::vector<Violation> all;
  for (const SourceFile& file : CppFiles(LoadTree(TIDEGATE_SOURCE_DIR))) {
    const auto found = CheckNames(kRules, file);
    all.insert(all.end(), found.begin(), found.end());
  }
  EXPECT_TRUE(all.empty()) << Describe(all);
}

TEST(BannedNamesTest, CatchesAPlantedClockRead) {
  const auto found =
      Check("policies/guards/bounds.cc", "\n\nauto t = std::chrono::system_clock::now();\n");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].path, "policies/guards/bounds.cc");
  EXPECT_EQ(found[0].line, 3);
}

TEST(BannedNamesTest, CatchesAClockReadPlantedInAnyPureFile) {
  int planted = 0;
  for (SourceFile file : CppFiles(LoadTree(TIDEGATE_SOURCE_DIR))) {
    if (!IsBelow(file.path, "policies") && !IsBelow(file.path, "sim")) continue;
    const std::size_t before = CheckNames(kRules, file).size();
    file.text += "inline auto Planted() { return std::chrono::system_clock::now(); }\n";
    EXPECT_EQ(CheckNames(kRules, file).size(), before + 1) << file.path;
    ++planted;
  }
  EXPECT_GE(planted, 10);
}

TEST(BannedNamesTest, CatchesEachKindOfViolationInPureCode) {
  for (const char* code :
       {"std::chrono::steady_clock::now()", "time(nullptr)", "std::time(0)", "::time(&t)",
        "clock_gettime(CLOCK_REALTIME, &ts)", "std::random_device seed;", "rand()", "std::rand()",
        "std::mt19937_64 engine;", "getenv(\"HOME\")", "std::jthread t(f);", "std::mutex m;",
        "std::ifstream in(path);", "std::unordered_map<K, V> m;", "#include <unordered_set>",
        "std::exponential_distribution<double> d;", "std::this_thread::sleep_for(s);",
        "std::setlocale(LC_ALL, \"\");", "static thread_local int x;"}) {
    EXPECT_FALSE(Check("scheduler/decision/a.cc", std::string(code) + "\n").empty()) << code;
  }
}

TEST(BannedNamesTest, LeavesHarmlessNamesAlone) {
  for (const char* code :
       {"Instant time() const;", "sample.time(0)", "at->time(0)", "int strand(int);", "Drain(time)",
        "runtime(x)", "operand(1)", "// std::mutex\n", "/* time(nullptr) */", "\"system_clock\"",
        "const char* k = R\"(std::thread)\";", "int n = 1'000; char c = '\"'; int m = 2'000;"}) {
    EXPECT_EQ(Describe(Check("scheduler/decision/a.cc", std::string(code) + "\n")), "") << code;
  }
}

TEST(BannedNamesTest, OnlyTheSystemClockAdapterReadsTheTimeOfDay) {
  const std::string read = "std::chrono::system_clock::now();\n";
  EXPECT_EQ(Check("scheduler/adapters/system_clock.cc", read).size(), 0u);
  EXPECT_EQ(Check("scheduler/adapters/system_clock.h", read).size(), 0u);
  EXPECT_EQ(Check("scheduler/adapters/system_clock_extra.cc", read).size(), 1u);
  EXPECT_EQ(Check("scheduler/daemon/run.cc", read).size(), 1u);
  EXPECT_EQ(Check("traces/net/client.cc", read).size(), 1u);
}

TEST(BannedNamesTest, SteadyClocksStayAtTheEdge) {
  const std::string read = "std::chrono::steady_clock::now();\n";
  EXPECT_EQ(Check("traces/net/client.cc", read).size(), 0u);
  EXPECT_EQ(Check("scheduler/daemon/run.cc", read).size(), 0u);
  EXPECT_EQ(Check("scheduler/config/load.cc", read).size(), 1u);
  EXPECT_EQ(Check("sim/runner/run.cc", read).size(), 1u);
}

TEST(BannedNamesTest, RandomEnginesLiveInTheSimulatorsEngine) {
  EXPECT_EQ(Check("sim/engine/random.h", "std::mt19937_64 engine_;\n").size(), 0u);
  EXPECT_EQ(Check("sim/world/arrivals.h", "std::mt19937_64 engine_;\n").size(), 1u);
}

TEST(BannedNamesTest, TestsDoNotSleep) {
  EXPECT_EQ(Check("tests/unit/a/b_test.cc", "std::this_thread::sleep_for(1s);\n").size(), 1u);
}

}  // namespace
}  // namespace tidegate::architecture
