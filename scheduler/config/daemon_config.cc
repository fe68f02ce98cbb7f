#include "scheduler/config/daemon_config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <string_view>
#include <tuple>
#include <utility>

#include "scheduler/config/manifests.h"
#include "scheduler/config/metadata.h"

namespace tidegate::config {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr std::size_t kMostPaths = 1'000;
constexpr std::size_t kMostRoutes = 1'000;
constexpr std::array<std::string_view, 2> kModes{"samples", "promql"};
constexpr std::array<std::string_view, 5> kLevels{"trace", "debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 2> kFormats{"text", "json"};

std::string Beside(const Value& value, const std::string& path) {
  if (path.empty() || !value.context().file) return path;
  return (std::filesystem::path(*value.context().file).parent_path() / path)
      .lexically_normal()
      .string();
}

void ReadPath(Fields& fields, std::string_view key, std::string* out) {
  const auto value = fields.Get(key);
  if (!value) return;
  if (const auto text = value->Text()) *out = Beside(*value, *text);
}

// "127.0.0.1:9077", "[::1]:9077", "host:80".
bool SplitAddress(std::string_view text, int least, std::string* host, int* port) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  std::string_view name = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return false;
  const bool bracketed = name.front() == '[' && name.back() == ']' && name.size() > 2;
  if (bracketed) name = name.substr(1, name.size() - 2);
  if (number < least || number > 65'535 || (!bracketed && name.find(':') != std::string_view::npos))
    return false;
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == ':';
  };
  if (!std::ranges::all_of(name, fits)) return false;
  *host = std::string(name);
  *port = number;
  return true;
}

void ReadTls(Fields& fields, TlsConfig* tls) {
  const auto value = fields.Get("tls");
  if (!value) return;
  Fields parts(*value);
  ReadPath(parts, "caFile", &tls->ca_file);
  ReadPath(parts, "certFile", &tls->cert_file);
  ReadPath(parts, "keyFile", &tls->key_file);
  parts.Text("serverName", &tls->server_name);
  parts.Bool("insecureSkipVerify", &tls->insecure_skip_verify);
  parts.Finish();
  if (tls->cert_file.empty() != tls->key_file.empty()) {
    value->Complain("certFile and keyFile belong together: give both or none");
  }
}

void ReadAuth(Fields& fields, PrometheusConfig* prometheus) {
  ReadPath(fields, "bearerTokenFile", &prometheus->bearer_token_file);
  fields.Hint("bearerToken", "bearerTokenFile");
  const auto value = fields.Get("basicAuth");
  if (!value) return;
  BasicAuthConfig auth;
  Fields parts(*value);
  if (parts.Need("username")) parts.Text("username", &auth.username);
  if (parts.Need("passwordFile")) ReadPath(parts, "passwordFile", &auth.password_file);
  parts.Hint("password", "passwordFile");
  parts.Finish();
  if (!prometheus->bearer_token_file.empty()) {
    value->Complain("bearerTokenFile is given too; expected one of them");
  }
  prometheus->basic_auth = std::move(auth);
}

void ReadWindows(Fields& fields, PrometheusConfig* prometheus) {
  fields.Time("scrapeInterval", {Duration(1'000), hours(1)}, &prometheus->scrape_interval);
  prometheus->window = prometheus->scrape_interval * 4;
  prometheus->stale_after = prometheus->scrape_interval * 5 / 2;
  fields.Time("window", {prometheus->scrape_interval * 2, hours(24)}, &prometheus->window);
  fields.Time("staleAfter", {prometheus->scrape_interval, hours(24)}, &prometheus->stale_after);
}

void ReadLabels(Fields& fields, SeriesLabels* labels) {
  const auto value = fields.Get("labels");
  if (!value) return;
  Fields parts(*value);
  parts.Text("namespace", &labels->ns);
  parts.Text("gateway", &labels->gateway);
  parts.Text("replica", &labels->replica);
  parts.Finish();
}

void ReadPrometheus(Fields& fields, DaemonConfig* config) {
  const auto value = fields.Get("prometheus");
  if (!value) return;
  PrometheusConfig prometheus;
  Fields parts(*value);
  if (const auto url = parts.Need("url")) {
    const auto text = url->Text();
    if (text && !text->starts_with("http://") && !text->starts_with("https://")) {
      url->Expect("an address like http://127.0.0.1:9090");
    } else if (text) {
      prometheus.url = *text;
    }
  }
  parts.Time("timeout", {Duration(100), minutes(5)}, &prometheus.timeout);
  ReadWindows(parts, &prometheus);
  parts.Choice("mode", kModes, &prometheus.mode);
  ReadAuth(parts, &prometheus);
  ReadTls(parts, &prometheus.tls);
  ReadLabels(parts, &prometheus.labels);
  if (const auto bytes = parts.Get("maxResponseBytes")) {
    const auto amount = bytes->Amount();
    if (amount && (amount->value() < 1024 || amount->value() > 4e9)) {
      bytes->Expect("a size from 1Ki to 4G");
    } else if (amount) {
      prometheus.max_response_bytes = amount->units;
    }
  }
  parts.Finish();
  config->prometheus = std::move(prometheus);
}

void ReadJournal(Fields& fields, JournalConfig* journal) {
  const auto value = fields.Get("journal");
  if (!value) return;
  Fields parts(*value);
  parts.Time("maxAge", {minutes(1), hours(24 * 3'650)}, &journal->max_age);
  if (const auto bytes = parts.Get("maxBytes")) {
    const auto amount = bytes->Amount();
    if (amount && amount->value() < 1024.0 * 1024.0) {
      bytes->Expect("a size of at least 1Mi");
    } else if (amount) {
      journal->max_bytes = amount->units;
    }
  }
  parts.Finish();
}

void ReadLog(Fields& fields, LogConfig* log) {
  const auto value = fields.Get("log");
  if (!value) return;
  Fields parts(*value);
  parts.Choice("level", kLevels, &log->level);
  parts.Choice("format", kFormats, &log->format);
  parts.Finish();
}

Route ReadRoute(const Value& value) {
  Route route;
  Fields fields(value);
  fields.Text("host", &route.host);
  fields.Text("prefix", &route.prefix);
  if (const auto prefix = fields.Get("prefix"); prefix && !route.prefix.starts_with('/')) {
    prefix->Expect("a path that begins with \"/\"");
  }
  if (const auto upstream = fields.Need("upstream")) {
    const auto text = upstream->Text();
    if (text && !SplitAddress(*text, 1, &route.upstream_host, &route.upstream_port)) {
      upstream->Expect("an address like 127.0.0.1:8080");
    }
  }
  if (const auto gateway = fields.Get("gateway")) {
    const auto text = gateway->Text();
    const auto slash = text ? text->find('/') : std::string::npos;
    if (slash == std::string::npos) {
      gateway->Expect("NAMESPACE/NAME of a gateway");
    } else {
      route.gateway = PoolId{text->substr(0, slash), text->substr(slash + 1)};
    }
  }
  fields.Finish();
  return route;
}

void ReadReplica(Fields& fields, ProcessConfig* process) {
  const auto value = fields.Get("replica");
  if (!value) return;
  Fields parts(*value);
  parts.Int("maxconn", {1, 1'000'000, "a number of connections"},
            &process->replica_max_connections);
  parts.Int("threads", {1, 64, "a number of threads"}, &process->replica_threads);
  parts.Finish();
}

void ReadProcess(Fields& fields, ProcessConfig* process) {
  const auto value = fields.Get("process");
  if (!value) return;
  Fields parts(*value);
  if (const auto haproxy = parts.Get("haproxy")) {
    const auto text = haproxy->Text();
    if (text && text->empty()) haproxy->Expect("a path or a program's name");
    if (text)
      process->haproxy = text->find('/') == std::string::npos ? *text : Beside(*haproxy, *text);
  }
  parts.Bool("exactPorts", &process->exact_ports);
  parts.Text("bind", &process->bind);
  ReadReplica(parts, process);
  parts.Time("drainDeadline", {Duration(0), hours(1)}, &process->drain_deadline);
  if (const auto routes = parts.Get("routes")) {
    const auto items = routes->Items(kMostRoutes);
    for (std::size_t i = 0; i < items.size(); ++i) {
      const Value item(routes->context(), items[i], Path(routes->path(), i));
      process->routes.push_back(ReadRoute(item));
    }
  }
  if (const auto quota = parts.Get("quota")) {
    Fields bounds(*quota);
    bounds.OptionalInt("replicas", {1, kMaxReplicas, "a number of replicas"},
                       &process->quota_replicas);
    bounds.Finish();
  }
  parts.Finish();
}

void ReadSpec(Fields& fields, DaemonConfig* config) {
  fields.Time("tick", {Duration(1'000), hours(1)}, &config->tick);
  if (const auto listen = fields.Get("listen")) {
    const auto text = listen->Text();
    if (text && !SplitAddress(*text, 0, &config->listen_host, &config->listen_port)) {
      listen->Expect("an address like 127.0.0.1:9077");
    }
  }
  ReadPath(fields, "stateDir", &config->state_dir);
  if (const auto manifests = fields.Need("manifests")) {
    const auto items = manifests->Items(kMostPaths);
    for (std::size_t i = 0; i < items.size(); ++i) {
      const Value item(manifests->context(), items[i], Path(manifests->path(), i));
      if (const auto text = item.Text()) config->manifests.push_back(Beside(item, *text));
    }
  }
  ReadPrometheus(fields, config);
  ReadJournal(fields, &config->journal);
  ReadLog(fields, &config->log);
  ReadProcess(fields, &config->process);
}

}  // namespace

const char* Name(PrometheusMode mode) { return kModes[static_cast<std::size_t>(mode)].data(); }
const char* Name(LogLevel level) { return kLevels[static_cast<std::size_t>(level)].data(); }
const char* Name(LogFormat format) { return kFormats[static_cast<std::size_t>(format)].data(); }

DaemonConfig ReadDaemonConfig(const Value& document) {
  DaemonConfig config;
  config.at = document.at();
  config.state_dir = Beside(document, "state");
  Fields fields(document);
  (void)fields.Get("apiVersion");
  (void)fields.Get("kind");
  if (const auto metadata = fields.Get("metadata")) {
    Metadata ignored;
    ReadMetadata(fields, &ignored, nullptr);
  }
  if (const auto spec = fields.Need("spec")) {
    Fields parts(*spec);
    ReadSpec(parts, &config);
    parts.Finish();
  }
  fields.Finish();
  return config;
}

std::vector<Route> RoutesOf(const DaemonConfig& config, const PoolId& pool) {
  std::vector<Route> routes;
  for (const Route& route : config.process.routes) {
    if (!route.gateway || *route.gateway == pool) routes.push_back(route);
  }
  std::ranges::stable_sort(routes, [](const Route& a, const Route& b) {
    const auto key = [](const Route& route) {
      return std::tuple(route.host.empty(), -static_cast<std::int64_t>(route.prefix.size()),
                        route.host, route.prefix);
    };
    return key(a) < key(b);
  });
  return routes;
}

}  // namespace tidegate::config
