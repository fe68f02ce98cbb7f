#include <atomic>
#include <cmath>
#include <csignal>
#include <ostream>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "traces/cli/commands.h"
#include "traces/format/trace_file.h"
#include "traces/generate/arrivals.h"
#include "traces/net/http_load.h"

namespace tidegate::traces {
namespace {

using net::LoadReport;
using net::LoadSecond;

std::atomic<bool> stop_requested = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may set it");
void OnSignal(int) { stop_requested = true; }

// SIGINT and SIGTERM end the load while this lives; before and after it they do what they did.
class StopSignals {
 public:
  StopSignals() {
    stop_requested = false;
    struct sigaction action {};
    action.sa_handler = OnSignal;
    sigaction(SIGINT, &action, &interrupt_);
    sigaction(SIGTERM, &action, &terminate_);
  }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals() {
    sigaction(SIGINT, &interrupt_, nullptr);
    sigaction(SIGTERM, &terminate_, nullptr);
  }

 private:
  struct sigaction interrupt_ {};
  struct sigaction terminate_ {};
};

double Millis(std::uint64_t micros) { return static_cast<double>(micros) / 1000.0; }
double Millis(net::LoadTime time) { return static_cast<double>(time.count()) / 1000.0; }

boost::json::object ToJson(const Histogram& h) {
  return {{"count", h.count()},
          {"mean", h.Mean() / 1000.0},
          {"min", Millis(h.min())},
          {"p50", Millis(h.Quantile(0.5))},
          {"p90", Millis(h.Quantile(0.9))},
          {"p99", Millis(h.Quantile(0.99))},
          {"p999", Millis(h.Quantile(0.999))},
          {"max", Millis(h.max())}};
}

boost::json::object ToJson(const LoadSecond& s) {
  return {{"second", s.second},         {"started", s.started},
          {"succeeded", s.succeeded},   {"failed", s.failed},
          {"unanswered", s.unanswered}, {"open_connections", s.open_connections},
          {"p50_ms", Millis(s.p50)},    {"p99_ms", Millis(s.p99)},
          {"max_ms", Millis(s.max)}};
}

boost::json::object ToJson(const LoadReport& report) {
  boost::json::object failures, statuses;
  for (const auto& entry : report.failures) failures[entry.first] = entry.second;
  for (const auto& entry : report.statuses) statuses[std::to_string(entry.first)] = entry.second;
  boost::json::array seconds;
  for (const LoadSecond& second : report.seconds) seconds.push_back(ToJson(second));
  return {{"started", report.started},
          {"succeeded", report.succeeded},
          {"failed", report.failed},
          {"unfinished", report.unfinished},
          {"failures", failures},
          {"statuses", statuses},
          {"latency_ms", ToJson(report.latency_us)},
          {"failure_latency_ms", ToJson(report.failure_latency_us)},
          {"connections",
           {{"opened", report.connections_opened},
            {"max_open", report.max_open_connections},
            {"idle_closed", report.idle_closed},
            {"reused_closed", report.reused_closed}}},
          {"max_lag_ms", Millis(report.max_lag)},
          {"elapsed_s", Millis(report.elapsed) / 1000.0},
          {"stopped", report.stopped},
          {"seconds", seconds}};
}

std::string ToText(const LoadReport& report) {
  const Histogram& latency = report.latency_us;
  std::string text =
      fmt::format("requests      {} in {:.1f} s: {} succeeded, {} failed", report.started,
                  Millis(report.elapsed) / 1000.0, report.succeeded, report.failed);
  if (report.stopped) text += fmt::format("; stopped, {} unfinished", report.unfinished);
  text += '\n';
  for (const auto& [kind, count] : report.failures) {
    text += fmt::format("  {:<20} {}\n", kind, count);
  }
  text += fmt::format(
      "latency       p50 {:.1f} ms, p90 {:.1f} ms, p99 {:.1f} ms, p99.9 {:.1f} ms, max {:.1f} ms, "
      "from the intended start\n",
      Millis(latency.Quantile(0.5)), Millis(latency.Quantile(0.9)), Millis(latency.Quantile(0.99)),
      Millis(latency.Quantile(0.999)), Millis(latency.max()));
  text += fmt::format(
      "connections   {} opened, at most {} open; closed by the server while idle: {}, "
      "found on reuse and sent again: {}\n",
      report.connections_opened, report.max_open_connections, report.idle_closed,
      report.reused_closed);
  return text +
         fmt::format("generator     started at most {:.1f} ms late\n", Millis(report.max_lag));
}

Expected<net::LoadOptions> LoadOptionsOf(const ReplayCommand& command) {
  net::LoadOptions options;
  TIDEGATE_TRY(options.url, net::ParseUrl(command.url));
  options.timeout = command.timeout;
  options.max_connections = command.max_connections;
  const auto in_range = [](double value) {
    return std::isfinite(value) && value > 0 && value <= 1e6;
  };
  if (!in_range(command.compress) || !in_range(command.scale)) {
    return Fail(ErrorCode::kInvalid, "--compress and --scale must be above 0 and at most 1e6");
  }
  if (command.timeout <= Duration(0)) {
    return Fail(ErrorCode::kInvalid, "--timeout must be above 0");
  }
  for (const std::string& text : command.headers) {
    const auto colon = text.find(':');
    if (colon == std::string::npos) {
      return Fail(ErrorCode::kInvalid,
                  "\"" + text + "\" is not a header; expected \"Name: value\"");
    }
    const auto value = text.find_first_not_of(' ', colon + 1);
    options.headers.push_back(
        {text.substr(0, colon), value == std::string::npos ? "" : text.substr(value)});
  }
  return options;
}

// One line a second: rewritten in place on a terminal, a line each otherwise.
void ShowProgress(const LoadSecond& second, bool terminal, double length_s, std::ostream& err) {
  err << fmt::format(
             "{}{:>5} of {:.0f} s  {:>6} started  {:>6} ok  {:>5} failed  {:>5} unanswered  p50 "
             "{:>7.1f} ms  "
             "p99 {:>7.1f} ms{}",
             terminal ? "\r\x1b[K" : "", second.second + 1, length_s, second.started,
             second.succeeded, second.failed, second.unanswered, Millis(second.p50),
             Millis(second.p99), terminal ? "" : "\n")
      << std::flush;
}

}  // namespace

int RunReplay(const ReplayCommand& command, Streams streams) {
  const auto load = LoadOptionsOf(command);
  if (!load) return Report(load.error(), streams);
  const auto trace = ReadTrace(command.file);
  if (!trace) return Report(trace.error(), streams);
  const ArrivalOptions options{.compress = command.compress,
                               .scale = command.scale,
                               .poisson = !command.even,
                               .seed = command.seed};
  const double length_s = static_cast<double>(PlayedLength(*trace, options).count()) / 1e6;
  const bool terminal = isatty(STDERR_FILENO) == 1;
  net::LoadControl control;
  control.stop = &stop_requested;
  if (!command.quiet) {
    streams.err << fmt::format("{:.0f} requests in {:.0f} s to {}\n",
                               PlayedRequests(*trace, options), length_s, net::ToString(load->url));
    control.on_second = [&](const LoadSecond& second) {
      ShowProgress(second, terminal, length_s, streams.err);
    };
  }
  const StopSignals signals;
  Arrivals arrivals(*trace, options);
  const auto report = net::RunLoad(
      *load, [&arrivals] { return arrivals.Next(); }, control);
  if (!command.quiet && terminal) streams.err << "\n";
  if (!report) return Report(report.error(), streams);
  streams.out << (command.json ? boost::json::serialize(ToJson(*report)) + "\n" : ToText(*report))
              << std::flush;
  return report->failed > 0 && !command.tolerate ? kFailed : kDone;
}

}  // namespace tidegate::traces
