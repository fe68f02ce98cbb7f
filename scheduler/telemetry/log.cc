#include "scheduler/telemetry/log.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "scheduler/metrics/text.h"
#include "scheduler/telemetry/redact.h"

namespace tidegate::telemetry {
namespace {

constexpr std::size_t kMaxText = 8 * 1024;

// The line is complete when it gets to spdlog, which filters by level, serialises the threads and
// writes.
struct Log {
  explicit Log(const LogOptions& options);

  LogFormat format;
  spdlog::logger logger;
};

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarn: return spdlog::level::warn;
    case LogLevel::kError: return spdlog::level::err;
  }
  return spdlog::level::err;
}

Log::Log(const LogOptions& options)
    : format(options.format),
      logger("tidegate", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
  logger.set_pattern("%v", spdlog::pattern_time_type::utc);
  logger.set_level(ToSpdlog(options.level));
  logger.flush_on(spdlog::level::debug);
}

std::unique_ptr<Log>& Instance() {
  static auto log = std::make_unique<Log>(LogOptions{});
  return log;
}

std::array<std::atomic<std::int64_t>, kLogLevelCount>& Counts() {
  static std::array<std::atomic<std::int64_t>, kLogLevelCount> counts{};
  return counts;
}

Instant Now() {
  return Instant(
      std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()));
}

void Write(LogLevel level, std::string_view message, LogFields fields) {
  Log& log = *Instance();
  if (!log.logger.should_log(ToSpdlog(level))) return;
  Counts()[static_cast<std::size_t>(level)].fetch_add(1, std::memory_order_relaxed);
  log.logger.log(ToSpdlog(level), FormatLogLine(log.format, level, Now(), message, fields));
}

std::string_view Cut(std::string_view text) {
  if (text.size() <= kMaxText) return text;
  std::size_t end = kMaxText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0u) == 0x80u) --end;
  return text.substr(0, end);
}

// RFC 8259 7, between the quotes.
void AppendEscaped(std::string_view text, std::string& out) {
  for (const char c : ValidUtf8(Cut(text))) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (byte < 0x20 || byte == 0x7F) {
          out += fmt::format("\\u{:04x}", byte);
        } else {
          out += c;
        }
    }
  }
}

std::string Quoted(std::string_view text) {
  std::string out = "\"";
  AppendEscaped(text, out);
  return out + '"';
}

// In the text format a value stands without quotes where nothing in it could be taken for the end.
std::string TextValue(std::string_view text) {
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < 0x7F && c != '"' && c != '=' && c != '\\';
  });
  return plain ? std::string(Cut(text)) : Quoted(text);
}

// JSON has no NaN and no infinity.
std::string Number(double value, LogFormat format) {
  const std::string text = fmt::format("{}", value);
  return std::isfinite(value) || format == LogFormat::kText ? text : Quoted(text);
}

std::string Render(const LogField& field, LogFormat format) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    const std::string shown = Redact(field.key, *text);
    return format == LogFormat::kJson ? Quoted(shown) : TextValue(shown);
  }
  if (const auto* number = std::get_if<double>(&field.value)) return Number(*number, format);
  if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
    return fmt::format("{}", *number);
  }
  return std::get<bool>(field.value) ? "true" : "false";
}

}  // namespace

const char* Name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return "debug";
    case LogLevel::kInfo: return "info";
    case LogLevel::kWarn: return "warn";
    case LogLevel::kError: return "error";
  }
  return "error";
}

Expected<LogLevel> ParseLogLevel(std::string_view text) {
  for (int i = 0; i < kLogLevelCount; ++i) {
    if (text == Name(static_cast<LogLevel>(i))) return static_cast<LogLevel>(i);
  }
  return Fail(ErrorCode::kInvalid,
              fmt::format("'{}' is no log level; give debug, info, warn or error", text));
}

Expected<LogFormat> ParseLogFormat(std::string_view text) {
  if (text == "text") return LogFormat::kText;
  if (text == "json") return LogFormat::kJson;
  return Fail(ErrorCode::kInvalid, fmt::format("'{}' is no log format; give text or json", text));
}

void InitLog(const LogOptions& options) { Instance() = std::make_unique<Log>(options); }

void LogDebug(std::string_view message, LogFields fields) {
  Write(LogLevel::kDebug, message, fields);
}
void LogInfo(std::string_view message, LogFields fields) {
  Write(LogLevel::kInfo, message, fields);
}
void LogWarn(std::string_view message, LogFields fields) {
  Write(LogLevel::kWarn, message, fields);
}
void LogError(std::string_view message, LogFields fields) {
  Write(LogLevel::kError, message, fields);
}

std::array<std::int64_t, kLogLevelCount> LogCounts() {
  std::array<std::int64_t, kLogLevelCount> counts{};
  std::transform(Counts().begin(), Counts().end(), counts.begin(),
                 [](const auto& count) { return count.load(std::memory_order_relaxed); });
  return counts;
}

std::string FormatLogLine(LogFormat format, LogLevel level, Instant at, std::string_view message,
                          LogFields fields) {
  std::string line;
  if (format == LogFormat::kText) {
    line = fmt::format("{} {:<5} ", FormatInstant(at), Name(level));
    AppendEscaped(Redact("", message), line);
    for (const LogField& field : fields) {
      line += fmt::format(" {}={}", field.key, Render(field, format));
    }
    return line;
  }
  line = fmt::format(R"({{"time":"{}","level":"{}","message":{})", FormatInstant(at), Name(level),
                     Quoted(Redact("", message)));
  for (const LogField& field : fields) {
    line += fmt::format(",{}:{}", Quoted(field.key), Render(field, format));
  }
  return line + '}';
}

}  // namespace tidegate::telemetry
