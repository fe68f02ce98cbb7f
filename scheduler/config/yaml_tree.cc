// Trees are built from yaml-cpp's event stream instead of its own node type, for four reasons: each
// key keeps its place, a key given twice is seen, depth and size are bounded before anything is
// built, and an alias bomb is stopped where it would go off. A file is cut at its "---" lines first
// (YAML forbids them inside any value), so that one broken document doesn't hide the others'
// problems.

#include "scheduler/config/yaml_tree.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "policies/base/suggest.h"
#include "scheduler/config/fields.h"

namespace tidegate::config {
namespace {

constexpr std::size_t kBytesPerNode = 64;  // a scalar's text costs one node for as many bytes

// Thrown out of the event handler to leave yaml-cpp's parser; never leaves this file.
struct Stop {
  int line = 0;
  int column = 0;
  std::string message;
};

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(int first_line, const LoadLimits& limits, std::size_t& nodes_left)
      : first_line_(first_line), limits_(limits), nodes_left_(nodes_left) {}

  Node TakeRoot() { return std::exchange(root_, Node{}); }

  void OnDocumentStart(const YAML::Mark&) override {
    root_ = Node{};
    open_.clear();
    anchors_.clear();
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Leaf(Made(Node::Kind::kNull, mark), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node = Made(Node::Kind::kScalar, mark);
    CheckTag(node, tag);
    node.quoted = tag != "?" && tag != "";
    node.text = value;
    Leaf(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    Node node = Made(Node::Kind::kNull, mark);
    if (found == anchors_.end()) {
      throw Stop{node.line, node.column, "an alias inside the value that it stands for"};
    }
    if (found->second.depth + open_.size() > Depth()) TooDeep(node);
    Spend(found->second.cost, node);
    const Node::Key place{"", node.line, node.column};
    node = found->second.node;
    node.line = place.line;
    node.column = place.column;
    if (!open_.empty()) {
      open_.back().depth = std::max(open_.back().depth, found->second.depth + 1);
    }
    Leaf(std::move(node), 0);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(Made(Node::Kind::kList, mark), tag, anchor);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(Made(Node::Kind::kMap, mark), tag, anchor);
  }
  void OnMapEnd() override { Close(); }

 private:
  struct Level {
    Node* node = nullptr;
    YAML::anchor_t anchor = 0;
    std::size_t nodes_left_before = 0;
    std::size_t depth = 1;  // of what is below, this level included
  };
  struct Anchored {
    Node node;
    std::size_t cost = 0;
    std::size_t depth = 0;
  };

  std::size_t Depth() const { return static_cast<std::size_t>(limits_.depth); }

  Node Made(Node::Kind kind, const YAML::Mark& mark) const {
    Node node;
    node.kind = kind;
    node.line = std::max(mark.line, 0) + first_line_;
    node.column = std::max(mark.column, 0) + 1;
    return node;
  }

  [[noreturn]] void TooDeep(const Node& at) const {
    throw Stop{at.line, at.column, fmt::format("nested deeper than {} levels", limits_.depth)};
  }

  void Spend(std::size_t nodes, const Node& at) {
    if (nodes > nodes_left_) {
      throw Stop{at.line, at.column,
                 fmt::format("more than {} values in this file, aliases expanded", limits_.nodes)};
    }
    nodes_left_ -= nodes;
  }

  static void CheckTag(const Node& at, const std::string& tag) {
    const bool known = tag.empty() || tag == "?" || tag == "!" || tag == "tag:yaml.org,2002:str";
    const bool collection = tag == "tag:yaml.org,2002:map" || tag == "tag:yaml.org,2002:seq";
    if (known || (collection && at.kind != Node::Kind::kScalar)) return;
    throw Stop{at.line, at.column,
               fmt::format("the tag \"{}\" is not supported", Printable(tag, 60))};
  }

  bool WantsKey() const {
    return !open_.empty() && open_.back().node->kind == Node::Kind::kMap &&
           open_.back().node->keys.size() == open_.back().node->items.size();
  }

  // Puts a value where it belongs and returns its place in the tree.
  Node* Place(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return &root_;
    }
    Node& parent = *open_.back().node;
    parent.items.push_back(std::move(node));
    return &parent.items.back();
  }

  void Leaf(Node node, YAML::anchor_t anchor) {
    const std::size_t cost = 1 + node.text.size() / kBytesPerNode;
    Spend(cost, node);
    if (anchor != 0) anchors_[anchor] = Anchored{node, cost, 0};
    if (!WantsKey()) {
      Place(std::move(node));
      return;
    }
    if (node.kind != Node::Kind::kScalar) {
      throw Stop{node.line, node.column, "expected the name of a field"};
    }
    open_.back().node->keys.push_back({std::move(node.text), node.line, node.column});
  }

  void Open(Node node, const std::string& tag, YAML::anchor_t anchor) {
    if (WantsKey()) {
      throw Stop{node.line, node.column, "expected the name of a field, got a map or a list"};
    }
    CheckTag(node, tag);
    if (open_.size() >= Depth()) TooDeep(node);
    const std::size_t before = nodes_left_;
    Spend(1, node);
    Node* const placed = Place(std::move(node));
    open_.push_back(Level{placed, anchor, before, 1});
  }

  void Close() {
    const Level level = open_.back();
    open_.pop_back();
    if (!open_.empty()) open_.back().depth = std::max(open_.back().depth, level.depth + 1);
    if (level.anchor == 0) return;
    const std::size_t cost = level.nodes_left_before - nodes_left_;
    Spend(cost, *level.node);  // for the copy that is kept
    anchors_[level.anchor] = Anchored{*level.node, cost, level.depth};
  }

  int first_line_;
  const LoadLimits& limits_;
  std::size_t& nodes_left_;
  Node root_;
  std::vector<Level> open_;
  std::map<YAML::anchor_t, Anchored> anchors_;
};

// A stretch of a file from one "---" line to the next.
struct Chunk {
  std::string_view text;
  int first_line = 1;
  bool content = false;  // something besides blank lines, comments, directives and markers
};

bool IsDocumentStart(std::string_view line) {
  return line.starts_with("---") && (line.size() == 3 || line[3] == ' ' || line[3] == '\t');
}

bool HasContent(std::string_view line, bool start) {
  if (start) line.remove_prefix(3);
  if (!start && (line.starts_with("%") || line == "...")) return false;
  const std::size_t at = line.find_first_not_of(" \t");
  return at != std::string_view::npos && line[at] != '#';
}

std::vector<Chunk> SplitDocuments(std::string_view text) {
  std::vector<Chunk> chunks(1);
  int line_number = 1;
  std::size_t chunk_at = 0;
  for (std::size_t at = 0; at < text.size(); ++line_number) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const bool start = IsDocumentStart(line);
    if (start) {
      chunks.back().text = text.substr(chunk_at, at - chunk_at);
      chunk_at = at;
      chunks.push_back({{}, line_number, false});
    }
    chunks.back().content = chunks.back().content || HasContent(line, start);
    at = end + 1;
  }
  chunks.back().text = text.substr(std::min(chunk_at, text.size()));
  return chunks;
}

// The length of the UTF-8 character that begins at `at`; 0: none does. Control characters besides
// tab and line ends count as none (yaml-cpp takes 0x04 for the end of the file).
std::size_t CharacterLength(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  if (first < 0x80) {
    const bool control =
        (first < 0x20 && first != '\t' && first != '\n' && first != '\r') || first == 0x7F;
    return control ? 0 : 1;
  }
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80U) return 0;
  }
  const unsigned char second = byte(at + 1);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool surrogate = first == 0xED && second > 0x9F;
  const bool beyond = first == 0xF4 && second > 0x8F;
  return overlong || surrogate || beyond ? 0 : length;
}

// The place of the first byte that no manifest may hold.
std::optional<Location> FirstBadByte(std::string_view text) {
  Location at{nullptr, 1, 1};
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = CharacterLength(text, i);
    if (length == 0) return at;
    ++at.column;
    if (text[i] == '\n') at = {nullptr, at.line + 1, 1};
    i += length;
  }
  return std::nullopt;
}

void CheckKeys(const Context& context, const Node& node, const Path& path) {
  std::vector<std::size_t> order(node.keys.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return node.keys[a].text < node.keys[b].text;
  });
  for (std::size_t i = 0; i < order.size(); ++i) {
    const Node::Key& key = node.keys[order[i]];
    const Location at{context.file, key.line, key.column};
    if (key.text == "<<") {
      context.problems->Add(at, Path(path, key.text).text(),
                            "merge keys are not supported; write the fields out");
    }
    if (i == 0 || node.keys[order[i - 1]].text != key.text) continue;
    const Node::Key& first = node.keys[order[i - 1]];
    context.problems->Add(at, Path(path, key.text).text(),
                          fmt::format("given twice; first in line {}", first.line));
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const bool map = node.kind == Node::Kind::kMap;
    CheckKeys(context, node.items[i], map ? Path(path, node.keys[i].text) : Path(path, i));
  }
}

// All documents of one chunk: more than one only where it holds "..." lines.
void ParseChunk(const Chunk& chunk, TreeBuilder& builder, LoadBudget& budget,
                std::vector<Node>& documents) {
  std::istringstream stream{std::string(chunk.text)};
  YAML::Parser parser(stream);
  while (parser.HandleNextDocument(builder)) {
    Node root = builder.TakeRoot();
    if (root.kind == Node::Kind::kNull) continue;
    if (budget.documents == 0) throw Stop{root.line, root.column, "too many documents"};
    --budget.documents;
    documents.push_back(std::move(root));
  }
}

void WriteCanonical(const Node& node, std::string& out) {
  switch (node.kind) {
    case Node::Kind::kNull: out += "null"; return;
    case Node::Kind::kScalar:
      out += node.quoted ? "\"" : "";
      for (const char c : node.text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
      }
      out += node.quoted ? "\"" : "";
      return;
    case Node::Kind::kList:
      out += '[';
      for (const Node& item : node.items) {
        WriteCanonical(item, out);
        out += ',';
      }
      out += ']';
      return;
    case Node::Kind::kMap: break;
  }
  std::vector<std::size_t> order(node.keys.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return node.keys[a].text < node.keys[b].text; });
  out += '{';
  for (const std::size_t i : order) {
    out += node.keys[i].text + ":";
    WriteCanonical(node.items[i], out);
    out += ',';
  }
  out += '}';
}

}  // namespace

std::vector<Node> ParseYaml(std::string_view text, const std::shared_ptr<const std::string>& file,
                            const LoadLimits& limits, LoadBudget& budget, Problems& problems) {
  std::vector<Node> documents;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (auto bad = FirstBadByte(text)) {
    bad->file = file;
    problems.Add(*bad, "", "expected UTF-8 text without control characters");
    return documents;
  }
  std::size_t nodes_left = limits.nodes;
  for (const Chunk& chunk : SplitDocuments(text)) {
    if (!chunk.content) continue;
    try {
      TreeBuilder builder(chunk.first_line, limits, nodes_left);
      ParseChunk(chunk, builder, budget, documents);
    } catch (const Stop& stop) {
      problems.Add({file, stop.line, stop.column}, "", stop.message);
    } catch (const YAML::Exception& error) {
      problems.Add({file, std::max(error.mark.line, 0) + chunk.first_line,
                    std::max(error.mark.column, 0) + 1},
                   "", fmt::format("not valid YAML: {}", Printable(error.msg, 200)));
    }
  }
  Context context{file, &problems};
  for (const Node& document : documents) CheckKeys(context, document, Path());
  return documents;
}

std::string CanonicalText(const Node& node) {
  std::string text;
  WriteCanonical(node, text);
  return text;
}

}  // namespace tidegate::config
