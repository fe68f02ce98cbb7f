#include "scheduler/config/load.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <set>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "scheduler/config/manifests.h"
#include "scheduler/config/suggest.h"
#include "scheduler/config/yaml_tree.h"

namespace tidegate::config {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 2> kGatewayVersions{"istio.alibabacloud.com/v1beta1",
                                                           "istio.alibabacloud.com/v1"};
constexpr std::string_view kOwnVersion = "tidegate.dev/v1alpha1";
constexpr std::array<std::string_view, 4> kKinds{"IstioGateway", "GatewayScaler", "TidegateConfig",
                                                 "List"};

class Loader {
 public:
  explicit Loader(const LoadLimits& limits)
      : limits_(limits), budget_{limits.documents, limits.total_bytes} {}

  void AddPath(const std::string& path) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
      AddFolder(path);
    } else {
      AddFile(path);
    }
  }

  void AddText(std::string_view text, const std::string& file) {
    const auto name = std::make_shared<const std::string>(file);
    const Context context{name, &loaded_.problems};
    for (const Node& document : ParseYaml(text, name, limits_, budget_, loaded_.problems)) {
      AddDocument(Value(context, document, Path()), 0);
    }
  }

  // The manifests that a TidegateConfig names, once all given paths are read.
  void Follow() {
    if (!loaded_.daemon) return;
    const std::vector<std::string> paths = loaded_.daemon->manifests;
    for (const std::string& path : paths) AddPath(path);
  }

  Loaded Finish() {
    loaded_.problems.Sort();
    return std::move(loaded_);
  }

 private:
  void AddFolder(const std::string& path) {
    loaded_.folders.push_back(path);
    std::vector<std::string> files;
    std::error_code error;
    for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
      const std::string extension = at->path().extension().string();
      const bool hidden = at->path().filename().string().starts_with('.');
      if (hidden || (extension != ".yaml" && extension != ".yml" && extension != ".json")) continue;
      files.push_back(at->path().string());
    }
    if (error) loaded_.problems.Add({path, 0, 0, "", "can't list the folder: " + error.message()});
    std::ranges::sort(files);
    for (const std::string& file : files) AddFile(file);
  }

  void AddFile(const std::string& path) {
    std::error_code error;
    const std::string identity = fs::weakly_canonical(path, error).string();
    if (!seen_.insert(error ? path : identity).second) return;
    if (loaded_.files.size() >= limits_.files) {
      if (!too_many_)
        loaded_.problems.Add({path, 0, 0, "", fmt::format("more than {} files", limits_.files)});
      too_many_ = true;
      return;
    }
    loaded_.files.push_back(path);
    std::string text;
    if (const std::string wrong = Read(path, &text); !wrong.empty()) {
      loaded_.problems.Add({path, 0, 0, "", wrong});
      return;
    }
    AddText(text, path);
  }

  // Reads a file within the bounds; returns what is wrong.
  std::string Read(const std::string& path, std::string* text) {
    std::error_code error;
    if (!fs::exists(path, error)) return "no such file or folder";
    if (!fs::is_regular_file(path, error)) return "expected a file or a folder";
    std::ifstream in(path, std::ios::binary);
    if (!in) return "can't be read; check its permissions";
    const std::size_t most = std::min(limits_.file_bytes, budget_.bytes);
    text->resize(most + 1);
    in.read(text->data(), static_cast<std::streamsize>(text->size()));
    text->resize(static_cast<std::size_t>(in.gcount()));
    if (text->size() > limits_.file_bytes)
      return fmt::format("larger than {} bytes", limits_.file_bytes);
    if (text->size() > budget_.bytes)
      return fmt::format("all files together exceed {} bytes", limits_.total_bytes);
    budget_.bytes -= text->size();
    return "";
  }

  static std::string TextOf(const Value& document, std::string_view key) {
    for (std::size_t i = 0; i < document.node().keys.size(); ++i) {
      const Node& item = document.node().items[i];
      if (document.node().keys[i].text == key && item.kind == Node::Kind::kScalar) return item.text;
    }
    return "";
  }

  void AddDocument(const Value& document, int depth) {
    if (document.node().kind != Node::Kind::kMap)
      return document.Expect("a manifest (a map with apiVersion and kind)");
    const std::string kind = TextOf(document, "kind");
    const std::string version = TextOf(document, "apiVersion");
    const bool gateway = std::ranges::find(kGatewayVersions, version) != kGatewayVersions.end();
    if (kind == "IstioGateway" && gateway) {
      loaded_.gateways.push_back(ReadIstioGateway(document));
    } else if (kind == "GatewayScaler" && version == kOwnVersion) {
      loaded_.scalers.push_back(ReadGatewayScaler(document));
    } else if (kind == "TidegateConfig" && version == kOwnVersion) {
      AddDaemon(document);
    } else if (kind == "List" && version == "v1" && depth == 0) {
      AddList(document);
    } else {
      Refuse(document, kind, version);
    }
  }

  void AddDaemon(const Value& document) {
    if (loaded_.daemon) {
      return document.Complain("a second TidegateConfig; the first is at " +
                               loaded_.daemon->at.text());
    }
    loaded_.daemon = ReadDaemonConfig(document);
  }

  void AddList(const Value& document) {
    Fields fields(document);
    const auto items = fields.Need("items");
    if (!items) return;
    const auto nodes = items->Items(limits_.documents);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      AddDocument(Value(document.context(), nodes[i], Path(items->path(), i)), 1);
    }
  }

  static void Refuse(const Value& document, const std::string& kind, const std::string& version) {
    const std::string shown = Printable(kind, 60);
    if (std::ranges::find(kKinds, kind) != kKinds.end()) {
      const std::string expected = kind == "IstioGateway" ? "istio.alibabacloud.com/v1beta1 or v1"
                                   : kind == "List"       ? "v1, and no list inside a list"
                                                          : std::string(kOwnVersion);
      return document.Complain(fmt::format("apiVersion: expected {} for a {}, got \"{}\"", expected,
                                           shown, Printable(version, 60)));
    }
    const auto near = Nearest(kind, kKinds);
    document.Complain(
        fmt::format("kind: expected IstioGateway, GatewayScaler or TidegateConfig, got \"{}\"{}",
                    shown, near.empty() ? "" : fmt::format("; did you mean {}?", near)));
  }

  const LoadLimits& limits_;
  LoadBudget budget_;
  Loaded loaded_;
  std::set<std::string> seen_;
  bool too_many_ = false;
};

}  // namespace

Loaded Load(const std::vector<std::string>& paths, const LoadLimits& limits) {
  Loader loader(limits);
  for (const std::string& path : paths) loader.AddPath(path);
  loader.Follow();
  return loader.Finish();
}

Loaded LoadText(std::string_view text, const std::string& file, const LoadLimits& limits) {
  Loader loader(limits);
  loader.AddText(text, file);
  return loader.Finish();
}

}  // namespace tidegate::config
