#include "policies/sizing/policy.h"

#include <algorithm>

namespace tidegate::sizing {

const signals::Reading* FindReading(std::span<const signals::Reading> readings,
                                    const std::string& signal) {
  const auto found = std::ranges::find(readings, signal, &signals::Reading::signal);
  return found == readings.end() ? nullptr : &*found;
}

}  // namespace tidegate::sizing
