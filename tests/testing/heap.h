#pragma once

namespace tidegate::testing {

// What operator new has given out and not got back, in bytes. It is counted in programs that ask.
long HeapInUse();
// The most of that since the last call of ForgetHeapPeak, which makes it what is in use.
long HeapPeak();
void ForgetHeapPeak();

}  // namespace tidegate::testing
