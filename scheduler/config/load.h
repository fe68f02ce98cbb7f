#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scheduler/config/daemon_config.h"
#include "scheduler/config/gateway_scaler.h"
#include "scheduler/config/istio_gateway.h"
#include "scheduler/config/problem.h"

namespace tidegate::config {

// Bounds on what is read. Whatever exceeds one is a problem, and reading goes on with the next
// file.
struct LoadLimits {
  std::size_t file_bytes = 1 << 20;
  std::size_t total_bytes = 256 << 20;
  std::size_t files = 100'000;
  std::size_t documents = 200'000;  // of all files
  std::size_t nodes = 200'000;      // of one file, aliases expanded
  int depth = 64;                   // of nested maps and lists
};

// What manifests say. Objects are in the order in which they were read.
struct Loaded {
  std::optional<DaemonConfig> daemon;
  std::vector<IstioGateway> gateways;
  std::vector<GatewayScaler> scalers;
  std::vector<std::string> files;    // that were read, for reload on change
  std::vector<std::string> folders;  // that were listed, for the same
  Problems problems;                 // sorted; the rest is of use only where this is empty
};

struct Node;

// A document as it stands in its file, before it means anything: to be changed and understood
// again.
struct Document {
  std::shared_ptr<const std::string> file;
  std::shared_ptr<const Node> root;
};

// Reads files and folders (*.yaml, *.yml, *.json, by name; folders inside are not entered). Where a
// TidegateConfig is among them, the manifests that it names are read too, each file once.
// `documents`, where given, gets everything that was read, too.
Loaded Load(const std::vector<std::string>& paths, const LoadLimits& limits,
            std::vector<Document>* documents = nullptr);

// The same for one text; `file` is its name in problems. Files are not touched: a TidegateConfig's
// manifests are not followed.
Loaded LoadText(std::string_view text, const std::string& file, const LoadLimits& limits);

// The same for documents. Their files are not read again: `files` and `folders` stay empty.
Loaded LoadDocuments(const std::vector<Document>& documents, const LoadLimits& limits);

}  // namespace tidegate::config
