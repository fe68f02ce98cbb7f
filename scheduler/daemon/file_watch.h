#pragma once

#include <string>
#include <vector>

namespace tidegate::daemon {

// Notices that configuration files changed. Compares what stat says (size, inode, time of change)
// with the last look: works for editors that replace files, for ConfigMap volumes that swap a
// symbolic link, and on every file system.
class FileWatch {
 public:
  // Watches these from now on, as they are now.
  void Watch(std::vector<std::string> files, std::vector<std::string> folders);
  // Whether anything differs from the last call of Watch() or Changed(). A file that vanishes is a
  // change.
  bool Changed();

 private:
  std::string Look() const;

  std::vector<std::string> files_;
  std::vector<std::string> folders_;
  std::string seen_;
};

}  // namespace tidegate::daemon
