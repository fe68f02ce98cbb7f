#include "scheduler/config/load.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "policies/base/suggest.h"
#include "scheduler/config/fields.h"
#include "scheduler/config/manifests.h"
#include "scheduler/config/yaml_tree.h"

namespace tidegate::config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kOurApi = "tidegate.dev/v1alpha1";
constexpr std::array<std::string_view, 3> kKinds{"IstioGateway", "GatewayScaler", "TidegateConfig"};
constexpr std::array<std::string_view, 2> kGatewayApis{"istio.alibabacloud.com/v1beta1",
                                                       "istio.alibabacloud.com/v1"};
constexpr std::array<std::string_view, 1> kOurApis{kOurApi};
constexpr std::array<std::string_view, 3> kExtensions{".yaml", ".yml", ".json"};
constexpr std::size_t kListItems = 100'000;

// Reads files one by one into a Loaded, within the bounds.
class Loader {
 public:
  // `documents` may be null.
  Loader(const LoadLimits& limits, std::vector<config::Document>* documents)
      : limits_(limits), budget_{limits.documents, limits.total_bytes}, documents_(documents) {}

  // `named_at` is where a configuration names the path; no file: on the command line.
  void Path(const std::string& path, const Location& named_at);
  void Text(std::string_view text, const std::string& file);
  void Read(const config::Document& document);
  Loaded Finish() {
    loaded_.problems.Sort();
    return std::move(loaded_);
  }
  const std::optional<DaemonConfig>& daemon() const { return loaded_.daemon; }

 private:
  void Folder(const std::string& path);
  void File(const std::string& path, const Location& named_at);
  void Complain(const std::string& path, const Location& named_at, const std::string& message);
  void Object(const Value& value, bool in_list);
  void List(const Value& value, Fields& fields);
  void Typed(const Value& value, std::size_t kind);

  LoadLimits limits_;
  LoadBudget budget_;
  Loaded loaded_;
  std::vector<config::Document>* documents_;
  std::set<std::string> seen_;  // canonical paths
};

void Loader::Complain(const std::string& path, const Location& named_at,
                      const std::string& message) {
  if (named_at.file) {
    loaded_.problems.Add(named_at, "", fmt::format("{}: {}", Printable(path, 200), message));
  } else {
    loaded_.problems.Add(Problem{path, 0, 0, "", message});
  }
}

void Loader::Path(const std::string& path, const Location& named_at) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    Complain(path, named_at, "no such file or folder");
  } else if (fs::is_directory(status)) {
    Folder(path);
  } else {
    File(path, named_at);
  }
}

void Loader::Folder(const std::string& path) {
  std::vector<std::string> files;
  std::error_code error;
  fs::directory_iterator entries(path, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    const std::string extension = entries->path().extension().string();
    const bool manifest =
        std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
    std::error_code unreadable;
    if (!manifest || name.starts_with('.') || entries->is_directory(unreadable)) continue;
    files.push_back(entries->path().string());
    if (files.size() > limits_.files) break;
  }
  if (error) return Complain(path, {}, fmt::format("can't be listed: {}", error.message()));
  loaded_.folders.push_back(path);
  std::sort(files.begin(), files.end());
  for (const std::string& file : files) File(file, {});
}

void Loader::File(const std::string& path, const Location& named_at) {
  std::error_code error;
  const fs::path canonical = fs::weakly_canonical(path, error);
  if (!seen_.insert(error ? path : canonical.string()).second) return;
  if (seen_.size() > limits_.files) {
    if (seen_.size() == limits_.files + 1) {
      Complain(path, named_at, fmt::format("more than {} files", limits_.files));
    }
    return;
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return Complain(path, named_at, "can't be opened for reading");
  loaded_.files.push_back(path);
  const std::size_t most = std::min(limits_.file_bytes, budget_.bytes);
  std::string text(std::min<std::size_t>(most + 1, 64 << 10), '\0');
  std::size_t size = 0;
  while (stream.read(text.data() + size, static_cast<std::streamsize>(text.size() - size)),
         stream.gcount() > 0) {
    size += static_cast<std::size_t>(stream.gcount());
    if (size == text.size() && size <= most) text.resize(std::min(most + 1, 2 * size));
    if (size == text.size()) break;
  }
  text.resize(size);
  if (stream.bad()) return Complain(path, named_at, "can't be read");
  if (size > limits_.file_bytes) {
    return Complain(path, named_at, fmt::format("more than {} bytes", limits_.file_bytes));
  }
  if (size > most) {
    return Complain(path, named_at,
                    fmt::format("more than {} bytes in all files", limits_.total_bytes));
  }
  budget_.bytes -= size;
  Text(text, path);
}

void Loader::Text(std::string_view text, const std::string& file) {
  const auto name = std::make_shared<const std::string>(file);
  for (Node& node : ParseYaml(text, name, limits_, budget_, loaded_.problems)) {
    Read({name, std::make_shared<const Node>(std::move(node))});
  }
}

void Loader::Read(const config::Document& document) {
  const Context context{document.file, &loaded_.problems};
  Object(Value(context, *document.root, config::Path()), false);
  if (documents_ != nullptr) documents_->push_back(document);
}

void Loader::Object(const Value& value, bool in_list) {
  if (value.node().kind != Node::Kind::kMap) return value.Expect("a manifest");
  Fields fields(value);
  const auto kind = fields.Need("kind");
  const auto api_version = fields.Need("apiVersion");
  if (!kind || !api_version) return;
  const std::string& name = kind->node().text;
  if (!in_list && (name == "List" || name == "IstioGatewayList" || name == "GatewayScalerList")) {
    return List(value, fields);
  }
  const auto index = kind->Choice(kKinds);
  if (!index) return;
  const bool ours = *index != 0;
  const auto known = ours ? api_version->Choice(kOurApis) : api_version->Choice(kGatewayApis);
  if (known) Typed(value, *index);
}

void Loader::List(const Value& value, Fields& fields) {
  (void)fields.Get("metadata");
  const auto list = fields.Need("items");
  fields.Finish();
  if (!list) return;
  const auto items = list->Items(kListItems);
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (budget_.documents == 0) return value.Complain("too many documents");
    --budget_.documents;
    Object(Value(list->context(), items[i], config::Path(list->path(), i)), true);
  }
}

void Loader::Typed(const Value& value, std::size_t kind) {
  if (kind == 0) {
    loaded_.gateways.push_back(ReadIstioGateway(value));
  } else if (kind == 1) {
    loaded_.scalers.push_back(ReadGatewayScaler(value));
  } else if (loaded_.daemon) {
    value.Complain(
        fmt::format("a second TidegateConfig; the first is at {}", loaded_.daemon->at.text()));
  } else {
    loaded_.daemon = ReadDaemonConfig(value);
  }
}

}  // namespace

Loaded Load(const std::vector<std::string>& paths, const LoadLimits& limits,
            std::vector<Document>* documents) {
  Loader loader(limits, documents);
  for (const std::string& path : paths) loader.Path(path, {});
  if (loader.daemon()) {
    const DaemonConfig daemon = *loader.daemon();
    for (std::size_t i = 0; i < daemon.manifests.size(); ++i) {
      loader.Path(daemon.manifests[i], daemon.manifests_at[i]);
    }
  }
  return loader.Finish();
}

Loaded LoadText(std::string_view text, const std::string& file, const LoadLimits& limits) {
  Loader loader(limits, nullptr);
  loader.Text(text, file);
  return loader.Finish();
}

Loaded LoadDocuments(const std::vector<Document>& documents, const LoadLimits& limits) {
  Loader loader(limits, nullptr);
  for (const Document& document : documents) loader.Read(document);
  return loader.Finish();
}

}  // namespace tidegate::config
