#include "sim/runner/fleet_model.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace tidegate::sim {
namespace {

using config::Fields;
using config::Value;
using std::chrono::hours;

constexpr std::size_t kMostZones = 100;
constexpr std::size_t kMostEvents = 1'000;
constexpr Duration kLongest = hours(24) * 3'660;

void ReadDeployment(const Value& value, DeploymentOptions* options) {
  Fields fields(value);
  fields.Time("minReady", {Duration(0), hours(1)}, &options->min_ready);
  fields.Time("watch", {Duration(10), hours(1)}, &options->watch);
  fields.Time("eviction", {Duration(0), hours(24)}, &options->eviction);
  fields.Hint("maxSurge", "rollingMaxSurge in the gateway's manifest");
  fields.Hint("maxUnavailable", "rollingMaxUnavailable in the gateway's manifest");
  fields.Finish();
}

// Calls `read` with each item of a list.
template <class Read>
void ForEach(const Value& list, std::size_t most, const Read& read) {
  std::size_t index = 0;
  for (const config::Node& item : list.Items(most)) {
    read(Value(list.context(), item, config::Path(list.path(), index++)));
  }
}

void ReadZones(const Value& list, std::vector<std::string>* zones) {
  ForEach(list, kMostZones, [&](const Value& item) {
    const auto name = item.Text();
    if (!name) return;
    if (name->empty()) return item.Expect("a zone's name");
    if (std::ranges::find(*zones, *name) != zones->end()) return item.Complain("is there twice");
    zones->push_back(*name);
  });
}

void ReadLoss(const Value& item, const std::vector<std::string>& zones,
              std::vector<ZoneLoss>* losses) {
  Fields fields(item);
  ZoneLoss loss;
  if (const auto zone = fields.Need("zone")) {
    if (const auto name = zone->Text()) loss.zone = *name;
    if (std::ranges::find(zones, loss.zone) == zones.end()) zone->Expect("one of spec.zones");
  }
  if (const auto at = fields.Need("at"))
    loss.at = at->Time({Duration(0), kLongest}).value_or(loss.at);
  if (const auto lasts = fields.Need("lasts")) {
    loss.lasts = lasts->Time({Duration(1'000), kLongest}).value_or(loss.lasts);
  }
  fields.Finish();
  losses->push_back(loss);
}

void ReadRollouts(const Value& list, std::vector<Duration>* rollouts) {
  ForEach(list, kMostEvents, [&](const Value& item) {
    const auto at = item.Time({Duration(0), kLongest});
    if (!at) return;
    if (!rollouts->empty() && *at <= rollouts->back()) {
      return item.Complain("comes no later than the one before it");
    }
    rollouts->push_back(*at);
  });
}

}  // namespace

void ReadFleet(config::Fields& fields, FleetModel* fleet) {
  static constexpr std::array<std::string_view, 2> kOwners = {"managed", "deployment"};
  fields.Choice("replicas", kOwners, &fleet->owner);
  if (const auto deployment = fields.Get("deployment")) {
    ReadDeployment(*deployment, &fleet->deployment);
    if (fleet->owner != Owner::kDeployment) {
      deployment->Complain("has no effect without replicas: deployment");
    }
  }
  fields.OptionalInt("quota", {1, kMaxReplicas, "a number of replicas"}, &fleet->placement.quota);
  if (const auto zones = fields.Get("zones")) ReadZones(*zones, &fleet->placement.zones);
  if (const auto losses = fields.Get("zoneLosses")) {
    ForEach(*losses, kMostEvents, [&](const Value& item) {
      ReadLoss(item, fleet->placement.zones, &fleet->placement.losses);
    });
  }
  if (const auto rollouts = fields.Get("rollouts")) ReadRollouts(*rollouts, &fleet->rollouts);
}

}  // namespace tidegate::sim
