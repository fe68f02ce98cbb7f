#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "scheduler/config/problem.h"

namespace tidegate::config {

// Files that hold a client's TLS settings; empty: not used.
struct TlsConfig {
  std::string ca_file;    // empty: the system's certificates
  std::string cert_file;  // with key_file, both or none
  std::string key_file;
  std::string server_name;  // checked instead of the URL's host
  bool insecure_skip_verify = false;
  bool operator==(const TlsConfig&) const = default;
};

struct BasicAuthConfig {
  std::string username;
  std::string password_file;
  bool operator==(const BasicAuthConfig&) const = default;
};

// How a rate comes about: from raw samples by our estimator, or from PromQL's rate().
enum class PrometheusMode { kSamples, kPromql };
const char* Name(PrometheusMode mode);  // "samples", "promql"

// Which labels of a series name the pool and the replica that it belongs to.
struct SeriesLabels {
  std::string ns = "namespace";
  std::string gateway = "gateway";
  std::string replica = "replica";  // series without it are told apart by "pod", then "instance"
  bool operator==(const SeriesLabels&) const = default;
};

struct PrometheusConfig {
  std::string url;                   // http://host:port/path or https://; never empty
  Duration timeout{10'000};          // of one query; 100 ms .. 5 min
  Duration scrape_interval{30'000};  // of the gateways' job; 1 s .. 1 h
  Duration window{120'000};          // that rates look back; >= 2 scrape intervals; default 4
  Duration stale_after{75'000};      // >= scrape interval; default 2.5 scrape intervals
  PrometheusMode mode = PrometheusMode::kSamples;
  std::string bearer_token_file;  // not together with basic_auth
  std::optional<BasicAuthConfig> basic_auth;
  TlsConfig tls;
  std::int64_t max_response_bytes = 64 << 20;  // 1 KiB .. 4 GiB
  SeriesLabels labels;
  bool operator==(const PrometheusConfig&) const = default;
};

struct JournalConfig {
  Duration max_age{7LL * 24 * 3600 * 1000};  // older records are deleted; >= 1 min
  std::int64_t max_bytes = 1 << 30;          // of the database; >= 1 MiB
};

enum class LogLevel { kTrace, kDebug, kInfo, kWarn, kError };
enum class LogFormat { kText, kJson };
const char* Name(LogLevel level);    // "trace", "debug", "info", "warn", "error"
const char* Name(LogFormat format);  // "text", "json"
struct LogConfig {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kText;
};

// Requests whose path begins with `prefix` go to `upstream`. The longest matching prefix wins, a
// route with a host before one without.
struct Route {
  std::optional<PoolId> gateway;  // unset: of every pool
  std::string host;               // empty: any
  std::string prefix = "/";
  std::string upstream_host;
  int upstream_port = 0;  // 1 .. 65535
  bool operator==(const Route&) const = default;
};

// Pools that the daemon runs itself, as HAProxy processes on this machine.
struct ProcessConfig {
  std::string haproxy = "haproxy";  // path, or a name to look up in PATH
  bool exact_ports = false;         // bind the manifest's ports instead of free ones
  std::string bind = "127.0.0.1";   // address of the pools' fronts
  int replica_max_connections = 0;  // replica.maxconn; 0: HAProxy's own limit
  int replica_threads = 1;          // replica.threads; 1 .. 64
  Duration drain_deadline{30'000};  // a draining replica is stopped hard after this; 0 .. 1 h
  std::vector<Route> routes;
  std::optional<Replicas> quota_replicas;  // quota.replicas: live + draining of each pool (B4)
};

// The daemon's own configuration: kind TidegateConfig, apiVersion tidegate.dev/v1alpha1. Relative
// paths in the file are relative to the file's folder; here they are as they can be opened.
struct DaemonConfig {
  Duration tick{5'000};  // 1 s .. 1 h
  std::string listen_host = "127.0.0.1";
  int listen_port = 9077;  // 0: any free one
  std::string state_dir;   // journal, sockets, generated files; "state" beside the file by default
  std::vector<std::string> manifests;          // files and folders
  std::vector<Location> manifests_at;          // where the file names each of them
  std::optional<PrometheusConfig> prometheus;  // unset: nothing is read, nothing can be scaled
  JournalConfig journal;
  LogConfig log;
  ProcessConfig process;
  Location at;  // the document
};

// The routes of one pool, in the order in which they are to be tried: those with a host first, then
// longer prefixes, then by text.
std::vector<Route> RoutesOf(const DaemonConfig& config, const PoolId& pool);

}  // namespace tidegate::config
