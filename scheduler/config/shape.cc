#include "scheduler/config/shape.h"

#include <algorithm>
#include <limits>
#include <span>

namespace tidegate::config {
namespace {

constexpr std::size_t kMostItems = 1'000;
constexpr IntRange kInt32{std::numeric_limits<std::int32_t>::min(),
                          std::numeric_limits<std::int32_t>::max()};
constexpr IntRange kPort{1, 65'535, "a port or its name, the port"};

void CheckObject(const Value& value, const Shape& shape) {
  Fields fields(value);
  for (const Shape& field : std::span(shape.fields, shape.count)) {
    if (const auto child = fields.Get(field.name)) CheckShape(*child, field);
  }
  fields.Finish();
}

void CheckTextList(const Value& value) {
  const auto items = value.Items(kMostItems);
  for (std::size_t i = 0; i < items.size(); ++i) {
    (void)Value(value.context(), items[i], Path(value.path(), i)).Text();
  }
}

void CheckObjectList(const Value& value, const Shape& shape) {
  const auto items = value.Items(kMostItems);
  for (std::size_t i = 0; i < items.size(); ++i) {
    CheckObject(Value(value.context(), items[i], Path(value.path(), i)), shape);
  }
}

}  // namespace

void CheckShape(const Value& value, const Shape& shape) {
  const Node& node = value.node();
  switch (shape.kind) {
    case ShapeKind::kText: (void)value.Text(); break;
    case ShapeKind::kBool: (void)value.Bool(); break;
    case ShapeKind::kInt: (void)value.Integer(kInt32); break;
    case ShapeKind::kAmount: (void)value.Amount(); break;
    case ShapeKind::kIntOrText:
      if (node.kind != Node::Kind::kScalar || node.text.empty()) (void)value.Integer(kPort);
      break;
    case ShapeKind::kTextMap: (void)value.TextMap(); break;
    case ShapeKind::kTextList: CheckTextList(value); break;
    case ShapeKind::kAnyMap:
      if (node.kind != Node::Kind::kMap) value.Expect("a map");
      break;
    case ShapeKind::kAnyList: (void)value.Items(kMostItems); break;
    case ShapeKind::kObject: CheckObject(value, shape); break;
    case ShapeKind::kObjectList: CheckObjectList(value, shape); break;
  }
}

bool IsEmpty(const Node& node) {
  if (node.kind == Node::Kind::kScalar) return false;
  return std::all_of(node.items.begin(), node.items.end(), IsEmpty);
}

}  // namespace tidegate::config
