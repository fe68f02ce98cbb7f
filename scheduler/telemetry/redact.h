#pragma once

#include <string>
#include <string_view>

namespace tidegate::telemetry {

// The value of a log field without what must not be logged: all of it where the key is named like a
// secret (it has "token", "password", "secret", "authorization", "credential" or "api_key" in it
// and does not end in "_file"), else the user part of URLs and what follows "Bearer" or "Basic".
// A safety net: secrets are not handed to the log in the first place.
std::string Redact(std::string_view key, std::string_view value);

}  // namespace tidegate::telemetry
