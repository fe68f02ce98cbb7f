#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policies/base/expected.h"
#include "tests/demo/manifests.h"
#include "tests/testing/child_process.h"
#include "tests/testing/judge.h"
#include "traces/net/http_server.h"

namespace tidegate::demo {

// Where the programs are: beside the demo's own binary in the build folder.
struct Programs {
  std::filesystem::path tidegate;
  std::filesystem::path tidetrace;
  std::filesystem::path tidesim;
};

// After how many milliseconds the upstream answers, one after the other in turn.
inline constexpr std::array<int, 3> kUpstreamMillis = {40, 47, 54};

// An upstream that answers each request after one of these.
Expected<std::unique_ptr<net::HttpServer>> StartUpstream();

// The real parts around a pool: an upstream, a Prometheus and the daemon, all on loopback and below
// one folder. They end with the object, replicas and fronts too.
class Stage {
 public:
  static Expected<std::unique_ptr<Stage>> Build(const std::filesystem::path& dir,
                                                const Programs& programs, const std::string& trace);
  ~Stage();

  Expected<void> StartPrometheus();
  // `arguments` go after `tidegate run --config ...`.
  Expected<void> StartDaemon(const std::vector<std::string>& arguments);
  testing::ChildProcess& daemon() { return *daemon_; }
  testing::ChildProcess& prometheus() { return *prometheus_; }

  const std::filesystem::path& dir() const { return dir_; }
  std::filesystem::path pool_dir() const { return dir_ / "state" / "istio-system_ingressgateway"; }
  std::filesystem::path journal() const { return dir_ / "state" / "journal.db"; }
  const Ports& ports() const { return ports_; }
  std::string daemon_url() const;
  std::string prometheus_url() const;

  // The body of a page; empty where it isn't 200.
  std::string Get(const std::string& url, const std::string& target) const;
  // http://127.0.0.1:PORT of the pool's "http" port; empty while it has none.
  std::string FrontUrl() const;
  // Waits until `ready` replicas serve and nothing is left to do.
  bool WaitSettled(Replicas ready, Duration deadline) const;
  // Decisions on record, as the judge wants them.
  std::vector<testing::DesiredAt> DesiredOverTime() const;
  // Stops the daemon and drains the pool. False if it did not end well within the deadline.
  bool Shutdown(Duration deadline);

 private:
  Stage() = default;
  void KillLeftovers();

  std::filesystem::path dir_;
  Programs programs_;
  Ports ports_;
  std::unique_ptr<net::HttpServer> upstream_;
  std::optional<testing::ChildProcess> prometheus_;
  std::optional<testing::ChildProcess> daemon_;
};

}  // namespace tidegate::demo
