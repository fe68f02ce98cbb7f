// What is in dashboards/ fits together: boards, rules, their tests, runbooks, provisioning.

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include "scheduler/metrics/metric_table.h"
#include "tests/testing/board.h"
#include "tests/testing/child_process.h"

namespace tidegate::architecture {
namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

const fs::path kDashboards = fs::path(TIDEGATE_SOURCE_DIR) / "dashboards";

// Files of a folder, by name.
std::map<std::string, std::string> FilesIn(const fs::path& folder, const std::string& extension) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == extension)
      files[entry.path().filename().string()] = testing::ReadFile(entry.path());
  }
  return files;
}

std::string Join(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::vector<YAML::Node> Rules(const std::string& text) {
  std::vector<YAML::Node> rules;
  for (const YAML::Node& group : YAML::Load(text)["groups"]) {
    for (const YAML::Node& rule : group["rules"]) rules.push_back(rule);
  }
  return rules;
}

// Alerts without a promtool case in which they fire or one in which they must not, and cases of
// alerts that there are not.
std::vector<std::string> UntestedAlerts(const std::string& alerts,
                                        const std::vector<std::string>& tests) {
  Names firing, quiet, known;
  for (const std::string& text : tests) {
    for (const YAML::Node& test : YAML::Load(text)["tests"]) {
      for (const YAML::Node& check : test["alert_rule_test"]) {
        const bool fires = check["exp_alerts"] && check["exp_alerts"].size() > 0;
        (fires ? firing : quiet).insert(check["alertname"].as<std::string>());
      }
    }
  }
  std::vector<std::string> problems;
  for (const YAML::Node& rule : Rules(alerts)) {
    if (!rule["alert"]) continue;
    const auto name = rule["alert"].as<std::string>();
    known.insert(name);
    if (!firing.contains(name)) problems.push_back(name + ": no case in which it fires");
    if (!quiet.contains(name)) problems.push_back(name + ": no case in which it is quiet");
  }
  for (const Names& names : {firing, quiet}) {
    for (const std::string& name : names) {
      if (!known.contains(name)) problems.push_back(name + ": a case, but no such alert");
    }
  }
  return problems;
}

// Alerts whose link leads nowhere or elsewhere, or that lack a severity or a text; runbooks of no
// alert.
std::vector<std::string> AlertProblems(const std::string& alerts, Names runbooks) {
  std::vector<std::string> problems;
  const Names severities{"critical", "warning", "info"};
  for (const YAML::Node& rule : Rules(alerts)) {
    if (!rule["alert"]) continue;
    const auto name = rule["alert"].as<std::string>();
    const YAML::Node notes = rule["annotations"];
    if (notes["runbook_url"].as<std::string>("") != "runbooks/" + name + ".md")
      problems.push_back(name + ": runbook_url is not runbooks/" + name + ".md");
    if (runbooks.erase(name + ".md") == 0) problems.push_back(name + ": there is no runbook");
    if (!severities.contains(rule["labels"]["severity"].as<std::string>("")))
      problems.push_back(name + ": no severity");
    for (const char* text : {"summary", "description"}) {
      if (notes[text].as<std::string>("").empty()) problems.push_back(name + ": no " + text);
    }
  }
  for (const std::string& left : runbooks) problems.push_back(left + ": of no alert");
  return problems;
}

// Names that a query may use: the daemon's, and what the recording rules make.
Names Exported() {
  Names names;
  for (const telemetry::Metric& metric : telemetry::MetricTable()) {
    const std::string name(metric.name);
    names.insert(name);
    if (metric.type != telemetry::MetricType::kHistogram) continue;
    for (const char* part : {"_bucket", "_sum", "_count"}) names.insert(name + part);
  }
  return names;
}

std::vector<std::string> NotExported(const std::string& expr) {
  const Names exported = Exported();
  std::vector<std::string> names = testing::MetricNames(expr);
  std::erase_if(names, [&](const std::string& name) { return exported.contains(name); });
  return names;
}

std::string Alerts() { return testing::ReadFile(kDashboards / "rules" / "tidegate.alerts.yaml"); }

TEST(DashboardsTest, GrafanaCanUseBothBoards) {
  const auto boards = FilesIn(kDashboards, ".json");
  ASSERT_EQ(boards.size(), 2u);
  for (const auto& [name, text] : boards) EXPECT_EQ(Join(testing::BoardProblems(text)), "") << name;
}

TEST(DashboardsTest, EachFlawOfABoardIsFound) {
  const std::string good = testing::ReadFile(kDashboards / "pool.json");
  const std::vector<std::vector<std::string>> flaws = {
      {R"("schemaVersion": 38)", R"("schemaVersion": 16)", "schemaVersion"},
      {R"("uid": "tidegate-pool")", R"("uid": "")", "uid is missing"},
      {R"("id": 3,)", R"("id": 2,)", "id is not new"},
      {R"("type": "datasource",)", R"("type": "constant",)", "no variable 'datasource'"},
      {R"("unit": "percentunit")", R"("unit": "")", "has no unit"},
      {R"("y": 1)", R"("y": 2)", "overlaps"},
      {R"("w": 16)", R"("w": 25)", "24 columns"},
      {R"("refId": "B")", R"("refId": "A")", "refId twice"}};
  for (const auto& flaw : flaws) {
    std::string bad = good;
    const std::size_t at = bad.find(flaw[0]);
    ASSERT_NE(at, std::string::npos) << flaw[0];
    bad.replace(at, flaw[0].size(), flaw[1]);
    EXPECT_NE(Join(testing::BoardProblems(bad)).find(flaw[2]), std::string::npos) << flaw[2];
  }
}

TEST(DashboardsTest, QueriesAndRulesNameOnlyWhatIsExported) {
  for (const auto& [name, text] : FilesIn(kDashboards, ".json")) {
    const auto board = testing::ParseBoard(text);
    ASSERT_TRUE(board) << name;
    for (const auto& query : board->queries)
      EXPECT_EQ(Join(NotExported(query.expr)), "") << name << " " << query.where;
    for (const auto& variable : board->variables)
      EXPECT_EQ(Join(NotExported(variable.query)), "") << name << " $" << variable.name;
  }
  for (const auto& [name, text] : FilesIn(kDashboards / "rules", ".yaml")) {
    for (const YAML::Node& rule : Rules(text))
      EXPECT_EQ(Join(NotExported(rule["expr"].as<std::string>())), "") << name;
  }
  EXPECT_EQ(NotExported("rate(tidegate_tick_total[1m]) + tidegate_ticks_total").size(), 1u);
}

TEST(DashboardsTest, EachAlertHasACaseThatFiresAndOneThatDoesNot) {
  std::vector<std::string> tests;
  for (const auto& [name, text] : FilesIn(kDashboards / "rules" / "tests", ".yaml"))
    tests.push_back(text);
  EXPECT_EQ(Join(UntestedAlerts(Alerts(), tests)), "");
  // And this would be seen: no cases at all, and each file alone.
  EXPECT_GE(UntestedAlerts(Alerts(), {}).size(), 2 * std::size_t{20});
  ASSERT_EQ(tests.size(), 2u);
  EXPECT_FALSE(UntestedAlerts(Alerts(), {tests[0]}).empty());
  const std::string one = "groups: [{name: g, rules: [{alert: A, expr: up}]}]";
  const std::string fires = "tests: [{alert_rule_test: [{alertname: A, exp_alerts: [{}]}]}]";
  const std::string quiet = "tests: [{alert_rule_test: [{alertname: A, exp_alerts: []}]}]";
  EXPECT_EQ(Join(UntestedAlerts(one, {fires})), "A: no case in which it is quiet\n");
  EXPECT_EQ(Join(UntestedAlerts(one, {quiet})), "A: no case in which it fires\n");
  EXPECT_EQ(Join(UntestedAlerts(one, {fires, quiet})), "");
}

TEST(DashboardsTest, EachAlertHasARunbookAndEachRunbookAnAlert) {
  Names runbooks;
  for (const auto& [name, text] : FilesIn(kDashboards / "runbooks", ".md")) {
    runbooks.insert(name);
    EXPECT_GT(text.size(), 100u) << name;
  }
  EXPECT_EQ(Join(AlertProblems(Alerts(), runbooks)), "");
  Names changed = runbooks;
  changed.erase("TidegateDown.md");
  changed.insert("TidegateUp.md");
  EXPECT_EQ(Join(AlertProblems(Alerts(), changed)),
            "TidegateDown: there is no runbook\nTidegateUp.md: of no alert\n");
}

TEST(DashboardsTest, ProvisioningFilesAreWhole) {
  const fs::path folder = kDashboards / "provisioning";
  const YAML::Node sources = YAML::LoadFile(folder / "datasources" / "prometheus.yaml");
  EXPECT_EQ(sources["apiVersion"].as<int>(), 1);
  ASSERT_EQ(sources["datasources"].size(), 1u);
  const YAML::Node source = sources["datasources"][0];
  EXPECT_EQ(source["type"].as<std::string>(), "prometheus");
  EXPECT_EQ(source["access"].as<std::string>(), "proxy");
  for (const char* key : {"name", "uid", "url"})
    EXPECT_NE(source[key].as<std::string>(""), "") << key;
  // Without it $__rate_interval is made for scrapes every 15 s.
  EXPECT_NE(source["jsonData"]["timeInterval"].as<std::string>(""), "");
  const YAML::Node boards = YAML::LoadFile(folder / "dashboards" / "tidegate.yaml");
  EXPECT_EQ(boards["apiVersion"].as<int>(), 1);
  ASSERT_EQ(boards["providers"].size(), 1u);
  const YAML::Node provider = boards["providers"][0];
  EXPECT_EQ(provider["type"].as<std::string>(), "file");
  EXPECT_NE(provider["name"].as<std::string>(""), "");
  EXPECT_TRUE(fs::path(provider["options"]["path"].as<std::string>()).is_absolute());
}

TEST(DashboardsTest, VariablesAndLegendsAreReadAsGrafanaDoes) {
  EXPECT_EQ(testing::Substitute("a{b=~\"$x\", c=\"${x:regex}\"}[$__rate_interval] $y ${y}",
                                {{"x", "1"}, {"__rate_interval", "4s"}}),
            "a{b=~\"1\", c=\"1\"}[4s] $y ${y}");
  EXPECT_EQ(testing::LegendLabels("{{a}}/{{ b }} used"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(testing::AnswerProblem(R"({"status":"success","data":{"result":[]}})", ""),
            "no series");
  const std::string nan =
      R"({"status":"success","data":{"result":[{"metric":{"a":"1"},"values":[[1,"NaN"]]}]}})";
  EXPECT_NE(testing::AnswerProblem(nan, "{{a}}").find("no finite value"), std::string::npos);
  EXPECT_NE(testing::AnswerProblem(nan, "{{b}}").find("no label 'b'"), std::string::npos);
  EXPECT_NE(testing::AnswerProblem(R"({"status":"error","error":"x"})", ""), "");
}

}  // namespace
}  // namespace tidegate::architecture
