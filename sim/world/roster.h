#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "policies/base/instant.h"
#include "policies/signals/snapshot.h"

namespace tidegate::sim {

// The replicas of a pool, sorted by name, and what its model keeps of each. Tells of each replica
// that comes, goes or changes its phase.
template <typename Account>
class Roster {
 public:
  // From now on `told` is called after each change.
  void OnChange(std::function<void()> told) { told_ = std::move(told); }

  std::optional<std::size_t> Find(std::string_view name) const {
    const std::size_t i = Before(name);
    if (i == views_.size() || views_[i].name != name) return std::nullopt;
    return i;
  }
  // Precondition: none of that name is there.
  std::size_t Insert(signals::ReplicaView view, Account account) {
    const std::size_t i = Before(view.name);
    const auto at = static_cast<std::ptrdiff_t>(i);
    views_.insert(views_.begin() + at, std::move(view));
    accounts_.insert(accounts_.begin() + at, std::move(account));
    Tell();
    return i;
  }
  void Erase(std::size_t i) {
    views_.erase(views_.begin() + static_cast<std::ptrdiff_t>(i));
    accounts_.erase(accounts_.begin() + static_cast<std::ptrdiff_t>(i));
    Tell();
  }
  void SetPhase(std::size_t i, signals::Phase phase, Instant now) {
    views_[i].phase = phase;
    views_[i].since = now;
    if (phase == signals::Phase::kReady) views_[i].ready_at = now;
    Tell();
  }

  std::span<const signals::ReplicaView> views() const { return views_; }
  const signals::ReplicaView& view(std::size_t i) const { return views_[i]; }
  Account& account(std::size_t i) { return accounts_[i]; }
  const Account& account(std::size_t i) const { return accounts_[i]; }
  std::span<const Account> accounts() const { return accounts_; }

 private:
  void Tell() const {
    if (told_) told_();
  }
  std::size_t Before(std::string_view name) const {
    const auto at = std::ranges::lower_bound(views_, name, {}, &signals::ReplicaView::name);
    return static_cast<std::size_t>(at - views_.begin());
  }

  std::vector<signals::ReplicaView> views_;
  std::vector<Account> accounts_;  // parallel to views_
  std::function<void()> told_;
};

}  // namespace tidegate::sim
