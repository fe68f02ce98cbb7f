#include "tests/demo/parts.h"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <utility>

#include <boost/json.hpp>
#include <signal.h>

#include "scheduler/adapters/journal/sqlite_journal.h"
#include "tests/testing/front_watcher.h"
#include "traces/net/http_client.h"
#include "traces/net/url.h"

namespace tidegate::demo {
namespace {

namespace json = boost::json;

constexpr Duration kStartDeadline{15'000};
const PoolId kPool{"istio-system", "ingressgateway"};

json::object Parse(const std::string& text) {
  json::error_code error;
  const json::value value = json::parse(text, error);
  return error || !value.is_object() ? json::object{} : value.get_object();
}

// The pool's entry of /api/v1/pools; empty while there is none.
json::object PoolEntry(const std::string& body) {
  const json::object status = Parse(body);
  const json::value* pools = status.if_contains("pools");
  if (pools == nullptr || pools->get_array().empty()) return {};
  return pools->get_array()[0].get_object();
}

}  // namespace

Expected<std::unique_ptr<net::HttpServer>> StartUpstream() {
  net::HttpServerOptions options;
  options.max_connections = 8'192;
  auto count = std::make_shared<std::atomic<unsigned>>(0);
  return net::HttpServer::StartAsync(
      options, [count](const net::HttpRequest&, net::Responder responder) {
        const Duration delay(kUpstreamMillis[(*count)++ % kUpstreamMillis.size()]);
        responder.SendAfter(delay, net::MakeResponse(200, "text/plain", "hello\n"));
      });
}

Expected<std::unique_ptr<Stage>> Stage::Build(const std::filesystem::path& dir,
                                              const Programs& programs, const std::string& trace) {
  std::unique_ptr<Stage> stage(new Stage());
  stage->dir_ = dir;
  stage->programs_ = programs;
  TIDEGATE_TRY(stage->upstream_, StartUpstream());
  stage->ports_ = {stage->upstream_->port(), testing::FreePort(), testing::FreePort()};
  WriteConfiguration(dir, stage->ports_, trace);
  return stage;
}

Stage::~Stage() {
  daemon_.reset();
  prometheus_.reset();
  KillLeftovers();
}

void Stage::KillLeftovers() {
  for (int round = 0; round < 2; ++round) {
    for (const int pid : testing::ProcessesBelow(dir_ / "state")) ::kill(pid, SIGKILL);
  }
}

Expected<void> Stage::StartPrometheus() {
  const std::string address = "127.0.0.1:" + std::to_string(ports_.prometheus);
  TIDEGATE_TRY(testing::ChildProcess process,
               testing::ChildProcess::Start(
                   {"prometheus", "--config.file=" + (dir_ / "prometheus.yaml").string(),
                    "--storage.tsdb.path=" + (dir_ / "prometheus").string(),
                    "--web.listen-address=" + address},
                   {.output = dir_ / "prometheus.log"}));
  prometheus_ = std::move(process);
  const bool up = testing::WaitUntil(kStartDeadline,
                                     [&] { return !Get(prometheus_url(), "/-/ready").empty(); });
  if (up) return {};
  return Fail(ErrorCode::kTimeout,
              "Prometheus does not start; see " + (dir_ / "prometheus.log").string());
}

Expected<void> Stage::StartDaemon(const std::vector<std::string>& arguments) {
  std::vector<std::string> argv{programs_.tidegate.string(), "run", "--config",
                                (dir_ / "tidegate.yaml").string()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  TIDEGATE_TRY(testing::ChildProcess process,
               testing::ChildProcess::Start(argv, {.output = dir_ / "tidegate.log"}));
  daemon_ = std::move(process);
  const bool up =
      testing::WaitUntil(kStartDeadline, [&] { return !Get(daemon_url(), "/readyz").empty(); });
  if (up) return {};
  return Fail(ErrorCode::kTimeout,
              "the daemon does not start; see " + (dir_ / "tidegate.log").string());
}

std::string Stage::daemon_url() const {
  return "http://127.0.0.1:" + std::to_string(ports_.daemon);
}
std::string Stage::prometheus_url() const {
  return "http://127.0.0.1:" + std::to_string(ports_.prometheus);
}

std::string Stage::Get(const std::string& url, const std::string& target) const {
  const auto base = net::ParseUrl(url);
  if (!base) return "";
  auto client = net::HttpClient::Create(*base, {});
  if (!client) return "";
  const auto response =
      client->Send({.method = "GET", .target = target, .headers = {}, .body = {}}, Duration(2'000));
  return response && response->status == 200 ? response->body : "";
}

std::string Stage::FrontUrl() const {
  const json::object pool = PoolEntry(Get(daemon_url(), "/api/v1/pools"));
  const json::value* fronts = pool.if_contains("fronts");
  const json::value* http = fronts == nullptr ? nullptr : fronts->get_object().if_contains("http");
  return http == nullptr ? "" : "http://" + std::string(http->get_string());
}

bool Stage::WaitSettled(Replicas ready, Duration deadline) const {
  return testing::WaitUntil(deadline, [&] {
    const json::object pool = PoolEntry(Get(daemon_url(), "/api/v1/pools"));
    return !pool.empty() && pool.at("complete").get_bool() &&
           pool.at("ready").to_number<int>() >= ready;
  });
}

std::vector<testing::DesiredAt> Stage::DesiredOverTime() const {
  std::vector<testing::DesiredAt> desired;
  const auto reader = adapters::JournalReader::Open(journal().string());
  if (!reader) return desired;
  const auto decisions = (*reader)->Last(kPool, 10'000, std::nullopt);
  if (!decisions) return desired;
  for (const decision::Decision& decision : *decisions) {
    desired.push_back({decision.at, decision.desired.replicas});
  }
  return desired;
}

bool Stage::Shutdown(Duration deadline) {
  if (!daemon_) return true;
  daemon_->Signal(SIGTERM);
  const auto status = daemon_->Wait(deadline);
  return status == 0;
}

}  // namespace tidegate::demo
