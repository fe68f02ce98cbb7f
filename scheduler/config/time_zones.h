#pragma once

#include <string_view>

#include "policies/base/expected.h"
#include "policies/base/zone.h"

namespace tidegate::config {

// The IANA zone of that name ("Asia/Shanghai", "UTC") from the system's tzdata, with its changes
// from 2000 on, as far as the data goes (Debian's: to 2037; the last offset counts from there on).
// An unknown name is an error that says which one was probably meant.
Expected<Zone> LoadZone(std::string_view name);

}  // namespace tidegate::config
