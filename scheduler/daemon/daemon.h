#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "policies/base/expected.h"
#include "scheduler/adapters/journal/sqlite_journal.h"
#include "scheduler/adapters/process/process_fleet.h"
#include "scheduler/adapters/system_clock.h"
#include "scheduler/config/compile.h"
#include "scheduler/daemon/api.h"
#include "scheduler/daemon/cmd_run.h"
#include "scheduler/daemon/file_watch.h"
#include "scheduler/daemon/live_source.h"
#include "scheduler/daemon/published.h"
#include "scheduler/daemon/wake.h"
#include "scheduler/loop/control_loop.h"
#include "scheduler/loop/next_tick.h"
#include "scheduler/telemetry/exporter.h"
#include "traces/net/http_server.h"

namespace tidegate::daemon {

// The daemon's parts, wired. One thread runs the control loop; the fleet and the HTTP server have
// threads of their own and share nothing with it but `Published` and the fleet's own lock.
class Daemon {
 public:
  // Takes the state folder, opens the journal, restores the state, adopts what runs and starts to
  // serve HTTP.
  static Expected<std::unique_ptr<Daemon>> Start(config::CompiledConfig config, RunOptions options,
                                                 Waker& waker);
  ~Daemon();

  // Ticks until a signal says stop. kConflict: another daemon keeps the pools now, and this one has
  // let go of all of them; don't call Stop().
  Expected<void> Run();
  // The clean end: state written, pools left serving, or drained where the options say so.
  void Stop();

 private:
  Daemon(config::CompiledConfig config, RunOptions options, Waker& waker);
  Expected<void> Open();
  Expected<void> OpenJournal();
  Expected<void> OpenServer();
  ApiContext MakeApi();
  // Hands a configuration to all parts. On error nothing has changed.
  Expected<void> Apply(std::unique_ptr<config::CompiledConfig> next);
  void Reload();
  void Tick();
  void Tell(const loop::Tick& tick);
  void Publish();
  loop::Options LoopOptions() const;

  std::unique_ptr<config::CompiledConfig> config_;
  RunOptions options_;
  Waker& waker_;
  adapters::SystemClock clock_;
  std::unique_ptr<adapters::ProcessFleet> fleet_;
  std::unique_ptr<adapters::SqliteJournal> journal_;
  std::unique_ptr<LiveSource> source_;
  std::unique_ptr<ports::Actuator> fault_;  // in the fleet's place with --break-for-test overshoot
  std::unique_ptr<loop::ControlLoop> loop_;
  telemetry::Exporter exporter_;
  FileWatch watch_;
  Published published_;
  ConfigStatus status_;
  loop::NextTick next_tick_;
  // When the control loop's thread was last seen turning, in steady milliseconds.
  std::atomic<std::int64_t> turned_{0};
  std::unique_ptr<net::HttpServer> server_;  // last: its handler uses all the others
};

}  // namespace tidegate::daemon
