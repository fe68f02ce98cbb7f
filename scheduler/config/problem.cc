#include "scheduler/config/problem.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace tidegate::config {
namespace {

std::string Place(const std::string& file, int line, int column) {
  if (line == 0) return file;
  return fmt::format("{}:{}:{}", file, line, column);
}

}  // namespace

std::string Location::text() const { return file ? Place(*file, line, column) : std::string(); }

std::string ToString(const Problem& problem) {
  std::string text = Place(problem.file, problem.line, problem.column);
  if (!text.empty()) text += ": ";
  if (!problem.field.empty()) text += problem.field + ": ";
  return text + problem.message;
}

void Problems::Add(Problem problem) {
  if (count_++ < kKept) list_.push_back(std::move(problem));
}

void Problems::Add(const Location& at, std::string field, std::string message) {
  Add(Problem{at.file ? *at.file : std::string(), at.line, at.column, std::move(field),
              std::move(message)});
}

void Problems::Sort() {
  std::stable_sort(list_.begin(), list_.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.file, a.line, a.column, a.field) <
           std::tie(b.file, b.line, b.column, b.field);
  });
}

std::string Problems::text() const {
  std::string text;
  for (const Problem& problem : list_) text += ToString(problem) + "\n";
  if (more() > 0) text += fmt::format("and {} more\n", more());
  return text;
}

}  // namespace tidegate::config
