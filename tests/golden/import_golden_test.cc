// `tidetrace import` of a log as a whole: the trace and the report. The folder import/ holds the
// log and, for each way to import it, what comes out.
//
// After a change that is meant: TIDEGATE_UPDATE_GOLDEN=1 build/dev/tests/golden_test, then review
// the diff.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "traces/cli/cli.h"

namespace tidegate {
namespace {

const std::string kFolder = TIDEGATE_SOURCE_DIR "/tests/golden/import/";

std::string Import(const std::vector<std::string>& flags) {
  std::vector<const char*> argv{"tidetrace", "import"};
  const std::string log = kFolder + "access.log";
  argv.push_back(log.c_str());
  for (const std::string& flag : flags) argv.push_back(flag.c_str());
  std::ostringstream out, err;
  const int status = traces::Main(static_cast<int>(argv.size()), argv.data(), out, err);
  std::string text = "exit status " + std::to_string(status) + "\n" + err.str() + out.str();
  for (std::size_t at; (at = text.find(kFolder)) != std::string::npos;) {
    text.erase(at, kFolder.size());
  }
  return text;
}

void ExpectGolden(const std::string& name, const std::vector<std::string>& flags) {
  const std::string file = kFolder + name + ".golden";
  const std::string text = Import(flags);
  if (std::getenv("TIDEGATE_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(file, std::ios::binary) << text;
    return;
  }
  std::ifstream golden(file, std::ios::binary);
  EXPECT_EQ(text, std::string(std::istreambuf_iterator<char>(golden), {})) << file;
}

TEST(ImportGoldenTest, Everything) { ExpectGolden("everything", {"--max-bad", "30%"}); }

TEST(ImportGoldenTest, FilteredIntoBinsOfAGivenStretch) {
  ExpectGolden("filtered",
               {"--max-bad", "30%", "--bin", "2s", "--path-prefix", "/shop", "--status", "2xx,5xx",
                "--start", "2026-11-27T00:00:00+08:00", "--end", "2026-11-27T00:00:12+08:00"});
}

TEST(ImportGoldenTest, TooManyBadLines) { ExpectGolden("too-many-bad", {}); }

}  // namespace
}  // namespace tidegate
