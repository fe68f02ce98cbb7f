#include "tests/testing/steady_load.h"

#include <optional>
#include <utility>

#include "traces/net/url.h"

namespace tidegate::testing {

SteadyLoad::SteadyLoad(const std::string& url, double requests_per_second)
    : rate_(requests_per_second) {
  thread_ = std::thread([this, url] {
    net::LoadOptions options;
    options.url = net::ParseUrl(url).value_or(net::Url{});
    options.timeout = Duration(20'000);
    options.max_connections = 4'000;
    double at = 0;  // seconds
    const auto next = [&]() -> std::optional<net::LoadTime> {
      if (end_) return std::nullopt;
      at += 1 / rate_;
      return net::LoadTime(static_cast<std::int64_t>(at * 1e6));
    };
    auto report = net::RunLoad(options, next, {});
    if (report) report_ = *std::move(report);
  });
}

SteadyLoad::~SteadyLoad() { Finish(); }

net::LoadReport SteadyLoad::Finish() {
  end_ = true;
  if (thread_.joinable()) thread_.join();
  return report_;
}

}  // namespace tidegate::testing
