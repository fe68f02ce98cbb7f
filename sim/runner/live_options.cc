#include "sim/runner/live_options.h"

#include <functional>
#include <ostream>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "sim/runner/progress.h"

namespace tidegate::sim {
namespace {

constexpr Duration kLongest = std::chrono::hours(24 * 366);

std::string CheckInstant(const std::string& text) {
  const auto at = ParseInstant(text);
  return at ? "" : at.error().message;
}

// Turns shares into the hundred pieces of a Progress, one for each thing that is read.
class HistoryReport {
 public:
  explicit HistoryReport(std::ostream& err) : err_(err) {}

  void Tell(const std::string& what, double share) {
    if (!progress_ || what != what_) {
      progress_.reset();  // the old one ends its line first
      what_ = what;
      told_ = 0;
      progress_ = std::make_unique<Progress>(err_, "percent of " + what, 100, 0);
    }
    for (; told_ < static_cast<int>(share * 100); ++told_) progress_->Done();
  }

 private:
  std::ostream& err_;
  std::string what_;
  int told_ = 0;
  std::unique_ptr<Progress> progress_;
};

struct Stretch {
  Instant begin{};
  Instant end{};
};

// Instants are whole seconds, so that bins are where other tools have them.
Instant WholeSecond(Instant at) { return FromUnixMillis(UnixMillis(at) / 1000 * 1000); }

Expected<Stretch> StretchOf(const LiveOptions& options) {
  Stretch stretch;
  if (options.from.empty() == (options.last == Duration(0))) {
    return Fail(ErrorCode::kInvalid, "expected either --from or --last, to say which history");
  }
  if (options.to.empty()) {
    stretch.end = WholeSecond(TimeOfDay());
  } else {
    TIDEGATE_TRY(stretch.end, ParseInstant(options.to));
  }
  stretch.begin = stretch.end - options.last;
  if (!options.from.empty()) {
    TIDEGATE_TRY(stretch.begin, ParseInstant(options.from));
  }
  if (stretch.end - stretch.begin < Duration(10'000) || stretch.end - stretch.begin > kLongest) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("the history goes from {} to {}; expected 10 s to a year",
                            FormatInstant(stretch.begin), FormatInstant(stretch.end)));
  }
  return stretch;
}

void AddClientOptions(CLI::App& command, const std::shared_ptr<LiveOptions>& options) {
  config::PrometheusConfig& prometheus = options->prometheus;
  const auto file = [&](const char* name, std::string* out, const char* help) {
    return command.add_option(name, *out, help)->check(CLI::ExistingFile);
  };
  auto* bearer = file("--bearer-token-file", &prometheus.bearer_token_file, "Holds a bearer token");
  auto* user = command.add_option_function<std::string>(
      "--basic-user",
      [options](const std::string& name) {
        auto& auth = options->prometheus.basic_auth;
        auth =
            config::BasicAuthConfig{name, auth.value_or(config::BasicAuthConfig{}).password_file};
      },
      "User name for basic authentication");
  auto* password = command
                       .add_option_function<std::string>(
                           "--basic-password-file",
                           [options](const std::string& path) {
                             auto& auth = options->prometheus.basic_auth;
                             auth = config::BasicAuthConfig{
                                 auth.value_or(config::BasicAuthConfig{}).username, path};
                           },
                           "Holds its password")
                       ->check(CLI::ExistingFile);
  user->needs(password)->excludes(bearer);
  password->needs(user);
  file("--ca-file", &prometheus.tls.ca_file, "Certificates to trust (PEM)");
  auto* cert = file("--cert-file", &prometheus.tls.cert_file, "Our certificate (PEM)");
  auto* key = file("--key-file", &prometheus.tls.key_file, "Its key");
  cert->needs(key);
  key->needs(cert);
  command.add_option("--server-name", prometheus.tls.server_name,
                     "Checked against the server's certificate in place of the URL's host");
  command.add_flag("--insecure-skip-verify", prometheus.tls.insecure_skip_verify,
                   "Trust any server");
}

void AddDurationTo(CLI::App& command, const std::string& name,
                   const std::function<void(Duration)>& put, Duration least,
                   const std::string& help) {
  command
      .add_option_function<std::string>(
          name, [put](const std::string& text) { put(*ParseDuration(text)); }, help)
      ->check([least](const std::string& text) {
        const auto duration = ParseDuration(text);
        if (!duration) return duration.error().message;
        if (*duration >= least && *duration <= kLongest) return std::string();
        return fmt::format("expected {} to a year, got {}", FormatDuration(least), text);
      });
}

}  // namespace

void AddDuration(CLI::App& command, const std::string& name, Duration* out, Duration least,
                 const std::string& help) {
  AddDurationTo(
      command, name, [out](Duration given) { *out = given; }, least, help);
}

void AddDuration(CLI::App& command, const std::string& name, std::optional<Duration>* out,
                 Duration least, const std::string& help) {
  AddDurationTo(
      command, name, [out](Duration given) { *out = given; }, least, help);
}

void AddCandidateOptions(CLI::App& command, const std::shared_ptr<LiveOptions>& options) {
  CandidateOptions& candidate = options->candidate;
  command.add_option("manifests", candidate.manifests,
                     "The candidate: files and folders of manifests, as the daemon reads them");
  command.add_option("--scenario", candidate.scenario,
                     "How replicas and scrapes behave (kind Scenario); its manifests are the "
                     "candidate where none are given");
  command.add_option("--config", candidate.config,
                     "The daemon's configuration: how to reach Prometheus, tick, scrapes; its "
                     "manifests are the candidate where there are no others");
  command.add_option("--pool", candidate.pools, "namespace/name; all pools by default");
  command
      .add_option_function<std::string>(
          "-o,--output", [options](const std::string& form) { options->json = form == "json"; },
          "text (default) or json")
      ->check(CLI::IsMember({"text", "json"}));
}

void AddHistoryOptions(CLI::App& command, const std::shared_ptr<LiveOptions>& options) {
  command.add_option("--prometheus", options->prometheus.url,
                     "Where the history is: http://host:9090; the --config's by default");
  command.add_option("--from", options->from, "Begin: 2026-11-25T10:00:00Z, or seconds since 1970")
      ->check(CheckInstant);
  command.add_option("--to", options->to, "End; now by default")->check(CheckInstant);
  AddDuration(command, "--last", &options->last, Duration(10'000),
              "So much before the end, in place of --from: 6h");
  AddDuration(command, "--step", &options->query.step, Duration(1'000),
              "Of queries; the scrape interval by default. Bins are a fifth of it, or with --query "
              "as long");
  AddDuration(command, "--scrape-interval", &options->scrape_interval, Duration(1'000),
              "Of the gateways; the configuration's by default");
  command.add_option("--query", options->query.promql,
                     "PromQL that gives the pool's request rate; {{namespace}}, {{gateway}} and "
                     "{{window}} are replaced. The counters of its requests signal by default");
  command.add_option("--max-gaps", options->query.most_guessed, "Share of bins that may lack data")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  AddClientOptions(command, options);
  command
      .add_option("--scale", options->scale, "Times the demand: 1.5 asks what half more would do")
      ->check(CLI::Range(0.001, 1000.0))
      ->capture_default_str();
}

MinuteObjective MinutesOf(const Candidate& candidate) {
  MinuteObjective objective;
  if (const auto wait = candidate.scenario.objective.wait) objective.wait_seconds = Seconds(*wait);
  return objective;
}

bool NamesPrometheus(const LiveOptions& options, const Candidate& candidate) {
  return !options.prometheus.url.empty() || candidate.prometheus.has_value();
}

Expected<config::PrometheusConfig> PrometheusOf(const LiveOptions& options,
                                                const Candidate& candidate) {
  if (!NamesPrometheus(options, candidate)) {
    return Fail(ErrorCode::kInvalid, "expected --prometheus URL, or a --config that names one");
  }
  const config::PrometheusConfig& given = options.prometheus;
  config::PrometheusConfig prometheus = candidate.prometheus.value_or(config::PrometheusConfig{});
  if (!candidate.prometheus) {
    prometheus.scrape_interval = candidate.scenario.scrape_interval;
  }
  if (!given.url.empty()) prometheus.url = given.url;
  if (!given.bearer_token_file.empty() || given.basic_auth) {
    prometheus.bearer_token_file = given.bearer_token_file;
    prometheus.basic_auth = given.basic_auth;
  }
  if (!given.tls.ca_file.empty()) prometheus.tls.ca_file = given.tls.ca_file;
  if (!given.tls.cert_file.empty()) prometheus.tls.cert_file = given.tls.cert_file;
  if (!given.tls.key_file.empty()) prometheus.tls.key_file = given.tls.key_file;
  if (!given.tls.server_name.empty()) prometheus.tls.server_name = given.tls.server_name;
  if (given.tls.insecure_skip_verify) prometheus.tls.insecure_skip_verify = true;
  if (options.scrape_interval > Duration(0)) prometheus.scrape_interval = options.scrape_interval;
  if (!candidate.prometheus || options.scrape_interval > Duration(0)) {
    prometheus.window = prometheus.scrape_interval * 4;
    prometheus.stale_after = prometheus.scrape_interval * 5 / 2;
  }
  // A tick's queries must be quick; a piece of history may take its time.
  prometheus.timeout = std::max(prometheus.timeout, Duration(60'000));
  return prometheus;
}

Expected<std::vector<PoolHistory>> ReadHistories(const LiveOptions& options,
                                                 const Candidate& candidate, std::ostream& err) {
  TIDEGATE_TRY(const config::PrometheusConfig prometheus, PrometheusOf(options, candidate));
  TIDEGATE_TRY(const Stretch stretch, StretchOf(options));
  HistoryQuery query = options.query;
  query.begin = stretch.begin;
  query.end = stretch.end;
  std::vector<PoolHistory> histories;
  HistoryReport report(err);
  const HistoryProgress progress = [&](const std::string& what, double share) {
    report.Tell(what, share);
  };
  for (const PoolId& pool : candidate.pools) {
    TIDEGATE_TRY(PoolHistory history,
                 ReadPoolHistory(prometheus, pool, *candidate.config.Find(pool), query, progress));
    history.demand = traces::Scaled(std::move(history.demand), options.scale);
    histories.push_back(std::move(history));
  }
  return histories;
}

}  // namespace tidegate::sim
