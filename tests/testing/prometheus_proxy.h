#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "traces/net/http_server.h"

namespace tidegate::testing {

// Stands before a real Prometheus and spoils its answers on demand.
class PrometheusProxy {
 public:
  enum class Mode {
    kPass,
    kEmpty,   // a success without series
    kNaN,     // every value is NaN
    kFrozen,  // one replica's series stay as they were when the mode began
    kDown,    // 503
  };
  // `upstream` is the real one's address.
  explicit PrometheusProxy(std::string upstream);

  std::uint16_t port() const { return server_->port(); }
  // `replica` is the one whose series freeze; it has to run when the mode begins.
  void Set(Mode mode, const std::string& replica = "");

 private:
  net::HttpResponse Handle(const net::HttpRequest& request);

  std::string upstream_;
  std::mutex mutex_;
  Mode mode_ = Mode::kPass;
  std::string replica_;
  std::map<std::string, std::string> frozen_;  // metric -> series, as first seen in kFrozen
  std::unique_ptr<net::HttpServer> server_;
};

}  // namespace tidegate::testing
