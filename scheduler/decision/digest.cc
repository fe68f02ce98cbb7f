#include <bit>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "scheduler/decision/decision.h"

namespace tidegate::decision {
namespace {

// FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv). Integers are fed as 8 bytes, least
// significant first, and texts with their length, so that no two states read as the same bytes.
class Fnv {
 public:
  void Add(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    for (int shift = 0; shift < 64; shift += 8) Byte((bits >> shift) & 0xff);
  }
  void Add(Instant at) { Add(UnixMillis(at)); }
  void Add(std::string_view text) {
    Add(static_cast<std::int64_t>(text.size()));
    for (const char c : text) Byte(static_cast<unsigned char>(c));
  }
  template <class T>
  void AddOptional(const std::optional<T>& value) {
    Add(std::int64_t{value.has_value()});
    if (value) Add(*value);
  }
  template <class Container>
  void AddSize(const Container& container) {
    Add(static_cast<std::int64_t>(container.size()));
  }
  std::uint64_t value() const { return value_; }

 private:
  void Byte(std::uint64_t byte) { value_ = (value_ ^ byte) * 1099511628211ULL; }

  std::uint64_t value_ = 14695981039346656037ULL;
};

void AddGuards(const guards::Memory& memory, Fnv& hash) {
  hash.AddOptional(memory.desired);
  hash.AddSize(memory.recommendations);
  for (const guards::Recommendation& recommendation : memory.recommendations) {
    hash.Add(recommendation.at);
    hash.Add(recommendation.replicas);
  }
  hash.AddSize(memory.events);
  for (const guards::ScaleEvent& event : memory.events) {
    hash.Add(event.at);
    hash.Add(event.change);
  }
  hash.AddOptional(memory.bad_since);
}

// Feeds a described value, field by field.
class FieldHash {
 public:
  explicit FieldHash(Fnv& hash) : hash_(hash) {}

  template <class T>
  void operator()(const Field&, const T& value) {
    Add(value);
  }

 private:
  void Add(double value) {
    hash_.Add(static_cast<std::int64_t>(std::bit_cast<std::uint64_t>(value)));
  }
  void Add(Duration value) { hash_.Add(std::int64_t{value.count()}); }
  void Add(Instant value) { hash_.Add(value); }
  void Add(const std::string& value) { hash_.Add(std::string_view(value)); }
  template <class T>
  requires std::integral<T> || std::is_enum_v<T>
  void Add(T value) { hash_.Add(static_cast<std::int64_t>(value)); }
  template <class T>
  void Add(const std::optional<T>& value) {
    hash_.Add(std::int64_t{value.has_value()});
    if (value) Add(*value);
  }
  template <class T>
  void Add(const std::vector<T>& values) {
    hash_.AddSize(values);
    for (const T& value : values) Add(value);
  }
  template <Described T>
  void Add(const T& value) {
    T::VisitFields(value, *this);
  }

  Fnv& hash_;
};

void AddPolicies(const std::vector<PolicyMemory>& policies, Fnv& hash) {
  hash.AddSize(policies);
  for (const PolicyMemory& policy : policies) {
    hash.Add(OwnerOf(policy).name);
    FieldHash fields(hash);
    std::visit([&](const auto& memory) { memory.VisitFields(memory, fields); }, policy);
  }
}

void AddRollout(const rollout::State& state, Fnv& hash) {
  hash.Add(state.size);
  hash.Add(state.next_ordinal);
  hash.AddSize(state.pending);
  for (const rollout::Pending& pending : state.pending) {
    hash.Add(static_cast<std::int64_t>(pending.kind));
    hash.Add(std::string_view(pending.replica));
    hash.Add(std::string_view(pending.revision));
    hash.Add(pending.at);
  }
  hash.AddSize(state.counted_failures);
  for (const std::string& replica : state.counted_failures) hash.Add(std::string_view(replica));
  hash.Add(std::string_view(state.failing));
  hash.Add(state.failed_starts);
  hash.Add(state.retry_at);
}

}  // namespace

std::uint64_t Digest(const DecisionState& state) {
  Fnv hash;
  hash.AddSize(state.pools);
  for (const auto& [id, pool] : state.pools) {
    hash.Add(std::string_view(id.ns));
    hash.Add(std::string_view(id.name));
    AddGuards(pool.guards, hash);
    AddPolicies(pool.policies, hash);
    AddRollout(pool.rollout, hash);
  }
  return hash.value();
}

}  // namespace tidegate::decision
