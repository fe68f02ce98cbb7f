#include "traces/net/credentials.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string_view>

namespace tidegate::net {
namespace {

constexpr std::size_t kLargestSecret = 64 * 1024;

Expected<std::string> ReadSecret(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return Fail(ErrorCode::kDenied, "the secret file " + file + " cannot be read");
  std::string secret(kLargestSecret + 1, '\0');
  stream.read(secret.data(), static_cast<std::streamsize>(secret.size()));
  secret.resize(static_cast<std::size_t>(stream.gcount()));
  if (secret.size() > kLargestSecret) {
    return Fail(ErrorCode::kDenied, "the secret file " + file + " is larger than 64 KiB");
  }
  while (!secret.empty() && static_cast<unsigned char>(secret.back()) <= 0x20) secret.pop_back();
  if (secret.empty()) return Fail(ErrorCode::kDenied, "the secret file " + file + " is empty");
  const bool clean = std::none_of(secret.begin(), secret.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (!clean) {
    return Fail(ErrorCode::kDenied,
                "the secret file " + file + " has a line break or control character inside");
  }
  return secret;
}

std::string Base64(std::string_view text) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    const std::size_t bytes = std::min<std::size_t>(3, text.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < bytes ? static_cast<unsigned char>(text[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      result += j <= bytes ? kDigits[group >> (18 - 6 * j) & 63U] : '=';
    }
  }
  return result;
}

}  // namespace

Expected<void> CheckCredentials(const Credentials& credentials) {
  if (credentials.basic_username.empty() != credentials.basic_password_file.empty()) {
    return Fail(ErrorCode::kInvalid, "basic authentication needs a user name and a password file");
  }
  if (!credentials.basic_username.empty() && !credentials.bearer_token_file.empty()) {
    return Fail(ErrorCode::kInvalid, "give either a bearer token or basic authentication");
  }
  if (credentials.basic_username.find(':') != std::string::npos) {
    return Fail(ErrorCode::kInvalid, "a user name must not have a colon");
  }
  return {};
}

Expected<std::string> AuthorizationValue(const Credentials& credentials) {
  if (!credentials.bearer_token_file.empty()) {
    TIDEGATE_TRY(const std::string token, ReadSecret(credentials.bearer_token_file));
    return "Bearer " + token;
  }
  if (!credentials.basic_username.empty()) {
    TIDEGATE_TRY(const std::string password, ReadSecret(credentials.basic_password_file));
    return "Basic " + Base64(credentials.basic_username + ":" + password);
  }
  return std::string();
}

}  // namespace tidegate::net
