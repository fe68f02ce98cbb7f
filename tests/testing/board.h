#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/expected.h"

namespace tidegate::testing {

// One PromQL query of a Grafana board.
struct BoardQuery {
  std::string where;   // "panel 9 'Demand against capacity' A"
  std::string expr;    // with $variables
  std::string legend;  // "{{namespace}}/{{pool}} used"; for an annotation its text
  bool instant = false;
};

struct BoardVariable {
  std::string name;
  std::string query;      // "label_values(metric, label)"; empty for a data source
  std::string all_value;  // what "All" stands for
};

struct Board {
  std::vector<BoardQuery> queries;  // of panels, then of annotations
  std::vector<BoardVariable> variables;
  std::size_t panels = 0;  // without rows
};

// kInvalid where the text is not a board.
Expected<Board> ParseBoard(const std::string& text);

// What Grafana needs of a board and would not say loudly: schema version, uid, unique ids, panels
// that do not overlap, a unit, the data source by variable. One line each; empty if all is well.
std::vector<std::string> BoardProblems(const std::string& text);

// Replaces $name, ${name} and ${name:format}. A name without a value stays.
std::string Substitute(std::string_view expr, const std::map<std::string, std::string>& values);

// The labels that a legend names, in order.
std::vector<std::string> LegendLabels(std::string_view legend);

// Names of metrics in a PromQL expression that begin as the daemon's do: tidegate_ or process_.
std::vector<std::string> MetricNames(std::string_view expr);

// Why a body of /api/v1/query or /api/v1/query_range can't be drawn under `legend`: an error, no
// series, a series without a label of the legend, or a series without one finite value. Empty if it
// can.
std::string AnswerProblem(const std::string& body, const std::string& legend);

}  // namespace tidegate::testing
