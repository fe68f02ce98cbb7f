// The command line of `tidetrace import`.

#include <charconv>
#include <cmath>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "traces/cli/import.h"

namespace tidegate::traces {
namespace {

constexpr const char* kFooter =
    R"(Files are read in the order given and may overlap in time; gzip and zstd are unpacked on the way,
whatever the name. "-" reads standard input. The first lines tell the format; --format names it:
  {formats}
  {prometheus:<12}the answer of Prometheus's /api/v1/query_range, as a file
--log-format takes a server's own format as its configuration has it: Nginx's log_format, Apache's
LogFormat or Envoy's text format.

Lines that are not understood, or come later than --reorder allows, are left out, counted and the first
ones shown; more than --max-bad of them fail the import. Memory stays the same however long a log is:
8 bytes a bin, and a log that would need more than --max-bins is refused.

A sample of a range query stands for the step that ends at it. --prometheus asks for the samples at
--start + --step, and so on up to --end, in pieces of at most 10,000 points.

Examples:
  tidetrace import access.log -o day.csv
  tidetrace import access.log.2.gz access.log.1 --bin 10s --status 2xx,3xx --path-prefix /shop -o shop.tgtrace
  tidetrace import --log-format '$remote_addr [$time_local] "$request" $status' access.log -o day.csv
  zcat huge.gz | tidetrace import - --start 2026-11-27T00:00:00+08:00 --end 2026-11-28T00:00:00+08:00
  curl -s 'http://prometheus:9090/api/v1/query_range?...' | tidetrace import - -o day.csv
  tidetrace import --prometheus https://prometheus:9090 --bearer-token-file token --step 1m \
      --query 'sum(rate(haproxy_frontend_http_requests_total{{proxy=~"traffic_.*"}}[1m]))' \
      --start 2026-11-27T00:00:00+08:00 --end 2026-11-28T00:00:00+08:00 -o day.tgtrace

Exit status: 0 done, 1 failed, 2 bad input. --output json prints one object: file, bins, bin_s, start,
requests, peak_rps, format, bytes, lines, counted, filtered, outside, late, bad,
bad_lines[{{file, line, why, text}}]; or, from a range, filled.)";

std::string Footer() {
  std::string formats;
  for (const KnownFormat& known : LogFormats()) {
    formats += fmt::format("{}{:<12}{}", formats.empty() ? "" : "\n  ", known.name, known.what);
  }
  return fmt::format(kFooter, fmt::arg("formats", formats), fmt::arg("prometheus", "prometheus"));
}

void AddLogOptions(CLI::App& import, ImportWords& words) {
  ImportOptions& logs = words.command.logs;
  std::vector<std::string> formats{"auto", "prometheus"};
  for (const KnownFormat& known : LogFormats()) formats.emplace_back(known.name);
  import.add_option("--format", logs.format.format, "name of a format below (default auto)")
      ->check(CLI::IsMember(formats));
  import.add_option("--log-format", logs.format.log_format, "the server's own format");
  import.add_option("--time-field", logs.format.json.time, "json: member that holds the time");
  import.add_option("--status-field", logs.format.json.status,
                    "json: member that holds the status");
  import.add_option("--path-field", logs.format.json.path, "json: member that holds the path");
  import.add_option("--host-field", logs.format.json.host, "json: member that holds the host");
  import.add_option("--status", words.status, "count only these: 2xx, 404, 500-599; 0: no answer");
  import.add_option("--path-prefix", logs.filter.path_prefixes,
                    "count only paths that begin so; may be repeated");
  import.add_option("--host", logs.filter.hosts, "count only this host; may be repeated");
  import.add_option("--utc-offset", words.utc_offset,
                    "zone of times that do not name theirs, as HAProxy's: +08:00 (default UTC)");
  import.add_option("--reorder", words.reorder,
                    "how far a line may be behind the latest one (default 5m)");
  import
      .add_option("--max-bins", logs.bins.max_bins,
                  fmt::format("most bins to keep (default {})", kMaxTraceBins))
      ->check(CLI::Range(std::size_t{2}, kMaxTraceBins));
  import.add_option("--max-bad", words.max_bad,
                    "share of lines that may be left out as bad or late (default 5%)");
  import.add_flag("--strict", logs.strict, "fail at the first line that is bad or late");
}

Expected<Duration> ParseOffset(const std::string& text) {
  // ISO 8601's forms of a zone; a time in it tells how far it is from UTC.
  const auto there = ParseInstant("2000-01-01T00:00:00" + text);
  if (there && !text.empty()) return FromUnixMillis(946'684'800'000) - *there;
  return Fail(ErrorCode::kInvalid,
              fmt::format("--utc-offset: \"{}\" is no zone; expected +08:00 or Z", text));
}

Expected<double> ParseShare(const std::string& text) {
  std::string_view number = text;
  const bool percent = number.ends_with('%');
  if (percent) number.remove_suffix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (percent) value /= 100;
  const bool whole = error == std::errc() && end == number.data() + number.size();
  if (whole && value >= 0 && value <= 1) return value;
  return Fail(ErrorCode::kInvalid,
              fmt::format("--max-bad: \"{}\" is no share; expected 0% to 100%", text));
}

template <class T>
Expected<T> Named(const char* flag, Expected<T> value) {
  if (value) return value;
  return Fail(value.error().code, fmt::format("{}: {}", flag, value.error().message));
}

void AddRangeOptions(CLI::App& import, ImportWords& words) {
  import
      .add_option("--values", words.values,
                  "range: what a sample is, rate (requests/s, the default) or count (requests)")
      ->check(CLI::IsMember({"rate", "count"}));
  import
      .add_option("--gaps", words.gaps,
                  "range: steps without a sample: refuse (the default), line or zero")
      ->check(CLI::IsMember({"refuse", "line", "zero"}));
  import.add_option("--step", words.step, "range: its step (default: told by the samples)");
  import.add_flag("--sum-series", words.command.range.sum_series,
                  "range in a file: add several series up");
  LiveQuery& live = words.command.live;
  import.add_option("--prometheus", live.url, "URL of a Prometheus to ask, in place of files");
  import.add_option("--query", live.promql, "what to ask: an expression of one series");
  import.add_option("--timeout", words.timeout, "for each piece of the answer (default 30s)");
  net::HttpClientOptions& http = live.http;
  import.add_option("--bearer-token-file", http.credentials.bearer_token_file, "file of a token");
  import.add_option("--username", http.credentials.basic_username, "for basic authentication");
  import.add_option("--password-file", http.credentials.basic_password_file, "goes with it");
  import.add_option("--ca-file", http.tls.ca_file, "authorities to trust (PEM)");
  import.add_option("--cert-file", http.tls.cert_file, "our own certificate (PEM)");
  import.add_option("--key-file", http.tls.key_file, "goes with it (PEM)");
  import.add_option("--server-name", http.tls.server_name, "name to verify, if not the URL's");
  import.add_flag("--insecure-skip-verify", http.tls.insecure_skip_verify,
                  "accept any certificate");
}

// What a live query needs besides its URL.
Expected<void> CheckLive(const ImportCommand& command) {
  const BinOptions& bins = command.logs.bins;
  const Duration step = command.range.step;
  if (command.live.url.empty()) {
    if (!command.files.empty() && command.live.promql.empty()) return {};
    return Fail(ErrorCode::kInvalid, command.live.promql.empty()
                                         ? "there is nothing to import: give a file, or "
                                           "--prometheus with --query"
                                         : "--query needs --prometheus");
  }
  if (!command.files.empty() || command.range.sum_series) {
    return Fail(ErrorCode::kInvalid, "--prometheus takes no file and no --sum-series");
  }
  if (command.live.promql.empty() || !bins.start || !bins.end || step <= Duration(0)) {
    return Fail(ErrorCode::kInvalid, "--prometheus needs --query, --start, --end and --step");
  }
  if (command.live.timeout <= Duration(0)) {
    return Fail(ErrorCode::kInvalid, "--timeout must be above 0");
  }
  if ((*bins.end - *bins.start) / step > static_cast<Duration::rep>(kMaxTraceBins)) {
    return Fail(ErrorCode::kTooLarge,
                fmt::format("--start to --end has more than {} steps", kMaxTraceBins));
  }
  if ((*bins.end - *bins.start) / step >= 2) return {};
  return Fail(ErrorCode::kInvalid, "--start to --end must have at least two steps");
}

}  // namespace

void AddImport(CLI::App& app, ImportWords& words) {
  CLI::App* import = app.add_subcommand("import", "make a trace of access logs or a range query");
  import->add_option("FILE", words.command.files, "logs, or \"-\"");
  import->add_option(
      "-o,--out", words.command.output,
      "file to write: .csv, .csv.gz, .csv.zst or .tgtrace (default standard output)");
  import->add_option("--bin", words.bin, "logs: length of a bin (default 1s)");
  import->add_option("--start", words.start, "count from here on: RFC 3339, or seconds since 1970");
  import->add_option("--end", words.end, "count what is before it");
  AddLogOptions(*import, words);
  AddRangeOptions(*import, words);
  import->add_option("--output", words.output, "form of the report: text or json")
      ->check(CLI::IsMember({"text", "json"}));
  import->add_flag("--quiet", words.command.quiet, "no progress and no report");
  import->footer(Footer());
}

Expected<void> FinishImport(ImportWords& words) {
  ImportCommand& command = words.command;
  BinOptions& bins = command.logs.bins;
  TIDEGATE_TRY(bins.bin, Named("--bin", ParseDuration(words.bin)));
  if (bins.bin <= Duration(0)) return Fail(ErrorCode::kInvalid, "--bin must be above 0");
  TIDEGATE_TRY(bins.reorder, Named("--reorder", ParseDuration(words.reorder)));
  if (!words.start.empty()) {
    TIDEGATE_TRY(bins.start, Named("--start", ParseInstant(words.start)));
  }
  if (!words.end.empty()) {
    TIDEGATE_TRY(bins.end, Named("--end", ParseInstant(words.end)));
  }
  if (bins.start && bins.end && *bins.start >= *bins.end) {
    return Fail(ErrorCode::kInvalid, "--end must be after --start");
  }
  if (!words.utc_offset.empty()) {
    TIDEGATE_TRY(command.logs.format.utc_offset, ParseOffset(words.utc_offset));
  }
  if (!words.status.empty()) {
    TIDEGATE_TRY(command.logs.filter.statuses, Named("--status", ParseStatuses(words.status)));
  }
  TIDEGATE_TRY(command.logs.max_bad, ParseShare(words.max_bad));
  if (!words.step.empty()) {
    TIDEGATE_TRY(command.range.step, Named("--step", ParseDuration(words.step)));
  }
  TIDEGATE_TRY(command.live.timeout, Named("--timeout", ParseDuration(words.timeout)));
  if (words.values == "count") command.range.values = RangeValues::kCount;
  if (words.gaps == "line") command.range.gaps = RangeGaps::kLine;
  if (words.gaps == "zero") command.range.gaps = RangeGaps::kZero;
  command.json = words.output == "json";
  TIDEGATE_TRY_VOID(CheckLive(command));
  if (command.json && command.output.empty()) {
    return Fail(ErrorCode::kInvalid,
                "--output json needs --out, since the trace itself would go to "
                "standard output too");
  }
  return {};
}

}  // namespace tidegate::traces
