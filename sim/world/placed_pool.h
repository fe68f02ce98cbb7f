#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/expected.h"
#include "sim/engine/calendar.h"
#include "sim/world/pool_layer.h"

namespace tidegate::sim {

// A zone is lost with all that runs in it, and comes back empty.
struct ZoneLoss {
  std::string zone;
  Duration at{0};  // since the trace's start
  Duration lasts{0};
  bool operator==(const ZoneLoss&) const = default;
};

// Where a pool's replicas may be, and how many.
struct Placement {
  std::optional<Replicas> quota =
      std::nullopt;                     // replicas that exist, starting to failed; unset: no limit
  std::vector<std::string> zones = {};  // names; empty: one that is never lost
  std::vector<ZoneLoss> losses = {};    // of those zones
};

// A pool within a quota and spread over zones: a replica starts in the zone that is up and has the
// fewest, the first of equals. Replicas of a lost zone fail at once, starting and ready ones alike,
// and stay to be seen as failed until somebody drains them; those that drain are gone.
class PlacedPool : public PoolLayer {
 public:
  // `calendar` must be the inner pool's too, and outlive this object; losses count from its present
  // time. Precondition: losses are of zones that are listed.
  PlacedPool(Calendar& calendar, std::unique_ptr<PoolModel> inner, Placement placement);

  // An error where nothing more can start: quota used up, or no zone up.
  Expected<void> HasRoom() const;
  // "" for a replica that is unknown, and where there are no zones.
  std::string ZoneOf(std::string_view name) const;
  // Whether it is in a zone that is down.
  bool IsCutOff(std::string_view name) const;

  // Precondition: HasRoom().
  void Start(const std::string& name, const Revision& revision) override;
  void Adopt(const std::string& name, const Revision& revision) override;  // likewise

 private:
  std::size_t BestZone() const;
  void Place(const std::string& name);
  void Lose(std::size_t zone);

  Calendar& calendar_;
  Placement placement_;
  std::vector<int> down_;                                  // losses in force, by zone
  std::map<std::string, std::size_t, std::less<>> zones_;  // index of the zone, by replica
};

}  // namespace tidegate::sim
