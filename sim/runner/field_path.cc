#include "sim/runner/field_path.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "policies/base/suggest.h"

namespace tidegate::sim {
namespace {

using config::Node;
using Step = FieldPath::Step;

constexpr std::array<std::string_view, 3> kRoots = {"scenario", "gateway", "scaler"};
constexpr std::array<std::string_view, 3> kKinds = {"Scenario", "IstioGateway", "GatewayScaler"};
constexpr std::size_t kMostSteps = 32;
constexpr std::size_t kShown = 60;

std::string DidYouMean(std::string_view text, std::span<const std::string_view> candidates) {
  const std::string_view near = Nearest(text, candidates);
  return near.empty() ? "" : fmt::format("; did you mean {}?", near);
}

bool IsWordByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

// Cuts the next step off: "word", ".word", "[text]" or "[\"text\"]"; unset where there is none.
std::optional<Step> TakeStep(std::string_view& rest, bool first) {
  if (rest.starts_with('[')) {
    const std::size_t close = rest.starts_with("[\"") ? rest.find("\"]") : rest.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    const bool quoted = rest[1] == '"';
    const std::size_t begin = quoted ? 2 : 1;
    if (close <= begin) return std::nullopt;
    Step step{std::string(rest.substr(begin, close - begin)), !quoted};
    rest.remove_prefix(close + begin);
    return step;
  }
  if (!first) {
    if (!rest.starts_with('.')) return std::nullopt;
    rest.remove_prefix(1);
  }
  const auto end = std::ranges::find_if_not(rest, IsWordByte);
  const auto length = static_cast<std::size_t>(end - rest.begin());
  if (length == 0) return std::nullopt;
  Step step{std::string(rest.substr(0, length)), false};
  rest.remove_prefix(length);
  return step;
}

Node* Find(Node& map, std::string_view key) {
  for (std::size_t i = 0; i < map.keys.size(); ++i) {
    if (map.keys[i].text == key) return &map.items[i];
  }
  return nullptr;
}

const Node* Find(const Node& map, std::string_view key) {
  for (std::size_t i = 0; i < map.keys.size(); ++i) {
    if (map.keys[i].text == key) return &map.items[i];
  }
  return nullptr;
}

std::string TextOf(const Node& map, std::string_view key) {
  const Node* const found = Find(map, key);
  return found == nullptr ? "" : found->text;
}

Expected<Node*> Item(Node& list, const std::string& which) {
  if (list.kind != Node::Kind::kList) {
    return Fail(ErrorCode::kInvalid, fmt::format("[{}]: there is no list here", which));
  }
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(which.data(), which.data() + which.size(), index);
  if (error == std::errc() && end == which.data() + which.size()) {
    if (index < list.items.size()) return &list.items[index];
    return Fail(ErrorCode::kInvalid,
                fmt::format("[{}]: the list has {} items, from [0] on", which, list.items.size()));
  }
  std::vector<std::string> names;
  for (Node& item : list.items) {
    names.push_back(TextOf(item, "name"));
    if (names.back() == which) return &item;
  }
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  return Fail(ErrorCode::kInvalid,
              fmt::format("[{}]: no item has this name{}", Printable(which, kShown),
                          DidYouMean(which, candidates)));
}

// The field of a map, added where it is not there.
Expected<Node*> Field(Node& map, const std::string& key) {
  if (map.kind == Node::Kind::kNull) map.kind = Node::Kind::kMap;
  if (map.kind != Node::Kind::kMap) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("{}: what holds it is no map of fields", Printable(key, kShown)));
  }
  if (Node* const found = Find(map, key)) return found;
  map.keys.push_back({key, map.line, map.column});
  Node added;
  added.line = map.line;
  added.column = map.column;
  map.items.push_back(std::move(added));
  return &map.items.back();
}

Expected<void> Put(Node& root, std::span<const Step> steps, const Node& value) {
  Node* at = &root;
  for (const Step& step : steps) {
    TIDEGATE_TRY(at, step.item ? Item(*at, step.text) : Field(*at, step.text));
  }
  const int line = at->line;
  const int column = at->column;
  *at = value;
  at->line = line;
  at->column = column;
  return {};
}

// Calls `use` for every object of the path's kind and name, those in lists too.
template <class AnyNode, class Use>
void ForEachObject(AnyNode& root, const FieldPath& path, const Use& use) {
  if (TextOf(root, "kind").ends_with("List")) {
    auto* const items = Find(root, "items");
    if (items == nullptr) return;
    for (auto& item : items->items) ForEachObject(item, path, use);
    return;
  }
  if (TextOf(root, "kind") == kKinds[static_cast<std::size_t>(path.root)]) use(root);
}

// "edge" and "shop/edge" of an object.
std::array<std::string, 2> NamesOf(const Node& object) {
  const Node* const metadata = Find(object, "metadata");
  if (metadata == nullptr) return {};
  const std::string name = TextOf(*metadata, "name");
  const std::string ns = TextOf(*metadata, "namespace");
  return {name, (ns.empty() ? "default" : ns) + "/" + name};
}

bool IsMeant(const FieldPath& path, const Node& object) {
  const auto names = NamesOf(object);
  return path.object.empty() || path.object == names[0] || path.object == names[1];
}

Error NoObject(const FieldPath& path, const std::vector<std::string>& names) {
  const std::string_view kind = kKinds[static_cast<std::size_t>(path.root)];
  if (names.empty()) {
    return {ErrorCode::kInvalid, fmt::format("the scenario's manifests hold no {}", kind)};
  }
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  return {ErrorCode::kInvalid,
          fmt::format("[{}]: no {} has this name{}", Printable(path.object, kShown), kind,
                      DidYouMean(path.object, candidates))};
}

}  // namespace

Expected<FieldPath> ParseFieldPath(std::string_view text) {
  const auto malformed = [&] {
    return Fail(ErrorCode::kInvalid,
                fmt::format("expected a path like scaler.spec.maxReplicas, got {}",
                            text.empty() ? "nothing" : Printable(text, kShown)));
  };
  FieldPath path;
  path.text = std::string(text);
  std::string_view rest = text;
  const auto root = TakeStep(rest, true);
  if (!root || root->item) return malformed();
  const auto known = std::ranges::find(kRoots, root->text);
  if (known == kRoots.end()) {
    return Fail(
        ErrorCode::kInvalid,
        fmt::format("expected a path that begins with scenario, gateway or scaler, got {}{}",
                    Printable(root->text, kShown), DidYouMean(root->text, kRoots)));
  }
  path.root = static_cast<FieldPath::Root>(known - kRoots.begin());
  while (!rest.empty() && path.steps.size() < kMostSteps) {
    auto step = TakeStep(rest, false);
    if (!step) return malformed();
    const bool object = step->item && path.steps.empty() && path.object.empty() &&
                        path.root != FieldPath::Root::kScenario;
    if (object) {
      path.object = std::move(step->text);
    } else {
      path.steps.push_back(*std::move(step));
    }
  }
  if (!rest.empty() || path.steps.empty()) return malformed();
  return path;
}

Expected<void> SetField(const FieldPath& path, const Node& value, Sources& sources) {
  if (path.root == FieldPath::Root::kScenario) {
    if (path.steps.size() >= 2 && path.steps[1].text == "manifests") {
      return Fail(ErrorCode::kInvalid, "manifests are read once; change their fields instead");
    }
    return Put(sources.scenario.root, path.steps, value);
  }
  bool found = false;
  std::vector<std::string> names;
  for (config::Document& document : sources.manifests) {
    bool here = false;
    ForEachObject(*document.root, path, [&](const Node& object) {
      for (std::string& name : NamesOf(object)) names.push_back(std::move(name));
      here = here || IsMeant(path, object);
    });
    if (!here) continue;
    found = true;
    // Others hold the document as it was.
    auto changed = std::make_shared<Node>(*document.root);
    Expected<void> outcome;
    ForEachObject(*changed, path, [&](Node& object) {
      if (outcome && IsMeant(path, object)) outcome = Put(object, path.steps, value);
    });
    TIDEGATE_TRY_VOID(std::move(outcome));
    document.root = std::move(changed);
  }
  if (!found) return Fail(NoObject(path, names));
  return {};
}

}  // namespace tidegate::sim
