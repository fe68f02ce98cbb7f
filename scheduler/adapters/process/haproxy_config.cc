#include "scheduler/adapters/process/haproxy_config.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <string_view>

#include <fmt/format.h>
#include <sys/resource.h>

namespace tidegate::adapters {
namespace {

constexpr int kMaxThreads = 64;
constexpr int kUsualMaxconn = 2'000;
constexpr int kMaxMaxconn = 1'000'000;
constexpr std::size_t kMaxPorts = 32;
constexpr std::size_t kMaxRoutes = 1'000;
constexpr std::size_t kMaxText = 253;

bool IsOneOf(char c, std::string_view extra) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         extra.find(c) != std::string_view::npos;
}

// Only such text reaches a configuration file, so that no manifest can write directives.
bool IsPlain(std::string_view text, std::string_view extra) {
  return !text.empty() && text.size() <= kMaxText &&
         std::all_of(text.begin(), text.end(), [extra](char c) { return IsOneOf(c, extra); });
}

bool IsName(std::string_view text) {
  return IsPlain(text, "-.") && text.front() != '.' && text.front() != '-';
}

bool IsHostPort(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !IsName(text.substr(0, colon))) return false;
  int port = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + colon + 1, end, port);
  return parsed.ec == std::errc() && parsed.ptr == end && port >= 1 && port <= 65535;
}

void CheckPorts(const PoolTemplate& pool, std::vector<std::string>& problems) {
  if (pool.ports.empty() || pool.ports.size() > kMaxPorts) {
    problems.push_back(fmt::format("has {} ports, expected 1 to {}", pool.ports.size(), kMaxPorts));
  }
  std::set<std::string> names;
  for (const PortTemplate& port : pool.ports) {
    if (!IsName(port.name) || !names.insert(port.name).second) {
      problems.push_back(
          fmt::format("port '{}' needs a name of its own of letters, digits and '-'", port.name));
    }
    if (port.port < 1 || port.port > 65535) {
      problems.push_back(fmt::format("port {} is not in 1..65535", port.port));
    }
    if (port.protocol != "TCP" && !port.protocol.empty()) {
      problems.push_back(fmt::format("port '{}' has the protocol {}, a local pool serves TCP only",
                                     port.name, port.protocol));
    }
  }
}

void CheckRoutes(const PoolTemplate& pool, std::vector<std::string>& problems) {
  if (pool.routes.size() > kMaxRoutes) {
    problems.push_back(
        fmt::format("has {} routes, expected at most {}", pool.routes.size(), kMaxRoutes));
  }
  for (const RouteTemplate& route : pool.routes) {
    if (!IsPlain(route.prefix, "/-._~!$&()*+,;=:@%") || route.prefix.front() != '/') {
      problems.push_back(fmt::format("route prefix '{}' is not a URL path", route.prefix));
    }
    const bool wildcard = route.host.rfind("*.", 0) == 0;
    if (!route.host.empty() && route.host != "*" &&
        !IsName(wildcard ? route.host.substr(2) : route.host)) {
      problems.push_back(fmt::format("route host '{}' is not a host name", route.host));
    }
    if (!IsHostPort(route.upstream)) {
      problems.push_back(fmt::format("route upstream '{}' is not HOST:PORT", route.upstream));
    }
  }
}

// Host match before any host, exact before wildcard, then the longer prefix.
int HostRank(const std::string& host) {
  if (host.empty() || host == "*") return 2;
  return host.front() == '*' ? 1 : 0;
}

std::vector<RouteTemplate> Ordered(std::vector<RouteTemplate> routes) {
  std::stable_sort(routes.begin(), routes.end(), [](const auto& a, const auto& b) {
    if (HostRank(a.host) != HostRank(b.host)) return HostRank(a.host) < HostRank(b.host);
    if (a.host.size() != b.host.size()) return a.host.size() > b.host.size();
    return a.prefix.size() > b.prefix.size();
  });
  return routes;
}

std::string Conditions(const RouteTemplate& route) {
  std::string text = fmt::format("{{ path_beg '{}' }}", route.prefix);
  if (HostRank(route.host) == 0) {
    text += fmt::format(" {{ req.hdr(host),host_only -i '{}' }}", route.host);
  } else if (HostRank(route.host) == 1) {
    text += fmt::format(" {{ req.hdr(host),host_only -i -m end '{}' }}", route.host.substr(1));
  }
  return text;
}

// HAProxy reports "Proxy ... stopped" on the same target as access logs, at level warning and as
// plain text. Access lines are therefore raised to level err, and the target takes nothing less
// severe, which leaves one JSON object per line. The field names are Envoy's.
std::string AccessLog() {
  return R"(    log stdout len 8192 format raw local0 err
    option log-separate-errors
    http-request set-log-level err
    http-request capture req.hdr(host) len 256
    http-request capture req.hdr(user-agent) len 256
    http-request capture req.hdr(x-forwarded-for) len 128
    http-request capture req.hdr(x-request-id) len 64
    log-format '{"start_time":%Ts.%ms,"method":"%[capture.req.method,json(utf8ps)]","path":"%[capture.req.uri,json(utf8ps)]","protocol":"%HV","response_code":%ST,"response_flags":"%tsc","bytes_received":%U,"bytes_sent":%B,"duration":%Ta,"upstream_service_time":%Tr,"authority":"%[capture.req.hdr(0),json(utf8ps)]","user_agent":"%[capture.req.hdr(1),json(utf8ps)]","x_forwarded_for":"%[capture.req.hdr(2),json(utf8ps)]","request_id":"%[capture.req.hdr(3),json(utf8ps)]","route":"%b","upstream":"%s","downstream_remote_address":"%ci:%cp"}'
)";
}

// A request that isn't idempotent is sent again only if it never reached the other side.
constexpr std::string_view kSafeRetries =
    "    http-request disable-l7-retry unless { method GET HEAD OPTIONS }\n";

std::string TrafficFrontend(const PoolTemplate& pool, const PortBinding& port) {
  // The front keeps idle connections besides those in use, hence more room than replica_maxconn,
  // which the backends below hold.
  std::string text = fmt::format("\nfrontend traffic_{}\n    bind 127.0.0.1:{}\n    maxconn {}\n",
                                 port.name, port.port, MaxconnOf(pool) * 2 + 64);
  if (!pool.access_log_project.empty()) text += AccessLog();
  text += kSafeRetries;
  const auto routes = Ordered(pool.routes);
  for (std::size_t i = 0; i < routes.size(); ++i) {
    text += fmt::format("    use_backend route_{} if {}\n", i, Conditions(routes[i]));
  }
  return text + "    default_backend no_route\n";
}

}  // namespace

std::vector<std::string> Problems(const PoolTemplate& pool) {
  std::vector<std::string> problems;
  if (!IsName(pool.id.ns) || !IsName(pool.id.name)) {
    problems.push_back("needs a namespace and a name of letters, digits, '-' and '.'");
  }
  if (!IsName(pool.revision)) problems.push_back("has no revision");
  CheckPorts(pool, problems);
  CheckRoutes(pool, problems);
  if (pool.replica_maxconn < 0 || pool.replica_maxconn > kMaxMaxconn) {
    problems.push_back(
        fmt::format("replica_maxconn {} is not in 0..{}", pool.replica_maxconn, kMaxMaxconn));
  }
  if (pool.threads < 1 || pool.threads > kMaxThreads) {
    problems.push_back(fmt::format("threads {} is not in 1..{}", pool.threads, kMaxThreads));
  }
  if (pool.drain_deadline < Duration(0) || pool.drain_deadline > std::chrono::hours(24)) {
    problems.push_back("drain deadline is not in 0s..24h");
  }
  if (!pool.access_log_project.empty() && !IsName(pool.access_log_project)) {
    problems.push_back(
        fmt::format("access log project '{}' is not a name of letters, digits and '-'",
                    pool.access_log_project));
  }
  return problems;
}

int MaxconnOf(const PoolTemplate& pool) {
  return pool.replica_maxconn == 0 ? kUsualMaxconn : pool.replica_maxconn;
}

std::string BackendName(const std::string& port_name) { return "pool_" + port_name; }

std::string ReplicaConfig(const PoolTemplate& pool, const std::vector<PortBinding>& ports,
                          int metrics_port) {
  const auto stop = std::max<std::int64_t>(pool.drain_deadline.count(), 1);
  std::string text = fmt::format(
      R"(# Generated from {} revision {}; do not edit.
global
    maxconn {}
    nbthread {}
    hard-stop-after {}ms
    no strict-limits

defaults
    mode http
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    timeout queue 30s
    timeout http-request 10s
    timeout http-keep-alive 60s
    retries 2
    retry-on conn-failure empty-response
)",
      ToString(pool.id), pool.revision,
      (MaxconnOf(pool) * 2 + 64) * static_cast<int>(ports.size()) + 64, pool.threads, stop);
  for (const PortBinding& port : ports) text += TrafficFrontend(pool, port);
  const auto routes = Ordered(pool.routes);
  for (std::size_t i = 0; i < routes.size(); ++i) {
    text += fmt::format(
        "\nbackend route_{}\n    server upstream {} maxconn {} init-addr last,libc,none\n", i,
        routes[i].upstream, MaxconnOf(pool));
  }
  text += fmt::format(R"(
backend no_route
    http-request return status 404 content-type text/plain string "no such route"

frontend metrics
    bind 127.0.0.1:{}
    timeout http-keep-alive 5s
    http-request use-service prometheus-exporter if {{ path /metrics }} || {{ path /stats/prometheus }}
    http-request return status 200 content-type text/plain string ok if {{ path /healthz }}
    http-request return status 404
)",
                      metrics_port);
  return text;
}

std::string FrontConfig(const FrontSetup& setup, const ProcessFleetOptions& options) {
  const bool broken = options.fault == ProcessFault::kDrainOrder;
  std::string text = fmt::format(
      R"(# Generated; do not edit. Servers come and go through the runtime API.
global
    stats socket unix@front.sock mode 600 level admin expose-fd listeners
    stats timeout 10s
    maxconn {}
    nbthread {}
    hard-stop-after {}ms
    no strict-limits

defaults
    mode http
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    timeout queue {}ms
    timeout check 2s
    timeout http-request 10s
    timeout http-keep-alive 60s
    option forwardfor
    option idle-close-on-response
{}
)",
      setup.maxconn, options.front_threads, std::max<std::int64_t>(setup.hard_stop.count(), 1),
      options.queue_timeout.count(),
      broken ? "    retries 0\n"
             : "    option redispatch 1\n    retries 3\n"
               "    retry-on conn-failure empty-response\n");
  for (const PortBinding& port : setup.ports) {
    text += fmt::format(
        "\nfrontend front_{0}\n    bind {1}:{2}\n    maxconn {3}\n{4}    default_backend {5}\n"
        "\nbackend {5}\n    balance leastconn\n    option httpchk GET /healthz\n",
        port.name, options.bind_address, port.port, setup.maxconn, kSafeRetries,
        BackendName(port.name));
    for (const ServerSetup& server : setup.servers) {
      if (server.backend == BackendName(port.name)) text += ServerLine(server);
    }
  }
  return text;
}

int AffordableMaxconn(int wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max == RLIM_INFINITY) return wanted;
  const auto affordable = (static_cast<std::int64_t>(limit.rlim_max) - 256) * 10 / 22;
  return static_cast<int>(std::clamp<std::int64_t>(affordable, 64, wanted));
}

}  // namespace tidegate::adapters
