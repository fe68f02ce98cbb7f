#pragma once

#include <string>

#include "policies/base/expected.h"

namespace tidegate::daemon {

// Whether that may be a daemon's address: the error of --server where it is none.
Expected<void> CheckServer(const std::string& server);

// GETs a page of a running daemon. The error of an unreachable one says how to start or name it.
Expected<std::string> AskServer(const std::string& server, const std::string& target);

}  // namespace tidegate::daemon
