#pragma once

#include <memory>
#include <optional>
#include <string>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "scheduler/config/daemon_config.h"
#include "sim/history/pool_history.h"
#include "sim/report/limits.h"
#include "sim/runner/candidate.h"
#include "sim/runner/command.h"

namespace tidegate::sim {

// What the commands that look at live pools have in common.
struct LiveOptions {
  CandidateOptions candidate;
  config::PrometheusConfig prometheus;  // what was given in flags; empty: not given
  Duration scrape_interval{0};          // 0: the configuration's
  std::string from;
  std::string to;
  Duration last{0};
  HistoryQuery query;
  double scale = 1;
  bool json = false;
};

// An option that takes a duration like 90s or 6h; `least` is allowed too.
void AddDuration(CLI::App& command, const std::string& name, Duration* out, Duration least,
                 const std::string& help);
void AddDuration(CLI::App& command, const std::string& name, std::optional<Duration>* out,
                 Duration least, const std::string& help);
void AddCandidateOptions(CLI::App& command, const std::shared_ptr<LiveOptions>& options);
void AddHistoryOptions(CLI::App& command, const std::shared_ptr<LiveOptions>& options);

// What a good minute is where nothing else is said: the wait is the scenario's objective's, if it
// has one.
MinuteObjective MinutesOf(const Candidate& candidate);

// True where a Prometheus is named, be it by --prometheus or --config.
bool NamesPrometheus(const LiveOptions& options, const Candidate& candidate);

// How to reach the Prometheus: the daemon's settings, then flags. kInvalid where none is named.
Expected<config::PrometheusConfig> PrometheusOf(const LiveOptions& options,
                                                const Candidate& candidate);

// The history of each wanted pool, with progress on `err`. Errors as of ReadPoolHistory(); kInvalid
// where the times given make no stretch.
Expected<std::vector<PoolHistory>> ReadHistories(const LiveOptions& options,
                                                 const Candidate& candidate, std::ostream& err);

}  // namespace tidegate::sim
