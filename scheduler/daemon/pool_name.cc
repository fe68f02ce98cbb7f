#include "scheduler/daemon/pool_name.h"

#include <fmt/format.h>

#include "policies/base/suggest.h"

namespace tidegate::daemon {

Expected<PoolId> ParsePoolName(const std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == text.size()) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("expected NAMESPACE/NAME, got \"{}\"", Printable(text, 200)));
  }
  return PoolId{text.substr(0, slash), text.substr(slash + 1)};
}

}  // namespace tidegate::daemon
