// rate(), increase() and irate() of scraped simulated pools, ours against a real Prometheus that
// holds the same samples.

#include "sim/world/range_functions.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/engine/calendar.h"
#include "sim/report/openmetrics.h"
#include "sim/world/fluid_pool.h"
#include "sim/world/scraper.h"
#include "tests/testing/block_prometheus.h"
#include "traces/format/prometheus_response.h"

namespace tidegate::sim {
namespace {

using signals::Sample;
using signals::SampleSeries;
using std::chrono::seconds;

constexpr Instant kStart = FromUnixMillis(1'767'225'600'000);
constexpr int kInstants = 500;
constexpr Duration kStep{3'700};
constexpr Duration kLength = kStep * kInstants;
constexpr double kTolerance = 1e-6;  // relative
const PoolId kPool{"istio-system", "edge"};

// A pool whose replicas hold places: a replica that is replaced goes on with its place's series,
// from zero, as a process that restarts does.
class Story {
 public:
  Story() {
    for (int place = 0; place < 2; ++place) Start(place);
    calendar_.Between([this](Instant at) { scraper_.AdvanceTo(at); });
    for (int place = 2; place < 8; ++place) At(300, [this, place] { Start(place); });
    for (const int place : {3, 6}) At(610, [this, place] { Restart(place); });
    At(800, [this] { Restart(0); });
    for (int place = 4; place < 8; ++place) At(1'100, [this, place] { Stop(place); });
    At(1'104, [this] { Restart(1); });
    for (int place = 4; place < 7; ++place) At(1'400, [this, place] { Start(place); });
    for (Instant at = kStart; at <= kStart + kLength; at += seconds(10)) {
      calendar_.At(at, [this] { Collect(); });
    }
    calendar_.RunUntil(kStart + kLength);
    Collect();
  }

  // By place.
  const std::map<std::string, std::vector<Sample>>& series() const { return series_; }
  std::vector<SampleSeries> Export() const {
    std::vector<SampleSeries> all;
    for (const auto& [place, samples] : series_) all.push_back({place, samples});
    return all;
  }

 private:
  void At(int second, std::function<void()> action) {
    calendar_.At(kStart + seconds(second), std::move(action));
  }
  std::string Name(int place) { return fmt::format("place-{}.{}", place, lives_[place]); }
  void Start(int place) {
    pool_.Start(Name(place), "aaaa0001");
    scraper_.Discover(calendar_.Now(), Name(place));
  }
  void Stop(int place) {
    pool_.Drain(Name(place));
    ++lives_[place];
  }
  void Restart(int place) {
    Stop(place);
    Start(place);
  }
  void Collect() {
    for (const SampleSeries& series : scraper_.Query(calendar_.Now())) {
      auto& held = series_[series.replica.substr(0, series.replica.find('.'))];
      for (const Sample& sample : series.samples) {
        if (held.empty() || sample.at > held.back().at) held.push_back(sample);
      }
    }
  }

  static traces::Trace Load() {
    traces::Trace trace{.bin = seconds(1), .requests = {}};
    for (int second = 0; Duration(seconds(second)) <= kLength; ++second) {
      trace.requests.push_back(second < 240 || second > 1'050 ? 200 : 1'000);
    }
    return trace;
  }

  Calendar calendar_{kStart};
  traces::Trace trace_ = Load();
  FluidPool pool_{calendar_, trace_, kStart, {}};
  Scraper scraper_{pool_,
                   {.interval = seconds(15), .window = seconds(120), .discovery = seconds(1)}};
  std::map<int, int> lives_;
  std::map<std::string, std::vector<Sample>> series_;
};

class RangeFunctionsLiveTest : public ::testing::Test {
 protected:
  void SetUp() override {
    OpenMetrics metrics("haproxy_frontend_http_requests_total");
    metrics.AddRequests(kPool, story_.Export());
    std::ostringstream text;
    metrics.Write(text);
    auto server = testing::BlockPrometheus::Start(dir_.path(), text.str());
    ASSERT_TRUE(server) << server.error().message;
    server_ = *std::move(server);
    const std::string build = server_->Ask("/api/v1/status/buildinfo", {});
    ASSERT_NE(build.find("\"version\":\""), std::string::npos) << build;
    if (build.find("\"version\":\"2.") == std::string::npos) dialect_ = kPrometheus3;
  }

  // By place and time.
  std::map<std::string, std::map<Instant, double>> Ask(const std::string& expr) {
    const std::string body =
        server_->Ask("/api/v1/query_range", {{"query", expr},
                                             {"start", fmt::format("{:.3f}", Unix(kStart + kStep))},
                                             {"end", fmt::format("{:.3f}", Unix(kStart + kLength))},
                                             {"step", fmt::format("{}ms", kStep.count())}});
    const std::vector<std::string> labels{"replica"};
    const auto response = traces::ParseResponse(body, labels, {});
    std::map<std::string, std::map<Instant, double>> answers;
    if (!response) {
      ADD_FAILURE() << expr << ": " << response.error().message;
      return answers;
    }
    for (const auto& series : response->series) {
      for (const Sample& sample : series.samples) {
        answers[series.labels[0]][sample.at] = sample.value;
      }
    }
    return answers;
  }
  static double Unix(Instant at) { return static_cast<double>(UnixMillis(at)) / 1000; }

  testing::TempDir dir_;
  Story story_;
  std::unique_ptr<testing::BlockPrometheus> server_;
  PromqlDialect dialect_ = kPrometheus2;
};

struct Function {
  const char* name;
  std::optional<double> (*ours)(std::span<const Sample>, const RangeQuery&);
};

TEST_F(RangeFunctionsLiveTest, EqualWhatPrometheusAnswers) {
  std::map<std::string, int> compared;
  double worst = 0;
  for (const Function& function :
       {Function{"rate", PromqlRate}, {"increase", Increase}, {"irate", InstantRate}}) {
    for (const int minutes : {1, 2, 5}) {
      const std::string expr =
          fmt::format("{}(haproxy_frontend_http_requests_total[{}m])", function.name, minutes);
      const auto theirs = Ask(expr);
      for (const auto& [place, samples] : story_.series()) {
        const auto answers = theirs.find(place);
        for (int i = 1; i <= kInstants; ++i) {
          const Instant at = kStart + kStep * i;
          const auto ours = function.ours(samples, {at, std::chrono::minutes(minutes), dialect_});
          const bool known = answers != theirs.end() && answers->second.contains(at);
          ASSERT_EQ(ours.has_value(), known) << expr << " of " << place << " at " << Unix(at);
          if (!known) continue;
          const double want = answers->second.at(at);
          const double error = std::abs(*ours - want) / std::max(std::abs(want), 1e-9);
          worst = std::max(worst, want == *ours ? 0 : error);
          ASSERT_LE(want == *ours ? 0 : error, kTolerance)
              << expr << " of " << place << " at " << Unix(at) << ": " << *ours << ", " << want;
          ++compared[expr];
        }
      }
    }
  }
  ASSERT_EQ(compared.size(), 9U);
  for (const auto& [expr, count] : compared) EXPECT_GT(count, 1'500) << expr;
  RecordProperty("worst", fmt::format("{}", worst));
}

// The other dialect is told apart by the same data.
TEST_F(RangeFunctionsLiveTest, TheInstalledDialectIsTheOneThatFits) {
  const PromqlDialect other = dialect_ == kPrometheus2 ? kPrometheus3 : kPrometheus2;
  int at_edges = 0;
  int differ = 0;
  for (const auto& [place, samples] : story_.series()) {
    for (std::size_t i = 3; i < samples.size(); i += 10) {
      const RangeQuery query{samples[i].at + seconds(60), seconds(60), dialect_};
      const std::string body = server_->Ask(
          "/api/v1/query",
          {{"query", fmt::format("count_over_time(haproxy_frontend_http_requests_total{{replica=\""
                                 "{}\"}}[1m])",
                                 place)},
           {"time", fmt::format("{:.3f}", Unix(query.at))}});
      const auto response = traces::ParseResponse(body, {}, {});
      ASSERT_TRUE(response) << body;
      const double count = response->series.empty() ? 0 : response->series[0].samples[0].value;
      EXPECT_EQ(static_cast<double>(SelectRange(samples, query).size()), count) << place;
      const RangeQuery wrong{query.at, query.range, other};
      differ += static_cast<double>(SelectRange(samples, wrong).size()) != count ? 1 : 0;
      ++at_edges;
    }
  }
  EXPECT_GT(at_edges, 20);
  EXPECT_EQ(differ, at_edges);
}

TEST_F(RangeFunctionsLiveTest, TheStoryHasWhatMakesItHard) {
  int resets = 0;
  int late = 0;
  for (const auto& [place, samples] : story_.series()) {
    for (std::size_t i = 1; i < samples.size(); ++i) {
      resets += samples[i].value < samples[i - 1].value ? 1 : 0;
    }
    late += samples.front().at > kStart + seconds(60) ? 1 : 0;
  }
  EXPECT_EQ(story_.series().size(), 8U);
  EXPECT_GE(resets, 4);
  EXPECT_EQ(late, 6);
}

}  // namespace
}  // namespace tidegate::sim
