// Any bytes at all: a manifest is read or refused within its bounds, and what is accepted compiles.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "scheduler/config/compile.h"
#include "scheduler/config/load.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const tidegate::config::LoadLimits limits{.file_bytes = 1 << 16,
                                            .total_bytes = 1 << 16,
                                            .files = 1,
                                            .documents = 100,
                                            .nodes = 2'000,
                                            .depth = 64};
  auto loaded = tidegate::config::LoadText(text, "fuzz.yaml", limits);
  const auto compiled = tidegate::config::Compile(std::move(loaded));
  for (const auto& pool : compiled.config.pools) {
    if (compiled.problems.empty() && pool.guards.min > pool.guards.max) __builtin_trap();
  }
  return 0;
}
