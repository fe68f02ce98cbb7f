#include "sim/world/request_pool.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "policies/base/check.h"

namespace tidegate::sim {

using signals::Phase;
using Slot = Stations::Slot;

namespace {

constexpr std::uint64_t kServices = 0x73657276;  // the random streams' names
constexpr std::uint64_t kChoices = 0x63686f69;
constexpr std::uint64_t kSlow = 0x736c6f77;

ServiceTime TimesOf(const ServiceModel& model) {
  return {.kind = model.requests.distribution,
          .mean_seconds = model.service_seconds,
          .variation = model.requests.variation,
          .empirical = model.requests.empirical_seconds};
}

// Signed in between: the processor converts to those in one step.
std::uint64_t Micros(double seconds) {
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(seconds * 1e6));
}

}  // namespace

RequestPool::RequestPool(Calendar& calendar, const traces::Trace& trace, Instant start,
                         const ServiceModel& model, std::uint64_t seed)
    : calendar_(calendar),
      trace_(trace),
      start_(start),
      model_(model),
      seed_(seed),
      arrivals_(trace, model.requests.arrivals, seed),
      services_(TimesOf(model), seed, kServices),
      choices_(seed, kChoices),
      stations_(static_cast<std::size_t>(model.workers)),
      connections_(model.requests.connections),
      advanced_(calendar.Now()),
      objective_micros_(Micros(model.requests.objective_seconds)) {}

void RequestPool::FollowOn(RequestPool& upstream) {
  upstream_ = &upstream;
  upstream.downstream_ = this;
}

Rate RequestPool::arrival_rate(Instant at) const {
  return upstream_ != nullptr ? upstream_->arrival_rate(at) : traces::RateAt(trace_, at - start_);
}

// Replicas.

void RequestPool::Add(const std::string& name, const Revision& revision, Phase phase) {
  const Instant now = calendar_.Now();
  AdvanceTo(now);
  TIDEGATE_CHECK(!Knows(name), "a replica's name is used once");
  const Slot slot = stations_.Add();
  if (slot == tenures_.size()) tenures_.emplace_back();
  Tenure& tenure = tenures_[slot];
  const bool slow =
      traces::Random(seed_, kSlow + (starts_ << 32)).Uniform() < model_.requests.slow_share;
  tenure = {.slowness = slow ? model_.requests.slow_factor : 1,
            .generation = tenure.generation + 1};
  roster_.Insert({name, revision, phase, now, now, std::nullopt}, {slot});
  ++starts_;
}

void RequestPool::Start(const std::string& name, const Revision& revision) {
  const Duration startup = StartupOf(model_, seed_, starts_);
  Add(name, revision, Phase::kStarting);
  calendar_.At(calendar_.Now() + startup, [this, name] { Ready(name); });
}

void RequestPool::Adopt(const std::string& name, const Revision& revision) {
  Add(name, revision, Phase::kStarting);
  MakeReady(*roster_.Find(name));
}

void RequestPool::Ready(const std::string& name) {
  AdvanceTo(calendar_.Now());
  const auto i = roster_.Find(name);
  if (i && roster_.view(*i).phase == Phase::kStarting) MakeReady(*i);
}

void RequestPool::MakeReady(std::size_t i) {
  const Slot slot = roster_.account(i).slot;
  tenures_[slot].ready = true;
  ready_.push_back(slot);
  roster_.SetPhase(i, Phase::kReady, calendar_.Now());
}

void RequestPool::StopServing(std::size_t i) {
  const Slot slot = roster_.account(i).slot;
  if (tenures_[slot].ready) std::erase(ready_, slot);
  tenures_[slot].ready = false;
}

void RequestPool::Drain(const std::string& name) {
  AdvanceTo(calendar_.Now());
  const auto i = roster_.Find(name);
  if (!i || roster_.view(*i).phase == Phase::kDraining) return;
  if (roster_.view(*i).phase == Phase::kFailed) return Remove(name);
  StopServing(*i);
  roster_.SetPhase(*i, Phase::kDraining, calendar_.Now());
  calendar_.At(calendar_.Now() + model_.drain, [this, name] { Remove(name); });
}

void RequestPool::Crash(const std::string& name) {
  AdvanceTo(calendar_.Now());
  const auto i = roster_.Find(name);
  if (!i || roster_.view(*i).phase == Phase::kFailed) return;
  if (roster_.view(*i).phase == Phase::kDraining) return Remove(name);
  StopServing(*i);
  CutOff(roster_.account(*i).slot);
  roster_.SetPhase(*i, Phase::kFailed, calendar_.Now());
}

void RequestPool::Remove(const std::string& name) {
  AdvanceTo(calendar_.Now());
  const auto i = roster_.Find(name);
  if (!i) return;  // it died while it drained
  const Slot slot = roster_.account(*i).slot;
  CutOff(slot);
  stations_.Remove(slot);
  roster_.Erase(*i);
}

// What it has in progress fails now.
void RequestPool::CutOff(Slot slot) {
  Tidy(Now());
  const auto end = in_progress_.begin() + static_cast<std::ptrdiff_t>(listed_);
  const auto rest = std::stable_partition(
      in_progress_.begin(), end, [slot](const InProgress& one) { return one.slot != slot; });
  const std::vector<InProgress> torn(rest, end);
  TIDEGATE_CHECK(torn.size() == Inside(slot), "a replica's requests in progress are listed");
  listed_ -= torn.size();
  torn_ += torn.size();
  tenures_[slot].accepted -= torn.size();
  stations_.Clear(slot);
  std::vector<double> ends;
  for (const InProgress& one : torn) {
    if (Micros(one.end - one.first) > objective_micros_) --slow_;
    ends.push_back(one.end);
    Fail({Now(), one.first, one.number}, Now(), cut_);
  }
  if (downstream_ != nullptr) downstream_->Withdraw(std::move(ends));
}

// Requests that would have come from upstream at these times don't.
void RequestPool::Withdraw(std::vector<double> ends) {
  std::ranges::sort(ends);
  std::erase_if(inbox_, [&](const Queued& queued) {
    if (queued.attempt.number > 1) return false;
    const auto at = std::ranges::lower_bound(ends, queued.attempt.at);
    if (at == ends.end() || *at != queued.attempt.at) return false;
    ends.erase(at);
    return true;
  });
  TIDEGATE_CHECK(ends.empty(), "what is in progress upstream is expected downstream");
  std::ranges::make_heap(inbox_, Later{});
}

// Requests.

void RequestPool::AdvanceTo(Instant at) {
  if (at <= advanced_) return;
  if (upstream_ != nullptr) upstream_->AdvanceTo(at);
  advanced_ = at;
  switch (model_.requests.balancing) {
    case Balancing::kRoundRobin: FlowTo<Balancing::kRoundRobin>(Now()); break;
    case Balancing::kRandom: FlowTo<Balancing::kRandom>(Now()); break;
    case Balancing::kLeastOfTwo: FlowTo<Balancing::kLeastOfTwo>(Now()); break;
    case Balancing::kLeast: FlowTo<Balancing::kLeast>(Now()); break;
    case Balancing::kOneLine: FlowTo<Balancing::kOneLine>(Now()); break;
  }
  CheckCounts();
}

template <Balancing kKind>
void RequestPool::FlowTo(double until) {
  if (upstream_ == nullptr) {
    while (const std::size_t count = arrivals_.Take(until, block_)) ServeBlock<kKind>(count);
  }
  ServeInbox<kKind>(until);
}

template <Balancing kKind>
void RequestPool::ServeBlock(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const double at = block_[i];
    if (kKind == Balancing::kOneLine || !inbox_.empty()) ServeInbox<kKind>(at);
    ++arrived_;
    Serve<kKind>(at, at, 1);
  }
}

// What is in the inbox and due by `until`, in order.
template <Balancing kKind>
void RequestPool::ServeInbox(double until) {
  if constexpr (kKind == Balancing::kOneLine) ServeLineUntilInbox(until);
  while (!inbox_.empty() && inbox_.front().attempt.at <= until) {
    const Attempt attempt = inbox_.front().attempt;
    std::ranges::pop_heap(inbox_, Later{});
    inbox_.pop_back();
    ++(attempt.number > 1 ? retries_ : arrived_);
    if (attempt.number > 1) --retrying_;
    Serve<kKind>(attempt.at, attempt.first, attempt.number);
    if constexpr (kKind == Balancing::kOneLine) ServeLineUntilInbox(until);
  }
}

template <Balancing kKind>
void RequestPool::Serve(double at, double first, int number) {
  if (ready_.empty()) return Fail({at, first, number}, at, refused_);
  if constexpr (kKind == Balancing::kOneLine) return ServeOrWait({at, first, number});
  const Slot slot = connections_.empty() ? Choose<kKind>(at) : ChooseByConnection<kKind>(at);
  const double start = std::max(at, stations_.FreeAt(slot));
  const std::size_t limit = model_.requests.queue_limit;
  if (limit != RequestModel::kNoLimit && start > at && stations_.Waiting(slot, at) >= limit) {
    return Fail({at, first, number}, at, rejected_);
  }
  if (start - at > model_.patience_seconds) {
    const double leaves = at + model_.patience_seconds;
    stations_.GiveUp(slot, at, leaves);
    return Fail({at, first, number}, leaves, gave_up_);
  }
  Accept(slot, start, {at, first, number});
}

// Its service begins at `start`. Inlined: each request of every balancing comes through here.
[[gnu::always_inline]] inline void RequestPool::Accept(Slot slot, double start,
                                                       const Attempt& attempt) {
  Tenure& tenure = tenures_[slot];
  const double end = start + services_.Next() * tenure.slowness;
  stations_.Take(slot, attempt.at, start, end);
  ++tenure.accepted;
  ++accepted_;
  waited_ += start - attempt.at;
  slow_ += Micros(end - attempt.first) > objective_micros_ ? 1U : 0U;
  if (listed_ == in_progress_.size()) Tidy(attempt.at);
  in_progress_[listed_++] = {end, attempt.first, slot, attempt.number};
  if (downstream_ != nullptr) downstream_->Put({end, end, 1});
}

// One line before all replicas.

// Serves it until the inbox has something due, or to the end. Who gives up may be back before that.
void RequestPool::ServeLineUntilInbox(double until) {
  for (;;) {
    const double next = inbox_.empty() ? until : std::min(until, inbox_.front().attempt.at);
    if (ServeLine(next)) return;
  }
}

// False where somebody gave up before `until`: the line is served up to then only.
bool RequestPool::ServeLine(double until) {
  while (!line_.empty()) {
    const Attempt head = line_.front();
    const double leaves = head.at + model_.patience_seconds;
    const Slot slot = ready_.empty() ? 0 : FirstFree();
    const double free = ready_.empty() ? ArrivalStream::kNever : stations_.FreeAt(slot);
    const double start = std::max({head.at, free, line_served_});
    if (std::min(start, leaves) > until) break;
    line_.pop_front();
    if (start > leaves) {
      line_served_ = std::max(line_served_, leaves);
      Fail(head, leaves, gave_up_);
      return false;
    }
    line_served_ = start;
    Accept(slot, start, head);
  }
  line_served_ = std::max(line_served_, until);
  return true;
}

// The line is served up to when this one comes.
void RequestPool::ServeOrWait(const Attempt& attempt) {
  if (line_.empty() && stations_.FreeAt(FirstFree()) <= attempt.at) {
    return Accept(ChooseLeast(attempt.at), attempt.at, attempt);
  }
  if (line_.size() >= model_.requests.queue_limit) return Fail(attempt, attempt.at, rejected_);
  line_.push_back(attempt);
}

// Precondition: a replica is ready.
Slot RequestPool::FirstFree() const {
  return *std::ranges::min_element(ready_, {},
                                   [this](Slot slot) { return stations_.FreeAt(slot); });
}

// Measures those that are answered by `now`, which comes after all arrivals so far, and lists the
// others alone. The list has room for four times as many then, so that each request is looked at
// little more than once. Without a branch that depends on times: it would be guessed wrong half of
// the time.
void RequestPool::Tidy(double now) {
  std::size_t kept = 0;
  for (std::size_t begin = 0; begin < listed_; begin += kBlock) {
    const std::size_t end = std::min(listed_, begin + kBlock);
    for (std::size_t i = begin; i < end; ++i) {
      const InProgress one = in_progress_[i];
      in_progress_[kept] = one;
      kept += one.end > now ? 1U : 0U;
      measured_[measurements_] = Micros(one.end - one.first);
      measurements_ += one.end > now ? 0U : 1U;
    }
    Record();
  }
  listed_ = kept;
  if (4 * kept > in_progress_.size()) in_progress_.resize(4 * kept);
}

void RequestPool::Record() {
  const auto measured = std::span(measured_).first(measurements_);
  latencies_.RecordAll(measured);
  recent_.RecordAll(measured);
  measurements_ = 0;
}

void RequestPool::Put(const Attempt& attempt) {
  inbox_.push_back({attempt, put_++});
  std::ranges::push_heap(inbox_, Later{});
}

void RequestPool::Fail(const Attempt& attempt, double at, std::uint64_t& kind) {
  const RetryModel& retries = model_.requests.retries;
  const auto since = static_cast<double>(arrived_ - arrived_at_failure_);
  retry_tokens_ = std::min(kMostTokens, retry_tokens_ + retries.budget * since);
  arrived_at_failure_ = arrived_;
  if (attempt.number >= retries.attempts || retry_tokens_ < 1) {
    ++kind;
    return;
  }
  retry_tokens_ -= 1;
  ++retrying_;
  const double backoff = std::ldexp(retries.backoff_seconds, attempt.number - 1);
  Put({at + backoff, attempt.first, attempt.number + 1});
}

template <Balancing kKind>
Slot RequestPool::Choose(double now) {
  const std::size_t count = ready_.size();
  if (count == 1) return ready_[0];
  if constexpr (kKind == Balancing::kRoundRobin) {
    turn_ = turn_ + 1 < count ? turn_ + 1 : 0;
    return ready_[turn_];
  } else if constexpr (kKind == Balancing::kRandom) {
    return ready_[choices_.Below(static_cast<std::uint32_t>(count))];
  } else if constexpr (kKind == Balancing::kLeastOfTwo) {
    const std::uint64_t bits = choices_.Next();
    const Slot a = ready_[(bits >> 32) * count >> 32];
    const Slot b = ready_[(bits & 0xffffffff) * count >> 32];
    return stations_.Inside(b, now) < stations_.Inside(a, now) ? b : a;
  } else {
    return ChooseLeast(now);
  }
}

// Equal ones take turns.
Slot RequestPool::ChooseLeast(double now) {
  turn_ = turn_ + 1 < ready_.size() ? turn_ + 1 : 0;
  Slot best = ready_[turn_];
  std::size_t least = stations_.Inside(best, now);
  for (std::size_t i = 1; i < ready_.size() && least > 0; ++i) {
    const std::size_t at = turn_ + i < ready_.size() ? turn_ + i : turn_ + i - ready_.size();
    const std::size_t inside = stations_.Inside(ready_[at], now);
    if (inside >= least) continue;
    least = inside;
    best = ready_[at];
  }
  return best;
}

template <Balancing kKind>
Slot RequestPool::ChooseByConnection(double now) {
  Connection& connection =
      connections_[choices_.Below(static_cast<std::uint32_t>(connections_.size()))];
  const bool open = connection.left > 0 && tenures_[connection.slot].ready &&
                    tenures_[connection.slot].generation == connection.generation;
  if (!open) {
    connection.slot = Choose<kKind>(now);
    connection.generation = tenures_[connection.slot].generation;
    connection.left = model_.requests.requests_per_connection;
  }
  --connection.left;
  return connection.slot;
}

// Sums.

std::uint64_t RequestPool::inside() const { return InStations() + line_.size(); }

std::uint64_t RequestPool::InStations() const {
  std::uint64_t inside = 0;
  for (const Account& account : roster_.accounts()) inside += Inside(account.slot);
  return inside;
}

double RequestPool::backlog() const {
  std::uint64_t waiting = line_.size();
  for (const Account& account : roster_.accounts()) {
    waiting += stations_.Waiting(account.slot, Now());
  }
  return static_cast<double>(waiting);
}

std::optional<double> RequestPool::Served(std::string_view name) const {
  const auto i = roster_.Find(name);
  if (!i || roster_.view(*i).phase == Phase::kFailed) return std::nullopt;
  const Slot slot = roster_.account(*i).slot;
  return static_cast<double>(tenures_[slot].accepted - Inside(slot));
}

Flow RequestPool::total() const {
  Flow flow;
  const std::uint64_t served = accepted_ - torn_ - InStations();
  flow.arrived = static_cast<double>(arrived_);
  flow.served = static_cast<double>(served);
  flow.refused = static_cast<double>(refused_);
  flow.rejected = static_cast<double>(rejected_);
  flow.gave_up = static_cast<double>(gave_up_);
  flow.cut = static_cast<double>(cut_);
  flow.lost = flow.refused + flow.rejected + flow.gave_up + flow.cut;
  flow.slow = static_cast<double>(slow_);
  flow.retries = static_cast<double>(retries_);
  return flow;
}

const Histogram* RequestPool::latencies() {
  Tidy(Now());
  return &latencies_;
}

std::optional<LatencyPercentiles> RequestPool::RecentLatency() {
  Tidy(Now());
  if (recent_.count() == 0) return std::nullopt;
  const auto seconds = [this](double q) { return static_cast<double>(recent_.Quantile(q)) * 1e-6; };
  const LatencyPercentiles latency{seconds(0.5), seconds(0.9), seconds(0.99)};
  recent_.Clear();
  return latency;
}

// No request is made or lost by the books: each that arrived was accepted and not cut off, is lost
// or tries again.
void RequestPool::CheckCounts() const {
  const std::uint64_t kept = accepted_ - torn_;
  TIDEGATE_CHECK(
      arrived_ == kept + refused_ + rejected_ + gave_up_ + cut_ + retrying_ + line_.size(),
      "every request waits, is accepted, lost or tries again");
  TIDEGATE_CHECK(latencies_.count() + listed_ == kept,
                 "every accepted request is measured or in progress");
}

}  // namespace tidegate::sim
