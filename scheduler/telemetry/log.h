#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "policies/base/expected.h"
#include "policies/base/instant.h"

namespace tidegate::telemetry {

enum class LogLevel { kDebug, kInfo, kWarn, kError };
inline constexpr int kLogLevelCount = 4;
// "debug", "info", "warn", "error"; ParseLogLevel() reads the same words.
const char* Name(LogLevel level);
Expected<LogLevel> ParseLogLevel(std::string_view text);

enum class LogFormat {
  kText,  // 2026-11-27T00:00:00.250Z info  message key=value other="two words"
  kJson,  // {"time":"...","level":"info","message":"message","key":"value","count":2}
};
// "text", "json".
Expected<LogFormat> ParseLogFormat(std::string_view text);

struct LogOptions {
  LogFormat format = LogFormat::kText;
  LogLevel level = LogLevel::kInfo;  // less than this is dropped
};

// One named value of a log line. Keys are snake_case constants of ours.
struct LogField {
  using Value = std::variant<std::string_view, std::int64_t, double, bool>;
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, int v) : key(k), value(std::int64_t{v}) {}
  LogField(std::string_view k, std::int64_t v) : key(k), value(v) {}
  LogField(std::string_view k, double v) : key(k), value(v) {}
  LogField(std::string_view k, bool v) : key(k), value(v) {}

  std::string_view key;
  Value value;
};
using LogFields = std::initializer_list<LogField>;

// Sets up the process's log, which goes to stderr. Call once, before the first thread starts;
// without it the log is text at level info.
void InitLog(const LogOptions& options);

// One line. The message is a constant sentence fragment; what varies goes into fields. May be
// called from any thread.
void LogDebug(std::string_view message, LogFields fields = {});
void LogInfo(std::string_view message, LogFields fields = {});
void LogWarn(std::string_view message, LogFields fields = {});
void LogError(std::string_view message, LogFields fields = {});

// Lines written so far, by level (index: LogLevel), for metrics.
std::array<std::int64_t, kLogLevelCount> LogCounts();

// A line as it is written, without the line feed; exposed for tests. The result is one line of
// valid UTF-8 whatever the input is: control characters are escaped, bytes that are no UTF-8 become
// U+FFFD, texts are cut at 8 KiB. Values of fields named like secrets (token, password, secret,
// authorization, ...) are replaced, and so are the credentials in URLs and after "Bearer"/"Basic".
std::string FormatLogLine(LogFormat format, LogLevel level, Instant at, std::string_view message,
                          LogFields fields);

}  // namespace tidegate::telemetry
