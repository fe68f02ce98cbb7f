#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policies/base/histogram.h"
#include "policies/base/instant.h"
#include "sim/engine/calendar.h"
#include "sim/engine/service_time.h"
#include "sim/world/arrival_stream.h"
#include "sim/world/pool_model.h"
#include "sim/world/roster.h"
#include "sim/world/service_model.h"
#include "sim/world/station.h"
#include "traces/format/trace.h"
#include "traces/generate/random.h"

namespace tidegate::sim {

// A pool in which every request is one: it arrives, is sent to a ready replica, waits in its line,
// is served by one of its workers. Costs some tens of nanoseconds a request, and memory for
// replicas and for what is in progress, never for what was served.
//
// A replica that drains finishes what it has until it goes. What it has then, and what one has that
// dies, fails: its clients try again, or it is lost. Who would have given up waiting there does so
// when he would have.
class RequestPool : public PoolModel {
 public:
  // `calendar` and `trace` must outlive the pool; the trace starts at `start`. Equal seeds give
  // equal runs.
  RequestPool(Calendar& calendar, const traces::Trace& trace, Instant start,
              const ServiceModel& model, std::uint64_t seed);

  // From now on each request that `upstream` has served comes here; the trace's don't. Both pools
  // must outlive each other's use. Precondition: no request has flowed yet.
  void FollowOn(RequestPool& upstream);

  void Start(const std::string& name, const Revision& revision) override;
  void Adopt(const std::string& name, const Revision& revision) override;
  void Drain(const std::string& name) override;
  void Crash(const std::string& name) override;
  bool Knows(std::string_view name) const override { return roster_.Find(name).has_value(); }
  void OnChange(std::function<void()> told) override { roster_.OnChange(std::move(told)); }
  void AdvanceTo(Instant at) override;
  std::span<const signals::ReplicaView> Views() const override { return roster_.views(); }
  std::optional<double> Served(std::string_view name) const override;
  Flow total() const override;
  double backlog() const override;
  double capacity() const override { return model_.capacity(); }
  Rate arrival_rate(Instant at) const override;
  const Histogram* latencies() override;
  std::optional<LatencyPercentiles> RecentLatency() override;

  // Requests in progress: served, or waiting and to be served. Those who will give up are lost
  // already.
  std::uint64_t inside() const;
  // Seconds that all accepted requests waited or will wait for a worker, together.
  double waited_seconds() const { return waited_; }
  // Of those, how many.
  std::uint64_t accepted() const { return accepted_; }

 private:
  static constexpr std::size_t kBlock = 256;
  static constexpr double kMostTokens = 10;  // of the retry budget, kept for later

  struct Account {
    Stations::Slot slot = 0;
  };
  // What a station counts for the replica that has it.
  struct Tenure {
    std::uint64_t accepted = 0;
    double slowness = 1;           // service times take so many times as long
    std::uint32_t generation = 0;  // of connections that are bound to it
    bool ready = false;
  };
  // One try of a request.
  struct Attempt {
    double at = 0;
    double first = 0;  // when the request's first attempt was
    int number = 1;
  };
  struct Queued {  // in inbox_
    Attempt attempt;
    std::uint64_t order = 0;
  };
  struct Later {
    bool operator()(const Queued& a, const Queued& b) const {
      return a.attempt.at != b.attempt.at ? a.attempt.at > b.attempt.at : a.order > b.order;
    }
  };
  // An accepted attempt that is not known to be done.
  struct InProgress {
    double end = 0;  // when it is answered
    double first = 0;
    Stations::Slot slot = 0;
    int number = 1;
  };
  struct Connection {
    Stations::Slot slot = 0;
    std::uint32_t generation = 0;
    std::uint32_t left = 0;  // requests until it is closed
  };

  std::uint64_t Inside(Stations::Slot slot) const {
    return stations_.Inside(slot, Now()) - stations_.Quitting(slot, Now());
  }
  double SecondsAt(Instant at) const { return Seconds(at - start_); }
  double Now() const { return SecondsAt(advanced_); }
  void Add(const std::string& name, const Revision& revision, signals::Phase phase);
  void Ready(const std::string& name);
  void MakeReady(std::size_t i);
  void StopServing(std::size_t i);
  void Remove(const std::string& name);
  void CutOff(Stations::Slot slot);

  template <Balancing kKind>
  void FlowTo(double until);
  template <Balancing kKind>
  void ServeBlock(std::size_t count);
  template <Balancing kKind>
  void ServeInbox(double until);
  template <Balancing kKind>
  void Serve(double at, double first, int number);
  void ServeLineUntilInbox(double until);
  void ServeOrWait(const Attempt& attempt);
  bool ServeLine(double until);
  Stations::Slot FirstFree() const;
  void Accept(Stations::Slot slot, double start, const Attempt& attempt);
  std::uint64_t InStations() const;
  template <Balancing kKind>
  Stations::Slot Choose(double now);
  template <Balancing kKind>
  Stations::Slot ChooseByConnection(double now);
  Stations::Slot ChooseLeast(double now);
  void Tidy(double now);
  void Record();
  void Withdraw(std::vector<double> ends);
  void Put(const Attempt& attempt);
  // The attempt failed at `at`: another one follows, or one more is lost as `kind`.
  void Fail(const Attempt& attempt, double at, std::uint64_t& kind);
  void CheckCounts() const;

  Calendar& calendar_;
  const traces::Trace& trace_;
  Instant start_;
  ServiceModel model_;
  std::uint64_t seed_;
  ArrivalStream arrivals_;
  ServiceStream services_;
  traces::Random choices_;
  RequestPool* upstream_ = nullptr;
  RequestPool* downstream_ = nullptr;

  Roster<Account> roster_;
  Stations stations_;
  std::vector<Tenure> tenures_;        // by slot
  std::vector<Stations::Slot> ready_;  // in the order in which they became ready
  std::size_t turn_ = 0;               // of round robin
  std::vector<Connection> connections_;
  std::uint64_t starts_ = 0;
  Instant advanced_;

  std::deque<Attempt> line_;  // before all replicas, with kOneLine
  double line_served_ = 0;    // the time up to which it was

  std::vector<Queued> inbox_;  // a heap by Later: attempts that do not come from the trace
  std::uint64_t put_ = 0;
  std::uint64_t retrying_ = 0;  // of inbox_: retries
  double retry_tokens_ = kMostTokens;
  std::uint64_t arrived_at_failure_ = 0;  // how many had, when retry_tokens_ was brought up to date

  std::array<double, kBlock> block_{};  // arrivals
  // Accepted attempts that are in progress, and, until Tidy(), those that were; in the order in
  // which they were accepted. The first `listed_` are in use.
  std::vector<InProgress> in_progress_ = std::vector<InProgress>(2 * kBlock);
  std::size_t listed_ = 0;
  std::array<std::uint64_t, kBlock> measured_{};  // latencies to be recorded, in microseconds
  std::size_t measurements_ = 0;
  Histogram latencies_;
  CoarseHistogram recent_;
  std::uint64_t objective_micros_;
  double waited_ = 0;

  // Requests, but for retries_.
  std::uint64_t arrived_ = 0;
  std::uint64_t accepted_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t rejected_ = 0;
  std::uint64_t gave_up_ = 0;
  std::uint64_t cut_ = 0;
  std::uint64_t torn_ = 0;  // of accepted_: failed before they were answered
  std::uint64_t slow_ = 0;
  std::uint64_t retries_ = 0;
};

}  // namespace tidegate::sim
