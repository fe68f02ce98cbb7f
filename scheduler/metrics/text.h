#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tidegate::telemetry {

// Length of the well-formed UTF-8 sequence at the start of `text` (1..4), or 0 if there is none.
std::size_t Utf8Length(std::string_view text);

// The text with every byte that is no part of well-formed UTF-8 replaced by U+FFFD. One such byte
// in a label value would make Prometheus refuse the whole scrape.
std::string ValidUtf8(std::string_view text);

}  // namespace tidegate::telemetry
