#pragma once

#include <string>

#include "policies/base/expected.h"

namespace tidegate::net {

// How a client shows who it is. Secrets live in files and are read again for each request, so that
// a rotated token works at once. At most one of the two ways.
struct Credentials {
  std::string bearer_token_file;
  std::string basic_username;       // goes with basic_password_file
  std::string basic_password_file;  // white space at its end is left out
};

// kInvalid if both ways, or half of one, are given.
Expected<void> CheckCredentials(const Credentials& credentials);

// The value of the Authorization header, or "" without credentials. kDenied if a file cannot be
// read, is empty, is larger than 64 KiB or has a line break inside. Messages never hold a secret.
Expected<std::string> AuthorizationValue(const Credentials& credentials);

}  // namespace tidegate::net
