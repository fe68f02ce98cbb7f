#include <set>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/metrics/metric_table.h"

namespace tidegate::telemetry {
namespace {

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

TEST(MetricTableTest, NamesAreUniqueAndOurs) {
  std::set<std::string_view> names;
  for (const Metric& metric : MetricTable()) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
    EXPECT_THAT(std::string(metric.name), ::testing::MatchesRegex("(tidegate|process)_[a-z_]+"));
  }
}

TEST(MetricTableTest, CountersAndOnlyCountersEndInTotal) {
  for (const Metric& metric : MetricTable()) {
    EXPECT_EQ(EndsWith(metric.name, "_total"), metric.type == MetricType::kCounter) << metric.name;
  }
}

TEST(MetricTableTest, NamesTellTheUnitInBaseUnits) {
  for (const Metric& metric : MetricTable()) {
    if (metric.unit == "seconds" || metric.unit == "bytes") {
      EXPECT_NE(metric.name.find("_" + std::string(metric.unit)), std::string_view::npos)
          << metric.name;
    }
    EXPECT_EQ(EndsWith(metric.name, "_info"), metric.unit == "info") << metric.name;
  }
}

TEST(MetricTableTest, HelpIsASentence) {
  for (const Metric& metric : MetricTable()) {
    EXPECT_TRUE(EndsWith(metric.help, ".")) << metric.name;
    EXPECT_GT(metric.help.size(), 10U) << metric.name;
    EXPECT_FALSE(metric.unit.empty()) << metric.name;
  }
}

}  // namespace
}  // namespace tidegate::telemetry
