#include "sim/report/bars.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include <fmt/format.h>

namespace tidegate::sim {

std::string Bars(std::span<const double> values) {
  constexpr std::size_t kWidth = 72;
  static constexpr std::array<const char*, 9> kBlocks{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const double top = values.empty() ? 0 : std::max(0.0, *std::ranges::max_element(values));
  std::string text;
  for (std::size_t column = 0; column < kWidth && !values.empty(); ++column) {
    const std::size_t begin = column * values.size() / kWidth;
    const std::size_t end = std::max(begin + 1, (column + 1) * values.size() / kWidth);
    const double most =
        std::max(0.0, *std::ranges::max_element(values.subspan(begin, end - begin)));
    text += kBlocks[top > 0 ? static_cast<std::size_t>(most / top * 8 + 0.5) : 0];
  }
  return text + fmt::format("  max {:.0f}", top);
}

}  // namespace tidegate::sim
