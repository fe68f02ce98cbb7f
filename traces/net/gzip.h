#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "policies/base/expected.h"

namespace tidegate::net {

// Unpacks one gzip stream. kTooLarge past `max_bytes` of output (a small body can unpack to a
// thousand times its size), kInvalid if it is no gzip stream or ends early.
Expected<std::string> Gunzip(std::string_view packed, std::size_t max_bytes);

}  // namespace tidegate::net
