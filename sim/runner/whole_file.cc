#include "sim/runner/whole_file.h"

#include <filesystem>
#include <fstream>
#include <system_error>

namespace tidegate::sim {

Expected<void> WriteWhole(const std::string& path,
                          const std::function<void(std::ostream&)>& write) {
  const std::string part = path + ".part";
  std::ofstream out(part, std::ios::binary);
  write(out);
  out.close();
  std::error_code error;
  if (out) std::filesystem::rename(part, path, error);
  if (!out || error) {
    std::error_code ignored;
    std::filesystem::remove(part, ignored);
    return Fail(ErrorCode::kUnavailable, path + ": can't be written");
  }
  return {};
}

}  // namespace tidegate::sim
