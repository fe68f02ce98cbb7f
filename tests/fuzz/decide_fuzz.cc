// `tidegate decide` over arbitrary bytes: never crashes, never breaks an invariant of a guard or of
// the planner, and answers the same twice.
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>

#include "policies/base/check.h"
#include "scheduler/daemon/cmd_decide.h"

namespace {

std::string Answer(const std::string& text) {
  std::istringstream in(text);
  std::ostringstream out;
  std::ostringstream err;
  const int code = tidegate::daemon::RunDecide({}, in, out, err);
  TIDEGATE_CHECK(code == 0 || code == 2, "an exit status that is documented");
  return out.str();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 64 * 1024) return 0;
  const std::string text(data, data + size);
  TIDEGATE_CHECK(Answer(text) == Answer(text), "the same input, the same answer");
  return 0;
}
