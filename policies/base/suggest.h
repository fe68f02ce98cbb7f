#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tidegate {

// Text from a file made fit for a message: control characters and broken UTF-8 as \xNN, cut to
// `longest` bytes with "..." behind.
std::string Printable(std::string_view text, std::size_t longest);

// The candidate that somebody who wrote `text` most likely meant: equal but for case and -_, or
// within a few typing errors (insertion, deletion, change, swap of neighbours). Empty: none is
// near. The first of equally near ones wins.
std::string_view Nearest(std::string_view text, std::span<const std::string_view> candidates);

}  // namespace tidegate
