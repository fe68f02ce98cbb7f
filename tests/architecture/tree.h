#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/architecture/source_text.h"

namespace tidegate::architecture {

// Top-level folders that the design does not have, and folders of the design that are missing or
// have no README.md. Names behind a dot do not count.
std::vector<Violation> CheckTopLevel(const std::vector<SourceFile>& tree,
                                     const std::vector<std::string_view>& folders);

// .cc files that no compile command names, so that they are neither built nor tested. Benchmarks
// and fuzz targets are built by their own presets: those must have a name that their glob takes.
// `compiled` holds paths relative to the root, sorted.
std::vector<Violation> CheckEverySourceIsBuilt(const std::vector<SourceFile>& tree,
                                               const std::vector<std::string>& compiled);

// Reminders that were left for later.
std::vector<Violation> CheckMarkers(const SourceFile& file);

// Headers without #pragma once.
std::vector<Violation> CheckGuards(const SourceFile& file);

}  // namespace tidegate::architecture
