// The judge of live pools must be able to convict: each promise is broken once here.

#include "tests/testing/judge.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate::testing {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Instant kStart = FromUnixMillis(1'800'000'000'000);

// A pool of four with a surge of one and no unavailable replica.
JudgeOptions Options() {
  JudgeOptions options;
  options.budget.surge = {1, false};
  options.budget.unavailable = {0, false};
  options.declared = 4;
  options.drain_deadline = seconds(30);
  options.slack = seconds(1);
  return options;
}

// What is seen over time, one change after the other.
class Film {
 public:
  // Four replicas that serve.
  Film() {
    for (int i = 1; i <= 4; ++i) Run("r" + std::to_string(i), "UP");
    Shoot();
  }
  Film& Run(const std::string& replica, const std::string& status, std::int64_t sessions = 0) {
    now_.processes[replica] = static_cast<int>(now_.processes.size()) + 100;
    now_.front[replica] = {status, sessions};
    return *this;
  }
  Film& Front(const std::string& replica, const std::string& status, std::int64_t sessions = 0) {
    now_.front[replica] = {status, sessions};
    return *this;
  }
  // Its process is there and the front does not know it.
  Film& Spawn(const std::string& replica) {
    now_.processes[replica] = static_cast<int>(now_.processes.size()) + 100;
    return *this;
  }
  Film& Kill(const std::string& replica) {
    now_.processes.erase(replica);
    return *this;
  }
  Film& Drop(const std::string& replica) {
    now_.front.erase(replica);
    return *this;
  }
  // Takes a picture and lets time pass.
  Film& Shoot(Duration later = seconds(5)) {
    now_.at = at_;
    sights_.push_back(now_);
    at_ += later;
    return *this;
  }
  Judgement Judged(const std::vector<DesiredAt>& desired = {{kStart - seconds(60), 4}},
                   const JudgeOptions& options = Options()) const {
    return Judge(sights_, desired, options);
  }

 private:
  Instant at_ = kStart;
  PoolSight now_;
  std::vector<PoolSight> sights_;
};

TEST(JudgeTest, AQuietPoolHasNoBreach) {
  const Judgement judgement = Film().Shoot().Shoot().Judged();
  EXPECT_THAT(judgement.breaches, IsEmpty());
  EXPECT_EQ(judgement.highest_live, 4);
  EXPECT_EQ(judgement.lowest_available, 4);
  EXPECT_EQ(judgement.drains, 0);
}

TEST(JudgeTest, ACleanReplacementHasNoBreach) {
  Film film;
  film.Spawn("n1").Shoot();              // one above the size: the surge
  film.Front("n1", "UP").Shoot();        // serves
  film.Front("r1", "MAINT", 0).Shoot();  // an old one drains
  film.Kill("r1").Drop("r1").Shoot();    // and is gone
  const Judgement judgement = film.Judged();
  EXPECT_THAT(judgement.breaches, IsEmpty());
  EXPECT_EQ(judgement.starts, 5);  // the first four as well
  EXPECT_EQ(judgement.drains, 1);
  EXPECT_EQ(judgement.highest_live, 5);
  EXPECT_EQ(judgement.lowest_available, 4);
}

TEST(JudgeTest, AStartBeyondTheSurgeBreaksB1) {
  const Judgement judgement = Film().Spawn("n1").Spawn("n2").Shoot().Judged();
  EXPECT_THAT(judgement.breaches, ElementsAre(HasSubstr("B1: 6 live of at most 5")));
}

TEST(JudgeTest, StartsWithinARaisedSizeBreakNothing) {
  Film film;
  film.Spawn("n1").Spawn("n2").Spawn("n3").Shoot();
  const Judgement judgement = film.Judged({{kStart - seconds(60), 4}, {kStart + seconds(4), 6}});
  EXPECT_THAT(judgement.breaches, IsEmpty());
}

TEST(JudgeTest, StartsBeforeTheSizeIsRaisedBreakB1) {
  Film film;
  film.Spawn("n1").Spawn("n2").Spawn("n3").Shoot();
  const Judgement judgement = film.Judged({{kStart - seconds(60), 4}, {kStart + seconds(30), 6}});
  EXPECT_THAT(judgement.breaches, ElementsAre(HasSubstr("B1: 7 live of at most 5")));
}

TEST(JudgeTest, ADrainBeyondUnavailableBreaksB2) {
  const Judgement judgement = Film().Front("r1", "MAINT").Shoot().Judged();
  // 0 unavailable beside a surge of 1 stays 0: no serving replica may go without a new one.
  EXPECT_THAT(judgement.breaches,
              ElementsAre(HasSubstr("B2: a drain left 3 available of at least 4")));
  EXPECT_EQ(judgement.lowest_available, 3);
}

TEST(JudgeTest, ADrainWithinUnavailableBreaksNothing) {
  JudgeOptions options = Options();
  options.budget.unavailable = {1, false};
  const Judgement judgement =
      Film().Front("r1", "MAINT").Shoot().Judged({{kStart - seconds(60), 4}}, options);
  EXPECT_THAT(judgement.breaches, IsEmpty());
}

TEST(JudgeTest, TwoDrainsAtOnceBeyondUnavailableOfOneBreakB2) {
  JudgeOptions options = Options();
  options.budget.unavailable = {1, false};
  const Judgement judgement = Film()
                                  .Front("r1", "MAINT")
                                  .Front("r2", "MAINT")
                                  .Shoot()
                                  .Judged({{kStart - seconds(60), 4}}, options);
  EXPECT_THAT(judgement.breaches, ElementsAre(HasSubstr("B2: a drain left 2")));
}

TEST(JudgeTest, AServingReplicaThatTheFrontDropsCountsAsDrained) {
  const Judgement judgement = Film().Drop("r1").Shoot().Judged();
  EXPECT_THAT(judgement.breaches, ElementsAre(HasSubstr("B2")));
  EXPECT_EQ(judgement.drains, 1);
}

TEST(JudgeTest, NewSessionsOnADrainingServerBreakB5) {
  Film film;
  film.Run("n1", "UP").Shoot();
  film.Front("r1", "MAINT", 10).Shoot();
  film.Front("r1", "MAINT", 13).Shoot();
  EXPECT_THAT(film.Judged().breaches,
              ElementsAre(HasSubstr("B5: r1 got 3 new sessions while draining")));
}

TEST(JudgeTest, SessionsThatADrainingServerFinishesBreakNothing) {
  Film film;
  film.Run("n1", "UP").Shoot();
  film.Front("r1", "MAINT", 10).Shoot();
  film.Front("r1", "MAINT", 10).Shoot();
  EXPECT_THAT(film.Judged().breaches, IsEmpty());
}

TEST(JudgeTest, ADrainPastItsDeadlineBreaksB5Once) {
  Film film;
  film.Run("n1", "UP").Shoot();
  film.Front("r1", "MAINT").Shoot(seconds(32)).Shoot(seconds(10)).Shoot();
  EXPECT_THAT(film.Judged().breaches, ElementsAre(HasSubstr("B5: r1 still runs 32s")));
}

TEST(JudgeTest, ADrainUpToItsDeadlineBreaksNothing) {
  Film film;
  film.Run("n1", "UP").Shoot();
  film.Front("r1", "MAINT").Shoot(seconds(30)).Shoot(seconds(1));
  film.Kill("r1").Drop("r1").Shoot();
  EXPECT_THAT(film.Judged().breaches, IsEmpty());
}

TEST(JudgeTest, AKilledReplicaIsNoDrainOfOurs) {
  Film film;
  film.Kill("r1").Front("r1", "DOWN").Shoot();
  const Judgement judgement = film.Judged();
  EXPECT_THAT(judgement.breaches, IsEmpty());
  EXPECT_EQ(judgement.drains, 0);
  EXPECT_EQ(judgement.lowest_available, 3);  // it is seen all the same
}

TEST(JudgeTest, AReplicaThatHangsIsNoDrainOfOurs) {
  const Judgement judgement = Film().Front("r1", "DOWN").Shoot().Judged();
  EXPECT_THAT(judgement.breaches, IsEmpty());
  EXPECT_EQ(judgement.drains, 0);
}

TEST(JudgeTest, ADrainOnTopOfALostReplicaBreaksB2) {
  JudgeOptions options = Options();
  options.budget.unavailable = {1, false};
  Film film;
  film.Kill("r1").Front("r1", "DOWN").Shoot();  // the allowance is used up by the fault
  film.Front("r2", "MAINT").Shoot();
  EXPECT_THAT(film.Judged({{kStart - seconds(60), 4}}, options).breaches,
              ElementsAre(HasSubstr("B2: a drain left 2 available of at least 3")));
}

TEST(JudgeTest, GivesThePathOfServingReplicas) {
  Film film;
  film.Run("n1", "UP").Shoot().Shoot();
  EXPECT_THAT(film.Judged({{kStart - seconds(60), 5}}).path, ElementsAre("+0.0 s 4", "+5.0 s 5"));
}

}  // namespace
}  // namespace tidegate::testing
