#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "policies/sizing/tide.h"

namespace tidegate::testing {

// A pool of 8 workers, 50 ms and 99.9 % within 250 ms, sized by the policy `tide` over time.
class TideLife {
 public:
  TideLife() {
    capacity_.workers = 8;
    capacity_.service_time = Duration(50);
    capacity_.latency_objective = Duration(250);
    capacity_.latency_share = 0.999;
    SetReady(20);
  }

  // All of them long ready, 20 s after their start.
  void SetReady(int count) {
    replicas_.clear();
    for (int i = 0; i < count; ++i) {
      signals::ReplicaView view;
      view.name = "r" + std::to_string(i);
      view.phase = signals::Phase::kReady;
      view.started = now_ - std::chrono::hours(1);
      view.since = view.started + std::chrono::seconds(20);
      view.ready_at = view.since;
      replicas_.push_back(view);
    }
  }
  sizing::Sizing Size(double rate, signals::Quality quality = signals::Quality::kOk) {
    signals::Reading reading;
    reading.signal = "rps";
    reading.quality = quality;
    reading.value = rate;
    reading.age = Duration(3'000);
    reading.detail = quality == signals::Quality::kOk ? "" : "because";
    reading.each = each_;
    std::vector<signals::Reading> readings{reading};
    if (inside_) readings.push_back({"inside", signals::Quality::kOk, *inside_, {}, 0, 0, ""});
    sizing::Input input;
    input.now = now_;
    input.current = current_;
    input.min = 1;
    input.max = 1'000;
    input.targets = targets_;
    input.readings = readings;
    input.replicas = replicas_;
    input.capacity = capacity_;
    now_ += Duration(5'000);
    return sizing::Tide::Size(input, options_, memory_);
  }
  Replicas Replica(double rate) {
    const sizing::Sizing sizing = Size(rate);
    EXPECT_EQ(sizing.proposals.size(), 1u);
    note_ = sizing.proposals.at(0).note;
    return sizing.proposals.at(0).replicas.value_or(-1);
  }
  // So many steps of five seconds of this load; the last size.
  template <class Load>
  Replicas Live(int steps, Load load) {
    Replicas replicas = 0;
    for (int i = 0; i < steps; ++i) replicas = Replica(load(i));
    return replicas;
  }

  sizing::Capacity capacity_;
  sizing::TideOptions options_;
  sizing::TideMemory memory_;
  std::vector<sizing::SignalTarget> targets_{{"rps", std::nullopt, signals::Measure::kRequests}};
  std::vector<signals::ReplicaView> replicas_;
  std::vector<signals::ReplicaValue> each_;
  std::optional<double> inside_;  // requests, where a signal of that name says so
  Replicas current_ = 10;
  std::string note_;
  Instant now_ = FromUnixMillis(1'767'225'600'000);
};

}  // namespace tidegate::testing
