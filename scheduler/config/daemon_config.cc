#include "scheduler/config/daemon_config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <string_view>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "scheduler/config/manifests.h"
#include "scheduler/config/metadata.h"

namespace tidegate::config {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr std::size_t kMostPaths = 1'000;
constexpr std::size_t kMostRoutes = 1'000;
constexpr std::size_t kLongestHost = 253;
constexpr std::size_t kLongestPrefix = 1'024;
constexpr std::size_t kLongestLabel = 128;
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

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Not empty, at most `longest` bytes of letters, digits and `others`.
bool IsWord(std::string_view text, std::size_t longest, std::string_view others) {
  return !text.empty() && text.size() <= longest && std::ranges::all_of(text, [&](char c) {
    return IsLetter(c) || IsDigit(c) || others.find(c) != std::string_view::npos;
  });
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
  if (!IsWord(name, kLongestHost, ".-_:")) return false;
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

void ReadLabel(Fields& fields, std::string_view key, std::string* out) {
  fields.Text(key, out);
  if (IsWord(*out, kLongestLabel, "_") && !IsDigit(out->front())) return;
  if (const auto value = fields.Get(key)) value->Expect("the name of a Prometheus label");
}

void ReadLabels(Fields& fields, SeriesLabels* labels) {
  const auto value = fields.Get("labels");
  if (!value) return;
  Fields parts(*value);
  ReadLabel(parts, "namespace", &labels->ns);
  ReadLabel(parts, "gateway", &labels->gateway);
  ReadLabel(parts, "replica", &labels->replica);
  parts.Finish();
}

void ReadUrl(Fields& fields, std::string* url) {
  const auto value = fields.Need("url");
  const auto text = value ? value->Text() : std::nullopt;
  if (!text) return;
  std::string_view rest = *text;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (rest.starts_with(scheme)) rest.remove_prefix(scheme.size());
  }
  const std::string_view host = rest.substr(0, rest.find_first_of("/?#"));
  const bool blank = std::ranges::any_of(*text, [](char c) { return c <= ' ' && c >= 0; });
  if (rest.size() == text->size() || host.empty() || host.starts_with(':') || blank) {
    value->Expect("an address like http://127.0.0.1:9090");
  } else if (rest.find_first_of("?#") != std::string_view::npos) {
    value->Complain("expected an address without a query");
  } else if (host.find('@') != std::string_view::npos) {
    value->Complain("names and passwords don't belong in the address; use basicAuth");
  } else {
    *url = *text;
  }
}

void ReadPrometheus(Fields& fields, DaemonConfig* config) {
  const auto value = fields.Get("prometheus");
  if (!value) return;
  PrometheusConfig prometheus;
  Fields parts(*value);
  ReadUrl(parts, &prometheus.url);
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

// Hosts and prefixes end up in HAProxy's configuration: nothing that means something there passes.
Route ReadRoute(const Value& value) {
  Route route;
  Fields fields(value);
  fields.Text("host", &route.host);
  if (const auto host = fields.Get("host"); host && !IsWord(route.host, kLongestHost, ".-")) {
    host->Expect("a host name");
  }
  fields.Text("prefix", &route.prefix);
  const auto prefix = fields.Get("prefix");
  if (prefix && (!route.prefix.starts_with('/') ||
                 !IsWord(route.prefix, kLongestPrefix, "/-._~%+@:=!*,;()"))) {
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
      if (CheckName(*gateway, route.gateway->ns)) (void)CheckName(*gateway, route.gateway->name);
    }
  }
  fields.Finish();
  return route;
}

void ReadRoutes(Fields& fields, std::vector<Route>* routes) {
  const auto value = fields.Get("routes");
  if (!value) return;
  const auto items = value->Items(kMostRoutes);
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Value item(value->context(), items[i], Path(value->path(), i));
    Route route = ReadRoute(item);
    const auto same = std::ranges::find_if(*routes, [&](const Route& other) {
      return other.gateway == route.gateway && other.host == route.host &&
             other.prefix == route.prefix;
    });
    if (same != routes->end()) {
      item.Complain(
          fmt::format("the same gateway, host and prefix as routes[{}]", same - routes->begin()));
    }
    routes->push_back(std::move(route));
  }
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
  if (const auto bind = parts.Get("bind");
      bind && process->bind.find_first_not_of("0123456789abcdefABCDEF.:") != std::string::npos) {
    bind->Expect("an IP address");
  }
  ReadReplica(parts, process);
  parts.Time("drainDeadline", {Duration(0), hours(1)}, &process->drain_deadline);
  ReadRoutes(parts, &process->routes);
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
      const auto text = item.Text();
      if (!text) continue;
      config->manifests.push_back(Beside(item, *text));
      config->manifests_at.push_back(item.at());
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
