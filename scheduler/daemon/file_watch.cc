#include "scheduler/daemon/file_watch.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

namespace tidegate::daemon {
namespace {

void Append(std::string& text, const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    fmt::format_to(std::back_inserter(text), "{} -\n", path);
    return;
  }
  fmt::format_to(std::back_inserter(text), "{} {} {} {}.{:09}\n", path, info.st_ino, info.st_size,
                 info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
}

}  // namespace

void FileWatch::Watch(std::vector<std::string> files, std::vector<std::string> folders) {
  files_ = std::move(files);
  folders_ = std::move(folders);
  seen_ = Look();
}

bool FileWatch::Changed() {
  std::string now = Look();
  if (now == seen_) return false;
  seen_ = std::move(now);
  return true;
}

std::string FileWatch::Look() const {
  std::string text;
  for (const std::string& file : files_) Append(text, file);
  for (const std::string& folder : folders_) {
    std::vector<std::string> entries;
    std::error_code error;
    for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
         at.increment(error)) {
      entries.push_back(at->path().string());
    }
    std::ranges::sort(entries);
    for (const std::string& entry : entries) Append(text, entry);
  }
  return text;
}

}  // namespace tidegate::daemon
