#include "sim/runner/fleet.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace tidegate::sim {
namespace {

using decision::PoolSpec;

class PlacedActuator : public ports::Actuator {
 public:
  // Both must outlive this object.
  PlacedActuator(World& world, const std::map<PoolId, PlacedPool*>& placed)
      : inner_(world), placed_(placed) {}

  Expected<void> Request(Instant now, const PoolId& pool, const rollout::Step& step) override {
    const auto placed = placed_.find(pool);
    if (placed != placed_.end() && step.kind == rollout::StepKind::kStart &&
        !placed->second->Knows(step.replica)) {
      TIDEGATE_TRY_VOID(placed->second->HasRoom());
    }
    return inner_.Request(now, pool, step);
  }

 private:
  WorldActuator inner_;
  const std::map<PoolId, PlacedPool*>& placed_;
};

bool NeedsPlaces(const FleetModel& model) {
  return model.owner == Owner::kDeployment || model.placement.quota ||
         !model.placement.zones.empty();
}

}  // namespace

Expected<void> Validate(const FleetModel& fleet, const std::vector<PoolSpec>& specs,
                        Duration length) {
  const auto quota = fleet.placement.quota;
  for (const PoolSpec& spec : specs) {
    if (quota && spec.declared > *quota) {
      return Fail(ErrorCode::kInvalid, fmt::format("spec.quota: {} begins with {} replicas of at "
                                                   "most {}",
                                                   ToString(spec.id), spec.declared, *quota));
    }
  }
  const auto check = [&](const char* field, Duration at) -> Expected<void> {
    if (at < length) return {};
    return Fail(ErrorCode::kInvalid,
                fmt::format("{}: {} is not before the run's end, {} after its start", field,
                            FormatDuration(at), FormatDuration(length)));
  };
  for (const Duration at : fleet.rollouts) TIDEGATE_TRY_VOID(check("spec.rollouts", at));
  for (const ZoneLoss& loss : fleet.placement.losses) {
    TIDEGATE_TRY_VOID(check("spec.zoneLosses", loss.at));
  }
  return {};
}

std::vector<PoolSpec> SpecsFor(const FleetModel& fleet, std::vector<PoolSpec> specs) {
  for (PoolSpec& spec : specs) {
    const auto quota = fleet.placement.quota;
    if (fleet.owner == Owner::kDeployment) {
      spec.dry_run = true;
    } else if (quota) {
      spec.rollout.quota = std::min(*quota, spec.rollout.quota.value_or(*quota));
    }
  }
  return specs;
}

// FNV-1a, as good as any here: it only has to differ.
Revision NextRevision(const Revision& revision, std::size_t count) {
  std::uint32_t hash = 2166136261U;
  for (const char byte : fmt::format("{}/{}", revision, count)) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 16777619U;
  }
  return fmt::format("{:08x}", hash);
}

Fleet::Fleet(Calendar& calendar, World& world, const FleetModel& model,
             const std::vector<PoolSpec>& specs)
    : calendar_(calendar), world_(world), model_(model) {
  for (const PoolSpec& spec : specs) specs_.emplace(spec.id, &spec);
  actuator_ = std::make_unique<PlacedActuator>(world_, placed_);
}

std::unique_ptr<PoolModel> Fleet::Place(const PoolId& pool, std::unique_ptr<PoolModel> inner) {
  if (!NeedsPlaces(model_)) return inner;
  auto placed = std::make_unique<PlacedPool>(calendar_, std::move(inner), model_.placement);
  placed_.emplace(pool, placed.get());
  return placed;
}

void Fleet::Begin(Looked looked) {
  if (model_.owner != Owner::kDeployment) return;
  for (const auto& [id, spec] : specs_) {
    DeploymentOptions options = model_.deployment;
    options.surge = spec->rollout.budget.surge;
    options.unavailable = spec->rollout.budget.unavailable;
    auto controller =
        std::make_unique<DeploymentController>(calendar_, *placed_.at(id), id.name, options);
    DeploymentController* const deployment = controller.get();
    deployment->Tell([this, &pool = id, deployment, looked](const DeploymentLook& look) {
      for (const std::string& pod : look.started) {
        world_.at(pool).scraper->Discover(look.at, pod);
      }
      looked(pool, *deployment, look);
    });
    deployments_.emplace(id, std::move(controller));
    deployment->Adopt(spec->revision, spec->declared);
  }
}

void Fleet::Decided(const std::vector<decision::Decision>& decisions) {
  for (const decision::Decision& decision : decisions) {
    const auto deployment = deployments_.find(decision.pool);
    if (deployment == deployments_.end() || specs_.at(decision.pool)->dry_run) continue;
    deployment->second->Scale(decision.desired.replicas);
  }
}

void Fleet::Changed(const PoolId& pool, const Revision& revision) {
  const auto deployment = deployments_.find(pool);
  if (deployment != deployments_.end()) deployment->second->SetRevision(revision);
}

const DeploymentController* Fleet::FindDeployment(const PoolId& pool) const {
  const auto deployment = deployments_.find(pool);
  return deployment == deployments_.end() ? nullptr : deployment->second.get();
}

}  // namespace tidegate::sim
