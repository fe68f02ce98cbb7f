#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "sim/world/pool_model.h"

namespace tidegate::sim {

// A pool around another one: passes everything on. What a layer does differently, it overrides.
class PoolLayer : public PoolModel {
 public:
  explicit PoolLayer(std::unique_ptr<PoolModel> inner) : inner_(std::move(inner)) {}

  void Start(const std::string& name, const Revision& revision) override {
    inner_->Start(name, revision);
  }
  void Adopt(const std::string& name, const Revision& revision) override {
    inner_->Adopt(name, revision);
  }
  void Drain(const std::string& name) override { inner_->Drain(name); }
  void Crash(const std::string& name) override { inner_->Crash(name); }
  bool Knows(std::string_view name) const override { return inner_->Knows(name); }
  void OnChange(std::function<void()> told) override { inner_->OnChange(std::move(told)); }
  void AdvanceTo(Instant at) override { inner_->AdvanceTo(at); }
  std::span<const signals::ReplicaView> Views() const override { return inner_->Views(); }
  std::optional<double> Served(std::string_view name) const override {
    return inner_->Served(name);
  }
  Flow total() const override { return inner_->total(); }
  double backlog() const override { return inner_->backlog(); }
  double capacity() const override { return inner_->capacity(); }
  Rate arrival_rate(Instant at) const override { return inner_->arrival_rate(at); }
  const Histogram* latencies() override { return inner_->latencies(); }
  std::optional<LatencyPercentiles> RecentLatency() override { return inner_->RecentLatency(); }

 protected:
  PoolModel& inner() { return *inner_; }
  const PoolModel& inner() const { return *inner_; }

 private:
  std::unique_ptr<PoolModel> inner_;
};

}  // namespace tidegate::sim
