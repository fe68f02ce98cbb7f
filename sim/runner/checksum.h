#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tidegate::sim {

// FNV-1a of 64 bits over pieces of text, each kept apart from the next. It finds torn and garbled
// lines and tells inputs apart; it is no protection against somebody who wants to deceive.
class Checksum {
 public:
  void Add(std::string_view text);
  std::uint64_t value() const { return hash_; }
  // 16 hex digits.
  std::string text() const;

 private:
  std::uint64_t hash_ = 14695981039346656037U;
};

}  // namespace tidegate::sim
