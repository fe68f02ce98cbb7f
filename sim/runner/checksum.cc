#include "sim/runner/checksum.h"

#include <fmt/format.h>

namespace tidegate::sim {
namespace {

constexpr std::uint64_t kPrime = 1099511628211U;

}  // namespace

void Checksum::Add(std::string_view text) {
  for (const char byte : text) hash_ = (hash_ ^ static_cast<unsigned char>(byte)) * kPrime;
  hash_ = (hash_ ^ 0xffU) * kPrime;
}

std::string Checksum::text() const { return fmt::format("{:016x}", hash_); }

}  // namespace tidegate::sim
