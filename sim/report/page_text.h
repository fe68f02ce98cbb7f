#pragma once

#include <span>
#include <string_view>

namespace tidegate::sim {

// The report's page without its data, from the files in sim/report/page: pieces that come before
// the data, and after it. The build makes it (sim/report/page/embed.cmake).
struct PageText {
  std::span<const std::string_view> head;
  std::span<const std::string_view> tail;
};
PageText ReportPage();

}  // namespace tidegate::sim
