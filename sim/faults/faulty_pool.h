#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/engine/calendar.h"
#include "sim/faults/fault_plan.h"
#include "sim/world/pool_layer.h"

namespace tidegate::sim {

// A pool some of whose replicas start late, never or only to die (not those that it adopts), and
// crash while they serve. A replica that failed stays to be seen until it is drained.
class FaultyPool : public PoolLayer {
 public:
  // `calendar`, which must be the inner pool's too, and `plan` must outlive this object.
  FaultyPool(Calendar& calendar, std::unique_ptr<PoolModel> inner, const FaultPlan& plan,
             Chance chance);

  void Start(const std::string& name, const Revision& revision) override;
  void Drain(const std::string& name) override;
  void Crash(const std::string& name) override;
  bool Knows(std::string_view name) const override;
  std::span<const signals::ReplicaView> Views() const override;
  std::optional<double> Served(std::string_view name) const override;

  // To be called each second: crashes what is to crash in it.
  void Crashes();

 private:
  const signals::ReplicaView* Held(std::string_view name) const;
  void Hold(signals::ReplicaView view);
  void Release(std::string_view name);
  // Precondition: it is held.
  void Fail(std::string_view name);

  Calendar& calendar_;
  const FaultPlan& plan_;
  Chance chance_;
  // Replicas that the inner pool does not have yet, or that died before; sorted by name.
  std::vector<signals::ReplicaView> held_;
  mutable std::vector<signals::ReplicaView> views_;  // held_ and the inner pool's together
};

}  // namespace tidegate::sim
