#include "sim/faults/chance.h"

namespace tidegate::sim {
namespace {

constexpr std::uint64_t kOffset = 14695981039346656037U;
constexpr std::uint64_t kPrime = 1099511628211U;

std::uint64_t Add(std::uint64_t hash, std::string_view text) {
  for (const char byte : text) hash = (hash ^ static_cast<unsigned char>(byte)) * kPrime;
  return (hash ^ 0xffU) * kPrime;  // so that "ab", "c" is not "a", "bc"
}

std::uint64_t Mix(std::uint64_t z) {
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

}  // namespace

std::uint64_t Chance::Roll(std::string_view what, std::string_view of, std::int64_t number) const {
  const std::uint64_t hash = Add(Add(kOffset, what), of);
  const std::uint64_t salt = Mix(seed_ + 0x9e3779b97f4a7c15U);
  return Mix(Mix(hash ^ salt) + static_cast<std::uint64_t>(number) * 0x9e3779b97f4a7c15U);
}

int Chance::Below(int sides, std::string_view what, std::string_view of,
                  std::int64_t number) const {
  return static_cast<int>(Roll(what, of, number) % static_cast<std::uint64_t>(sides));
}

bool Chance::Hits(int per_mille, std::string_view what, std::string_view of,
                  std::int64_t number) const {
  return per_mille > 0 && Below(1'000, what, of, number) < per_mille;
}

Duration Chance::Upto(Duration most, std::string_view what, std::string_view of,
                      std::int64_t number) const {
  return Duration(Below(static_cast<int>(most.count()) + 1, what, of, number));
}

}  // namespace tidegate::sim
