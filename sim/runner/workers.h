#pragma once

#include <cstddef>
#include <functional>

namespace tidegate::sim {

// Processors that this process may use; at least 1.
int Processors();

// Calls work(0) .. work(count - 1), started in this order, on up to `threads` threads at once, and
// returns when all that were started have ended. `stopped` is asked before each start; once it
// says yes, nothing more is started. Both must bear being called from several threads. False where
// something was left out.
bool ForEach(std::size_t count, int threads, const std::function<bool()>& stopped,
             const std::function<void(std::size_t)>& work);

}  // namespace tidegate::sim
