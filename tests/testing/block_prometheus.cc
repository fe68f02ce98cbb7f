#include "tests/testing/block_prometheus.h"

#include <fstream>
#include <utility>

namespace tidegate::testing {
namespace {

constexpr Duration kPatience{60'000};

void WriteFile(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace

Expected<std::unique_ptr<BlockPrometheus>> BlockPrometheus::Start(const std::filesystem::path& dir,
                                                                  const std::string& openmetrics) {
  const auto blocks = (dir / "blocks").string();
  const auto config = (dir / "prometheus.yaml").string();
  WriteFile(dir / "run.om", openmetrics);
  WriteFile(config, "global: {}\n");
  TIDEGATE_TRY(const ProgramResult loaded,
               RunProgram({"promtool", "tsdb", "create-blocks-from", "openmetrics",
                           (dir / "run.om").string(), blocks},
                          kPatience));
  if (loaded.status != 0) return Fail(ErrorCode::kInvalid, loaded.output);
  auto server = std::make_unique<BlockPrometheus>();
  const std::string address = "127.0.0.1:" + std::to_string(FreePort());
  server->url_ = "http://" + address;
  TIDEGATE_TRY(
      ChildProcess process,
      ChildProcess::Start({"prometheus", "--config.file=" + config, "--storage.tsdb.path=" + blocks,
                           "--storage.tsdb.retention.time=20y", "--web.listen-address=" + address},
                          {.output = dir / "prometheus.log"}));
  server->process_ = std::move(process);
  TIDEGATE_TRY(const net::Url url, net::ParseUrl(server->url_));
  TIDEGATE_TRY(net::HttpClient client, net::HttpClient::Create(url, {}));
  server->client_.emplace(std::move(client));
  const auto ready = [&] { return server->Ask("/-/ready", {}).find("Ready") != std::string::npos; };
  if (WaitUntil(kPatience, ready)) return server;
  return Fail(ErrorCode::kTimeout, ReadFile(dir / "prometheus.log"));
}

std::string BlockPrometheus::Ask(const std::string& path, const net::Parameters& parameters) {
  const auto response = client_->Send({.method = "GET",
                                       .target = path + "?" + net::EncodeParameters(parameters),
                                       .headers = {},
                                       .body = {}},
                                      kPatience);
  return response ? response->body : "";
}

}  // namespace tidegate::testing
