#include "tests/testing/heap.h"

#include <atomic>
#include <cstdlib>
#include <new>

#include <malloc.h>

namespace {

std::atomic<long> in_use = 0;
std::atomic<long> peak = 0;

void Count(long bytes) {
  const long now = in_use += bytes;
  long most = peak.load();
  while (now > most && !peak.compare_exchange_weak(most, now)) {
  }
}

}  // namespace

void* operator new(std::size_t size) {
  void* const memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  Count(static_cast<long>(malloc_usable_size(memory)));
  return memory;
}
void operator delete(void* memory) noexcept {
  if (memory != nullptr) Count(-static_cast<long>(malloc_usable_size(memory)));
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

namespace tidegate::testing {

long HeapInUse() { return in_use; }
long HeapPeak() { return peak; }
void ForgetHeapPeak() { peak = in_use.load(); }

}  // namespace tidegate::testing
