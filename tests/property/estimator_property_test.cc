// Random lives of a scraped pool, against the truth. The bounds that are stated here are wider than
// what the estimator does on most days; they are what it may never leave.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "policies/signals/estimator.h"
#include "tests/testing/rollout_world.h"

namespace tidegate::signals {
namespace {

using std::chrono::seconds;
using testing::Dice;

constexpr Instant kStart = FromUnixMillis(1'800'000'000'000);
constexpr Duration kLong = seconds(600);

struct Life {
  std::string name;
  Instant started{};
  Instant ready{};
  Instant leaves = Instant::max();  // gets no load from then on
  Instant gone = Instant::max();    // is neither listed nor scraped any more
  bool crashes = false;             // failed, not draining, from `leaves` to `gone`
  Duration phase{};
  double initial = 0;
  std::vector<Instant> resets;
};

struct Faults {
  int lost = 0;         // percent of scrapes
  int resets = 0;       // percent of replicas whose counter starts anew once
  int unlisted = 0;     // percent of leavers that are gone as soon as they leave
  bool told = false;    // leavers are listed as such for two intervals at least
  bool steady = false;  // the load never changes
  bool still = false;   // nobody comes or goes
};

// One pool for ten minutes. The load is shared equally by those that are ready.
class World {
 public:
  World(std::uint64_t seed, const Faults& faults) : dice_(seed), faults_(faults) {
    interval_ = seconds(std::vector<int>{5, 15, 30}[static_cast<std::size_t>(dice_.Below(3))]);
    load_.push_back({kStart - seconds(10'000), 20.0 + dice_.Below(2'000)});
    for (Instant at = kStart; !faults.steady && at < kStart + kLong; at += Upto(interval_ * 12)) {
      load_.push_back({at, 20.0 + dice_.Below(2'000)});
    }
    const int old = 1 + dice_.Below(6);
    for (int i = 0; i < old; ++i) Add(kStart - seconds(5'000), dice_.Below(1'000'000));
    const int young = faults.still ? 0 : dice_.Below(6);
    for (int i = 0; i < young; ++i) Add(kStart + Upto(kLong), 0);
    // One of the old ones stays, so that somebody serves at any time.
    for (std::size_t i = 1; i < lives_.size(); ++i) End(lives_[i]);
    for (const Life& life : lives_) {
      for (const Instant at : {life.ready, life.leaves}) changes_.push_back(at);
    }
    for (const Load& load : load_) changes_.push_back(load.since);
    std::erase(changes_, Instant::max());
    std::ranges::sort(changes_);
    CountParts();
  }

  EstimateOptions Options() const { return {interval_ * 4, interval_, interval_ * 5 / 2}; }
  Duration interval() const { return interval_; }

  std::vector<ReplicaView> Fleet(Instant now) const {
    std::vector<ReplicaView> views;
    for (const Life& life : lives_) {
      if (now < life.started || now >= life.gone) continue;
      ReplicaView view{life.name, "a", Phase::kStarting, life.started, life.started, std::nullopt};
      if (now >= life.ready) {
        view.phase = Phase::kReady;
        view.since = life.ready;
        view.ready_at = life.ready;
      }
      if (now >= life.leaves) {
        view.phase = life.crashes ? Phase::kFailed : Phase::kDraining;
        view.since = life.leaves;
      }
      views.push_back(std::move(view));
    }
    std::ranges::sort(views, {}, &ReplicaView::name);
    return views;
  }

  // All samples up to `now`, of the window or a little more.
  std::vector<SampleSeries> Samples(Instant now, Duration window) const {
    std::vector<SampleSeries> all;
    for (const Life& life : lives_) {
      SampleSeries series{life.name, {}};
      const Instant from = std::max(life.started, now - window);
      const Duration since = (from.time_since_epoch() - life.phase) % interval_;
      Instant at = since == Duration(0) ? from : from + interval_ - since;
      for (; at <= now && at < life.gone; at += interval_) {
        if (IsLost(life, at)) continue;
        series.samples.push_back({at, std::floor(CountAt(life, at))});
      }
      if (!series.samples.empty()) all.push_back(std::move(series));
    }
    return all;
  }

  struct Range {
    double least = std::numeric_limits<double>::max();
    double most = 0;
  };
  // Of the load in (from, to].
  Range LoadIn(Instant from, Instant to) const {
    Range range;
    for (std::size_t i = 0; i < load_.size(); ++i) {
      const Instant end = i + 1 < load_.size() ? load_[i + 1].since : Instant::max();
      if (load_[i].since > to || end <= from) continue;
      range.least = std::min(range.least, load_[i].rate);
      range.most = std::max(range.most, load_[i].rate);
    }
    return range;
  }

 private:
  struct Load {
    Instant since{};
    double rate = 0;
  };

  Duration Upto(Duration most) { return Duration(1 + dice_.Below(static_cast<int>(most.count()))); }

  void Add(Instant started, double initial) {
    Life life;
    life.name = fmt::format("edge-a-{}", lives_.size());
    life.started = started;
    life.ready = started + Upto(seconds(20));
    life.phase = Upto(interval_);
    life.initial = initial;
    if (dice_.Percent(faults_.resets)) life.resets.push_back(kStart + Upto(kLong));
    lives_.push_back(std::move(life));
  }

  void End(Life& life) {
    if (faults_.still || dice_.Percent(40)) return;
    life.leaves = std::max(life.ready, kStart) + Upto(kLong / 2);
    life.crashes = dice_.Percent(30);
    life.gone = life.leaves + (dice_.Percent(faults_.unlisted) ? Duration(0) : Upto(seconds(60)));
    if (faults_.told) life.gone += interval_ * 2;
  }

  bool IsLost(const Life& life, Instant at) const {
    const auto draw = UnixMillis(at) * 1'000'003 + UnixMillis(life.ready) + life.phase.count();
    Dice dice(static_cast<std::uint64_t>(draw));
    return dice.Percent(faults_.lost);
  }

  double LoadAt(Instant at) const {
    const auto next = std::ranges::upper_bound(load_, at, {}, &Load::since);
    return (next - 1)->rate;
  }

  // What the replica's counter shows: its share of the load since it was ready or reset.
  double CountAt(const Life& life, Instant at) const {
    double count = life.initial;
    Instant from = std::max(life.ready, kStart - seconds(200));
    for (const Instant reset : life.resets) {
      if (reset > at || reset <= life.started) continue;
      count = 0;
      from = std::max(from, reset);
    }
    const Instant to = std::min(at, life.leaves);
    return from < to ? count + PartBy(to) - PartBy(from) : count;
  }

  // What one replica that always serves has got by then.
  double PartBy(Instant at) const {
    const auto next = std::ranges::upper_bound(parts_, at, {}, &Part::since);
    const Part& part = *(next - 1);
    return part.got + part.rate * Seconds(at - part.since);
  }

  void CountParts() {
    double got = 0;
    for (const Instant since : changes_) {
      if (!parts_.empty()) got = PartBy(since);
      const auto serving = std::ranges::count_if(
          lives_, [&](const Life& life) { return life.ready <= since && since < life.leaves; });
      parts_.push_back(
          {since, serving == 0 ? 0 : LoadAt(since) / static_cast<double>(serving), got});
    }
  }

  Dice dice_;
  Faults faults_;
  Duration interval_{};
  std::vector<Load> load_;
  std::vector<Life> lives_;
  std::vector<Instant> changes_;  // of who serves and of the load
  // From `since` on, each that serves gets `rate`; one that always did has got `got` before.
  struct Part {
    Instant since{};
    double rate = 0;
    double got = 0;
  };
  std::vector<Part> parts_;
};

std::string Tell(const Reading& reading, const World::Range& truth, Instant now,
                 const std::vector<SampleSeries>& all, const std::vector<ReplicaView>& fleet) {
  std::string text =
      fmt::format("{} {}: {:.2f} {} where {:.2f} to {:.2f} is true", FormatInstant(now),
                  Name(reading.quality), reading.value, reading.detail, truth.least, truth.most);
  for (const ReplicaView& view : fleet) {
    text += fmt::format("\n  {} {} for {}, ready for {}", view.name, Name(view.phase),
                        FormatDuration(now - view.since),
                        FormatDuration(view.ready_at ? now - *view.ready_at : Duration(0)));
  }
  for (const SampleSeries& series : all) {
    text += "\n  " + series.replica + ":";
    for (const Sample& sample : series.samples) {
      text += fmt::format(" {:.0f} ({} ago)", sample.value, FormatDuration(now - sample.at));
    }
  }
  return text;
}

// Counters are whole numbers, and a segment is a third of an interval long or more.
double Noise(const World& world, const std::vector<SampleSeries>& series) {
  return 2.0 * static_cast<double>(series.size()) / Seconds(world.interval() / 3);
}

// Judges readings all through the lives of a few worlds.
template <class Judge>
void ForEachReading(const Faults& faults, const Judge& judge) {
  auto seed = *rc::gen::noShrink(rc::gen::arbitrary<std::uint64_t>());
  for (int i = 0; i < 5; ++i, ++seed) {
    const World world(seed, faults);
    Dice dice(seed);
    for (Instant now = kStart + world.interval() * 4; now < kStart + kLong;
         now += Duration(1'000 + dice.Below(20'000))) {
      const auto series = world.Samples(now, world.Options().window);
      const auto fleet = world.Fleet(now);
      judge(world, now, series, fleet, EstimateRate(now, series, fleet, world.Options()));
    }
  }
}

// Where nothing is lost and the load is steady, an ok reading is that load, whole counters aside,
// but for what replicas that come and go within two scrapes of each other count twice or not at
// all: in these hectic pools, where a few may be most of the whole, up to this factor.
constexpr double kFactor = 2.5;

RC_GTEST_PROP(EstimatorProperty, IsCloseToASteadyLoadWhateverComesAndGoes, ()) {
  ForEachReading({.steady = true}, [](const World& world, Instant now, const auto& series,
                                      const auto& fleet, const Reading& reading) {
    if (reading.quality != Quality::kOk) return;
    const World::Range truth = world.LoadIn(now, now);
    const double noise = Noise(world, series);
    if (reading.value > truth.most * kFactor + noise ||
        reading.value < truth.most / kFactor - noise) {
      RC_FAIL(Tell(reading, truth, now, series, fleet));
    }
  });
}

// And where nobody comes or goes it is that load.
TEST(EstimatorPropertyTest, IsASteadyLoadWhereNobodyComesOrGoes) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const World world(seed, {.steady = true, .still = true});
    for (Instant now = kStart + seconds(130); now < kStart + kLong; now += seconds(7)) {
      const auto series = world.Samples(now, world.Options().window);
      const Reading reading = EstimateRate(now, series, world.Fleet(now), world.Options());
      EXPECT_EQ(reading.quality, Quality::kOk);
      const double noise = static_cast<double>(series.size()) / Seconds(world.interval());
      EXPECT_NEAR(reading.value, world.LoadIn(now, now).most, noise);
    }
  }
}

// Whatever is lost, as long as the fleet tells who leaves: an ok reading is at least half of the
// least load of the last six intervals, and at most twice the most of the last ten, with a
// counter's rounding; and no reading is negative.
RC_GTEST_PROP(EstimatorProperty, IsWithinItsBoundsOrNotOk, ()) {
  const Faults faults{
      .lost = *rc::gen::inRange(0, 50), .resets = *rc::gen::inRange(0, 30), .told = true};
  ForEachReading(faults, [](const World& world, Instant now, const auto& series, const auto& fleet,
                            const Reading& reading) {
    RC_ASSERT(reading.value >= 0 && std::isfinite(reading.value));
    if (reading.quality != Quality::kOk) return;
    World::Range truth = world.LoadIn(now - world.interval() * 6, now);
    truth.most = world.LoadIn(now - world.interval() * 10, now).most;
    const double noise = Noise(world, series);
    if (reading.value < truth.least / kFactor - noise ||
        reading.value > truth.most * kFactor + noise) {
      RC_FAIL(Tell(reading, truth, now, series, fleet));
    }
  });
}

// Enough of them are ok for the bounds to mean something.
TEST(EstimatorPropertyTest, MostReadingsAreOkWhereLittleIsLost) {
  int all = 0;
  int ok = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const World world(seed, {.lost = 2});
    for (Instant now = kStart + seconds(130); now < kStart + kLong; now += seconds(7)) {
      const Reading reading = EstimateRate(now, world.Samples(now, world.Options().window),
                                           world.Fleet(now), world.Options());
      ++all;
      ok += reading.quality == Quality::kOk ? 1 : 0;
    }
  }
  EXPECT_GT(ok, all * 85 / 100) << ok << " of " << all;
}

RC_GTEST_PROP(EstimatorProperty, DoesNotDependOnTheOrderOfSeries, ()) {
  const Faults faults{.lost = 20, .resets = 10, .unlisted = 20};
  Dice dice(*rc::gen::arbitrary<std::uint64_t>());
  ForEachReading(faults, [&](const World& world, Instant now, auto series, auto fleet,
                             const Reading& reading) {
    for (std::size_t k = series.size(); k > 1; --k) {
      std::swap(series[k - 1], series[static_cast<std::size_t>(dice.Below(static_cast<int>(k)))]);
    }
    for (std::size_t k = fleet.size(); k > 1; --k) {
      std::swap(fleet[k - 1], fleet[static_cast<std::size_t>(dice.Below(static_cast<int>(k)))]);
    }
    RC_ASSERT(EstimateRate(now, series, fleet, world.Options()) == reading);
  });
}

// A source that appends each scrape to what it holds and forgets late gives what one query would.
RC_GTEST_PROP(EstimatorProperty, IsTheSameFromSamplesThatWereKeptAsFromAFreshQuery, ()) {
  const Faults faults{.lost = 20, .resets = 10, .unlisted = 20};
  ForEachReading(faults, [](const World& world, Instant now, const auto&, const auto& fleet,
                            const Reading& reading) {
    auto kept = world.Samples(now, world.Options().window + world.interval() * 3);
    RC_ASSERT(EstimateRate(now, kept, fleet, world.Options()) == reading);
    for (SampleSeries& series : kept) {  // scraped while the answer was on its way
      series.samples.push_back({now + Duration(1), series.samples.back().value + 1e6});
    }
    RC_ASSERT(EstimateRate(now, kept, fleet, world.Options()) == reading);
  });
}

}  // namespace
}  // namespace tidegate::signals
