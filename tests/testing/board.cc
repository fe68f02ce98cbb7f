#include "tests/testing/board.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <regex>
#include <set>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace tidegate::testing {
namespace {

namespace json = boost::json;

// The member if it is there and a string, else empty.
std::string Text(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

json::object Member(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_object() ? value->get_object() : json::object{};
}

// The objects of a list.
std::vector<json::object> List(const json::object& object, std::string_view key) {
  std::vector<json::object> list;
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_array()) return list;
  for (const json::value& entry : value->get_array()) {
    if (entry.is_object()) list.push_back(entry.get_object());
  }
  return list;
}

int Number(const json::object& object, std::string_view key, int otherwise) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_int64() ? static_cast<int>(value->get_int64()) : otherwise;
}

std::string Where(const json::object& panel) {
  return fmt::format("panel {} '{}'", Number(panel, "id", -1), Text(panel, "title"));
}

json::object ParseObject(const std::string& text) {
  json::error_code error;
  const json::value value = json::parse(text, error);
  return error || !value.is_object() ? json::object{} : value.get_object();
}

bool Overlap(const json::object& a, const json::object& b) {
  const auto apart = [&](const char* at, const char* size) {
    return Number(a, at, 0) + Number(a, size, 0) <= Number(b, at, 0) ||
           Number(b, at, 0) + Number(b, size, 0) <= Number(a, at, 0);
  };
  return !apart("x", "w") && !apart("y", "h");
}

bool BySourceVariable(const json::object& object) {
  return Text(Member(object, "datasource"), "uid") == "${datasource}";
}

// What one panel lacks by itself.
void CheckPanel(const json::object& panel, std::vector<std::string>& problems) {
  const auto say = [&](const char* what) { problems.push_back(Where(panel) + ": " + what); };
  const json::object grid = Member(panel, "gridPos");
  const int x = Number(grid, "x", -1), width = Number(grid, "w", 0);
  if (x < 0 || width < 1 || x + width > 24) say("does not fit into 24 columns");
  if (Number(grid, "h", 0) < 1 || Number(grid, "y", -1) < 0) say("has no height or place");
  if (Text(panel, "title").empty()) say("has no title");
  if (Text(panel, "type") == "row") return;
  if (Text(panel, "description").empty()) say("has no description");
  if (Text(Member(Member(panel, "fieldConfig"), "defaults"), "unit").empty()) say("has no unit");
  if (!BySourceVariable(panel)) say("does not take the data source from its variable");
  const auto targets = List(panel, "targets");
  if (targets.empty()) say("has no query");
  std::set<std::string> refs;
  for (const json::object& target : targets) {
    if (!refs.insert(Text(target, "refId")).second) say("has a refId twice");
    if (Text(target, "expr").empty()) say("has an empty query");
    if (Text(target, "legendFormat").empty()) say("has a query without a legend");
    if (!BySourceVariable(target)) say("has a query with a data source of its own");
  }
}

}  // namespace

Expected<Board> ParseBoard(const std::string& text) {
  const json::object root = ParseObject(text);
  if (List(root, "panels").empty()) return Fail(ErrorCode::kInvalid, "no board");
  Board board;
  for (const json::object& panel : List(root, "panels")) {
    if (Text(panel, "type") != "row") ++board.panels;
    for (const json::object& target : List(panel, "targets")) {
      const json::value* instant = target.if_contains("instant");
      board.queries.push_back({Where(panel) + " " + Text(target, "refId"), Text(target, "expr"),
                               Text(target, "legendFormat"),
                               instant != nullptr && instant->is_bool() && instant->get_bool()});
    }
  }
  for (const json::object& note : List(Member(root, "annotations"), "list")) {
    board.queries.push_back({"annotation '" + Text(note, "name") + "'", Text(note, "expr"),
                             Text(note, "textFormat"), false});
  }
  for (const json::object& variable : List(Member(root, "templating"), "list")) {
    board.variables.push_back({Text(variable, "name"), Text(Member(variable, "query"), "query"),
                               Text(variable, "allValue")});
  }
  return board;
}

std::vector<std::string> BoardProblems(const std::string& text) {
  const json::object root = ParseObject(text);
  std::vector<std::string> problems;
  if (Number(root, "schemaVersion", 0) < 36) problems.push_back("schemaVersion is not 36 or later");
  for (const char* key : {"uid", "title", "description"}) {
    if (Text(root, key).empty()) problems.push_back(fmt::format("{} is missing", key));
  }
  if (Text(root, "uid").size() > 40) problems.push_back("uid is longer than 40 characters");
  const auto variables = List(Member(root, "templating"), "list");
  if (std::ranges::none_of(variables, [](const json::object& variable) {
        return Text(variable, "type") == "datasource" && Text(variable, "name") == "datasource" &&
               Text(variable, "query") == "prometheus";
      })) {
    problems.push_back("there is no variable 'datasource' of type datasource for prometheus");
  }
  const auto panels = List(root, "panels");
  if (panels.empty()) problems.push_back("there are no panels");
  std::set<int> ids;
  for (std::size_t i = 0; i < panels.size(); ++i) {
    CheckPanel(panels[i], problems);
    const int id = Number(panels[i], "id", -1);
    if (id < 1 || !ids.insert(id).second) problems.push_back(Where(panels[i]) + ": id is not new");
    for (std::size_t j = 0; j < i; ++j) {
      if (Overlap(Member(panels[i], "gridPos"), Member(panels[j], "gridPos")))
        problems.push_back(Where(panels[i]) + " overlaps " + Where(panels[j]));
    }
  }
  return problems;
}

std::string Substitute(std::string_view expr, const std::map<std::string, std::string>& values) {
  static const std::regex kVariable(R"(\$(?:\{(\w+)(?::\w+)?\}|(\w+)))");
  const std::string text(expr);
  std::string out;
  std::size_t from = 0;
  for (std::sregex_iterator at(text.begin(), text.end(), kVariable), end; at != end; ++at) {
    const std::smatch& match = *at;
    const auto found = values.find(match[1].matched ? match[1].str() : match[2].str());
    out += text.substr(from, static_cast<std::size_t>(match.position()) - from);
    out += found == values.end() ? match.str() : found->second;
    from = static_cast<std::size_t>(match.position() + match.length());
  }
  return out + text.substr(from);
}

std::vector<std::string> LegendLabels(std::string_view legend) {
  static const std::regex kLabel(R"(\{\{\s*(\w+)\s*\}\})");
  const std::string text(legend);
  std::vector<std::string> labels;
  for (std::sregex_iterator at(text.begin(), text.end(), kLabel), end; at != end; ++at)
    labels.push_back((*at)[1].str());
  return labels;
}

std::vector<std::string> MetricNames(std::string_view expr) {
  static const std::regex kName(R"([a-zA-Z_:][a-zA-Z0-9_:]*)");
  const std::string text(expr);
  std::vector<std::string> names;
  for (std::sregex_iterator at(text.begin(), text.end(), kName), end; at != end; ++at) {
    const std::string name = at->str();
    if (name.starts_with("tidegate_") || name.starts_with("process_")) names.push_back(name);
  }
  return names;
}

std::string AnswerProblem(const std::string& body, const std::string& legend) {
  const json::object answer = ParseObject(body);
  if (Text(answer, "status") != "success") return "the query failed: " + Text(answer, "error");
  const auto series = List(Member(answer, "data"), "result");
  if (series.empty()) return "no series";
  const auto labels = LegendLabels(legend);
  for (const json::object& one : series) {
    const json::object metric = Member(one, "metric");
    for (const std::string& label : labels) {
      if (Text(metric, label).empty())
        return fmt::format("a series has no label '{}': {}", label, json::serialize(metric));
    }
    json::array samples;
    if (const json::value* value = one.if_contains("value")) samples.push_back(*value);
    if (const json::value* values = one.if_contains("values")) samples = values->as_array();
    const bool finite = std::ranges::any_of(samples, [](const json::value& sample) {
      return std::isfinite(std::strtod(sample.at(1).as_string().c_str(), nullptr));
    });
    if (!finite) return "a series has no finite value: " + json::serialize(metric);
  }
  return "";
}

}  // namespace tidegate::testing
