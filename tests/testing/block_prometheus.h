#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "policies/base/expected.h"
#include "tests/testing/child_process.h"
#include "traces/net/http_client.h"
#include "traces/net/url.h"

namespace tidegate::testing {

// A real Prometheus that serves recorded samples and scrapes nothing.
class BlockPrometheus {
 public:
  // Loads OpenMetrics text with promtool and starts a server on the blocks, below `dir`.
  static Expected<std::unique_ptr<BlockPrometheus>> Start(const std::filesystem::path& dir,
                                                          const std::string& openmetrics);

  const std::string& url() const { return url_; }
  // The body of the answer, whatever its status; "" where there is none.
  std::string Ask(const std::string& path, const net::Parameters& parameters);

 private:
  std::string url_;
  std::optional<ChildProcess> process_;
  std::optional<net::HttpClient> client_;
};

}  // namespace tidegate::testing
