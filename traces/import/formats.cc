#include "traces/import/formats.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "policies/base/check.h"
#include "policies/base/suggest.h"
#include "traces/import/haproxy_log.h"
#include "traces/import/line_template.h"

namespace tidegate::traces {
namespace {

constexpr std::array<KnownFormat, 5> kFormats = {{
    {"vhost", "Apache's vhost_combined: the combined log with host:port in front"},
    {"combined", "Apache's and Nginx's combined log, and the common log, which is its beginning"},
    {"haproxy", "HAProxy's HTTP log (option httplog), with or without a syslog header"},
    {"envoy", "Envoy's default text log, and Istio's, which has more fields"},
    {"json", "one JSON object a line: Envoy, Nginx, Traefik, Tidegate's own gateways"},
}};

constexpr std::string_view kVhost = R"(%v:%p %h %l %u %t "%r" %>s %O)";
constexpr std::string_view kCombined = R"(%h %l %u %t "%r" %>s %b)";
// Istio puts three fields behind the flags; they fall to the one that ends at the next quoted
// field.
constexpr std::string_view kEnvoy =
    R"([%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" )"
    R"(%RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% )"
    R"(%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" )"
    R"("%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%")";
std::unique_ptr<LineParser> Template(std::string_view name, Expected<LogFormat> format,
                                     const FormatOptions& options, bool needs_host) {
  TIDEGATE_CHECK(format.has_value(), "our own formats can be used");
  return std::make_unique<TemplateParser>(*std::move(format),
                                          TemplateOptions{.name = std::string(name),
                                                          .utc_offset = options.utc_offset,
                                                          .needs_host = needs_host,
                                                          .needs_request = true});
}

std::unique_ptr<LineParser> Known(std::string_view name, const FormatOptions& options,
                                  bool needs_host) {
  if (name == "vhost") return Template(name, ParseApacheFormat(kVhost), options, needs_host);
  if (name == "combined") return Template(name, ParseApacheFormat(kCombined), options, needs_host);
  if (name == "envoy") return Template(name, ParseEnvoyFormat(kEnvoy), options, needs_host);
  if (name == "haproxy") return std::make_unique<HaproxyParser>(options.utc_offset);
  if (name == "json") return std::make_unique<JsonParser>(options.json, options.utc_offset);
  return nullptr;
}

}  // namespace

std::span<const KnownFormat> LogFormats() { return kFormats; }

Expected<std::unique_ptr<LineParser>> MakeParser(const FormatOptions& options) {
  if (!options.log_format.empty()) {
    TIDEGATE_TRY(LogFormat format, ParseLogFormat(options.log_format));
    return std::make_unique<TemplateParser>(
        std::move(format), TemplateOptions{.name = "the given log format",
                                           .utc_offset = options.utc_offset,
                                           .needs_host = options.needs_host,
                                           .needs_request = options.needs_request});
  }
  auto parser = Known(options.format, options, options.needs_host);
  if (parser != nullptr) return parser;
  return Fail(ErrorCode::kInvalid,
              fmt::format("there is no log format \"{}\"", Printable(options.format, 40)));
}

Expected<std::unique_ptr<LineParser>> DetectFormat(std::span<const std::string_view> lines,
                                                   const FormatOptions& options) {
  std::string_view best;
  std::size_t most = lines.size() / 2;
  std::string why;
  for (const KnownFormat& known : kFormats) {
    // With the host, so that formats which differ only behind the status are told apart.
    const auto parser = Known(known.name, options, true);
    std::size_t good = 0;
    LogLine line;
    for (const std::string_view text : lines)
      good += parser->Parse(text, line) == nullptr ? 1U : 0U;
    if (good > most) {
      best = known.name;
      most = good;
    }
    if (lines.empty()) continue;
    const char* wrong = parser->Parse(lines.front(), line);
    why += fmt::format("\n  {:<9} {}", known.name, wrong == nullptr ? "fits this line" : wrong);
  }
  if (!best.empty()) return Known(best, options, options.needs_host);
  if (lines.empty()) return Fail(ErrorCode::kInvalid, "there is no line to tell a log format by");
  return Fail(ErrorCode::kInvalid,
              fmt::format("no known log format fits the first lines; the first one is\n  {}\nand "
                          "what the formats say of it:{}\nGive the server's own format with "
                          "--log-format, or name one with --format",
                          Printable(lines.front(), 300), why));
}

std::string_view Bare(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.size() < 40 || line[4] != '-' || line[10] != 'T') return line;
  const std::size_t blank = line.find(' ');
  if (blank > 40) return line;
  const std::string_view rest = line.substr(blank + 1);
  const bool tagged = rest.starts_with("stdout F ") || rest.starts_with("stderr F ");
  return tagged ? rest.substr(9) : line;
}

}  // namespace tidegate::traces
