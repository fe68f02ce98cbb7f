#include "scheduler/daemon/file_watch.h"

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "tests/testing/child_process.h"

namespace tidegate::daemon {
namespace {

namespace fs = std::filesystem;

class FileWatchTest : public ::testing::Test {
 protected:
  FileWatchTest() {
    file_ = dir_.Write("a.yaml", "one");
    watch_.Watch({file_.string()}, {dir_.path().string()});
  }

  const testing::TempDir dir_;
  fs::path file_;
  FileWatch watch_;
};

TEST_F(FileWatchTest, NothingIsNoChange) { EXPECT_FALSE(watch_.Changed()); }

TEST_F(FileWatchTest, AChangeIsToldOnce) {
  dir_.Write("a.yaml", "one more");
  EXPECT_TRUE(watch_.Changed());
  EXPECT_FALSE(watch_.Changed());
}

TEST_F(FileWatchTest, SeesAReplacementOfEqualSize) {
  const fs::path next = dir_.path() / "next";
  dir_.Write("next", "two");
  watch_.Watch({file_.string()}, {});
  fs::rename(next, file_);
  EXPECT_TRUE(watch_.Changed());
}

TEST_F(FileWatchTest, SeesAChangeOfTimeAlone) {
  fs::last_write_time(file_, fs::last_write_time(file_) + std::chrono::seconds(1));
  EXPECT_TRUE(watch_.Changed());
}

TEST_F(FileWatchTest, SeesAFileThatVanishesAndOneThatComesBack) {
  fs::remove(file_);
  EXPECT_TRUE(watch_.Changed());
  dir_.Write("a.yaml", "one");
  EXPECT_TRUE(watch_.Changed());
}

TEST_F(FileWatchTest, SeesANewFileInAFolder) {
  dir_.Write("b.yaml", "new");
  EXPECT_TRUE(watch_.Changed());
}

// A ConfigMap volume: the file is a link through ..data, and an update swaps ..data.
TEST_F(FileWatchTest, SeesALinkThatPointsElsewhere) {
  fs::create_directories(dir_.path() / "v1");
  fs::create_directories(dir_.path() / "v2");
  dir_.Write("v1/c.yaml", "old");
  dir_.Write("v2/c.yaml", "new");
  fs::create_directory_symlink("v1", dir_.path() / "..data");
  fs::create_symlink("..data/c.yaml", dir_.path() / "c.yaml");
  watch_.Watch({(dir_.path() / "c.yaml").string()}, {});
  EXPECT_FALSE(watch_.Changed());
  fs::create_directory_symlink("v2", dir_.path() / "..next");
  fs::rename(dir_.path() / "..next", dir_.path() / "..data");
  EXPECT_TRUE(watch_.Changed());
}

TEST_F(FileWatchTest, WatchTakesThingsAsTheyAre) {
  dir_.Write("a.yaml", "changed");
  watch_.Watch({file_.string()}, {dir_.path().string()});
  EXPECT_FALSE(watch_.Changed());
}

TEST_F(FileWatchTest, AFolderThatDoesNotExistIsEmpty) {
  watch_.Watch({}, {(dir_.path() / "later").string()});
  EXPECT_FALSE(watch_.Changed());
  fs::create_directories(dir_.path() / "later");
  EXPECT_FALSE(watch_.Changed());  // still nothing in it
  dir_.Write("later/x.yaml", "x");
  EXPECT_TRUE(watch_.Changed());
}

}  // namespace
}  // namespace tidegate::daemon
