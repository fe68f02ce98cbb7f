#include "scheduler/daemon/cmd_run.h"

#include <ostream>
#include <utility>

#include "scheduler/daemon/daemon.h"
#include "scheduler/telemetry/log.h"

namespace tidegate::daemon {
namespace {

constexpr int kFailed = 1;
constexpr int kBadInput = 2;

telemetry::LogOptions LogOptionsOf(const config::LogConfig& config, const RunOptions& options) {
  const std::string format =
      options.log_format.empty() ? config::Name(config.format) : options.log_format;
  std::string level = options.log_level.empty() ? config::Name(config.level) : options.log_level;
  if (level == "trace") level = "debug";
  return {.format = telemetry::ParseLogFormat(format).value_or(telemetry::LogFormat::kText),
          .level = telemetry::ParseLogLevel(level).value_or(telemetry::LogLevel::kInfo)};
}

}  // namespace

int RunDaemon(const RunOptions& options, std::ostream& err) {
  config::Compiled compiled = config::LoadAndCompile(options.config, {});
  if (!compiled.problems.empty()) {
    err << compiled.problems.text();
    return kBadInput;
  }
  if (compiled.config.daemon.at.file == nullptr) {
    err << "tidegate run: none of the files has a TidegateConfig; see scheduler/deploy/examples\n";
    return kBadInput;
  }
  telemetry::InitLog(LogOptionsOf(compiled.config.daemon.log, options));
  auto waker = Waker::Create();
  if (!waker) {
    err << "tidegate run: " << waker.error().message << "\n";
    return kFailed;
  }
  auto daemon = Daemon::Start(std::move(compiled.config), options, *waker);
  if (!daemon) {
    err << "tidegate run: " << daemon.error().message << "\n";
    return daemon.error().code == ErrorCode::kInvalid ? kBadInput : kFailed;
  }
  if (auto ran = (*daemon)->Run(); !ran) {
    err << "tidegate run: " << ran.error().message << "; stopped without touching them\n";
    return kFailed;
  }
  (*daemon)->Stop();
  return 0;
}

}  // namespace tidegate::daemon
