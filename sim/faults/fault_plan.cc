#include "sim/faults/fault_plan.h"

#include <array>

#include <fmt/format.h>

namespace tidegate::sim {
namespace {

struct Kind {
  const char* name;
  int FaultPlan::*chance;
  int most;
};

constexpr std::array<Kind, 19> kKinds{{{"start_slow", &FaultPlan::start_slow, 300},
                                       {"start_hangs", &FaultPlan::start_hangs, 200},
                                       {"start_fails", &FaultPlan::start_fails, 300},
                                       {"crash", &FaultPlan::crash, 20},
                                       {"zone_loss", &FaultPlan::zone_loss, 15},
                                       {"refused", &FaultPlan::refused, 200},
                                       {"lost", &FaultPlan::lost, 200},
                                       {"delayed", &FaultPlan::delayed, 300},
                                       {"duplicated", &FaultPlan::duplicated, 300},
                                       {"scrape_lost", &FaultPlan::scrape_lost, 400},
                                       {"scrape_nan", &FaultPlan::scrape_nan, 50},
                                       {"query_empty", &FaultPlan::query_empty, 200},
                                       {"query_frozen", &FaultPlan::query_frozen, 50},
                                       {"observe_fails", &FaultPlan::observe_fails, 200},
                                       {"fleet_fails", &FaultPlan::fleet_fails, 200},
                                       {"daemon_dies", &FaultPlan::daemon_dies, 80},
                                       {"second_daemon", &FaultPlan::second_daemon, 60},
                                       {"overrun", &FaultPlan::overrun, 200},
                                       {"rollouts", &FaultPlan::rollouts, 40}}};

}  // namespace

FaultPlan DrawFaults(const Chance& chance, Instant until) {
  FaultPlan plan;
  plan.until = until;
  for (const Kind& kind : kKinds) {
    if (!chance.Hits(400, "exists", kind.name)) continue;
    plan.*kind.chance = 1 + chance.Below(kind.most, "how often", kind.name);
  }
  const bool successors = plan.daemon_dies > 0 || plan.second_daemon > 0;
  if (!successors && chance.Hits(400, "exists", "journal_fails")) {
    plan.journal_fails = 1 + chance.Below(300, "how often", "journal_fails");
  }
  if (chance.Hits(300, "exists", "view_lag")) plan.view_lag = 1 + chance.Below(3, "view_lag");
  plan.slow_max = Duration(30'000);
  plan.delay_max = Duration(8'000);
  plan.frozen_max = Duration(40'000);
  plan.view_age_max = Duration(20'000);
  return plan;
}

std::string ToText(const FaultPlan& plan) {
  std::string text;
  const auto add = [&text](const char* name, int value) {
    if (value > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, value);
  };
  for (const Kind& kind : kKinds) add(kind.name, plan.*kind.chance);
  add("journal_fails", plan.journal_fails);
  add("view_lag", plan.view_lag);
  return text.empty() ? "none" : text;
}

}  // namespace tidegate::sim
