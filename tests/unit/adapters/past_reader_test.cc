#include "scheduler/adapters/prometheus/past_reader.h"

#include <cmath>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/child_process.h"
#include "traces/net/http_server.h"
#include "traces/net/url.h"

namespace tidegate::adapters {
namespace {

using config::SignalDefinition;
using ports::Past;
using signals::History;
using ::testing::HasSubstr;

constexpr Duration kDeadline = std::chrono::seconds(20);
constexpr std::int64_t kEndBin = 30'000'007;  // in the middle of a coarse step
constexpr Instant kEnd = Instant{} + kEndBin * History::kBin + std::chrono::seconds(20);

// What was asked, piece by piece.
struct Piece {
  std::string query;
  double start = 0;
  double end = 0;
  double step = 0;
};

// A Prometheus in which each value is the number of minutes from twenty days before kEnd on, so
// that each bin tells where it comes from; nothing is known in the 100 minutes from `gap` on.
class PastReaderTest : public ::testing::Test {
 protected:
  PastReaderTest() {
    server_ = *net::HttpServer::Start({}, [this](const net::HttpRequest& request) {
      const std::scoped_lock lock(mutex_);
      if (status_ != 200) return net::MakeResponse(status_, "text/plain", "go away");
      const auto target = net::ParseTarget(request.target);
      const auto text = [&](const char* name) {
        return *net::FindParameter(target->parameters, name);
      };
      pieces_.push_back({text("query"), std::stod(text("start")), std::stod(text("end")),
                         std::stod(text("step"))});
      return net::MakeResponse(200, "application/json", Matrix(pieces_.back()));
    });
    config_.url = server_->url();
    config_.timeout = Duration(5'000);
    reader_ = *PastReader::Create(config_);
  }

  static double ValueAt(double seconds) { return seconds / 60 - (kEndBin - 28'800); }

  std::string Matrix(const Piece& piece) const {
    std::string values;
    for (double at = piece.start; at <= piece.end + 1e-3; at += piece.step) {
      const double minute = std::floor(at / 60);
      if (minute >= gap_ && minute < gap_ + 100) continue;
      values += fmt::format(R"({}[{:.3f},"{}"])", values.empty() ? "" : ",", at, ValueAt(at));
    }
    return fmt::format(R"({{"status":"success","data":{{"resultType":"matrix","result":)"
                       R"([{{"metric":{{}},"values":[{}]}}]}}}})",
                       values);
  }

  std::vector<Past> TakeAll(std::size_t count) {
    std::vector<Past> all;
    EXPECT_TRUE(testing::WaitUntil(kDeadline, [&] {
      for (Past& past : reader_->Take(1)) all.push_back(std::move(past));
      return all.size() >= count;
    }));
    return all;
  }

  const SignalDefinition requests_{.name = "rps",
                                   .preset = "haproxy",
                                   .metric = config::SignalMetric::kRequests,
                                   .promql = "",
                                   .per_replica = 50.0};
  config::PrometheusConfig config_;
  std::mutex mutex_;
  std::vector<Piece> pieces_;
  double gap_ = 0;
  int status_ = 200;
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<PastReader> reader_;
};

TEST_F(PastReaderTest, ReadsTwoDaysByTheMinuteAndTwelveByTenMinutes) {
  reader_->Ask({"shop", "edge"}, requests_, kEnd);
  const Past past = TakeAll(1).at(0);
  EXPECT_EQ(past.pool, (PoolId{"shop", "edge"}));
  EXPECT_EQ(past.error, "");
  EXPECT_EQ(past.first + static_cast<std::int64_t>(past.means.size()), kEndBin);
  EXPECT_GT(past.means.size(), static_cast<std::size_t>(History::kMostBins - 20));
  EXPECT_LE(past.means.size(), static_cast<std::size_t>(History::kMostBins));
  for (std::size_t i = 0; i < past.means.size(); ++i) {
    const std::int64_t bin = past.first + static_cast<std::int64_t>(i);
    const bool fine = bin >= (kEndBin - 2880) / 10 * 10;
    const double seconds =
        fine ? static_cast<double>(bin) * 60 + 30 : static_cast<double>(bin / 10 * 10 + 10) * 60;
    ASSERT_NEAR(past.means[i], ValueAt(seconds), 0.01) << "bin " << bin;
  }
  ASSERT_EQ(pieces_.size(), 2u);
  EXPECT_THAT(pieces_[0].query, HasSubstr("namespace=\"shop\",gateway=\"edge\"}[10m]))"));
  EXPECT_THAT(pieces_[1].query, HasSubstr("sum(rate(haproxy_frontend_http_requests_total{"));
  EXPECT_THAT(pieces_[1].query, HasSubstr("[2m]))"));
}

TEST_F(PastReaderTest, LeavesGapsUnknown) {
  gap_ = kEndBin - 500;
  reader_->Ask({"shop", "edge"}, requests_, kEnd);
  const Past past = TakeAll(1).at(0);
  const auto at = [&](std::int64_t bin) {
    return past.means[static_cast<std::size_t>(bin - past.first)];
  };
  EXPECT_FALSE(std::isnan(at(kEndBin - 501)));
  EXPECT_TRUE(std::isnan(at(kEndBin - 500)));
  EXPECT_TRUE(std::isnan(at(kEndBin - 401)));
  EXPECT_FALSE(std::isnan(at(kEndBin - 400)));
}

TEST_F(PastReaderTest, AsksForAnExpressionOfThePool) {
  SignalDefinition expression = requests_;
  expression.preset.clear();
  expression.promql = "sum(rate(hits{gw=\"{{gateway}}\"}[{{window}}]))";
  reader_->Ask({"shop", "edge"}, expression, kEnd);
  TakeAll(1);
  EXPECT_EQ(pieces_.at(0).query, "sum(rate(hits{gw=\"edge\"}[10m]))");
  EXPECT_EQ(pieces_.at(1).query, "sum(rate(hits{gw=\"edge\"}[2m]))");
}

TEST_F(PastReaderTest, AsksForAPoolOnceUntilItIsTaken) {
  for (int i = 0; i < 5; ++i) reader_->Ask({"shop", "a"}, requests_, kEnd);
  reader_->Ask({"shop", "b"}, requests_, kEnd);
  const auto pasts = TakeAll(2);
  EXPECT_EQ(pasts[0].pool.name, "a");
  EXPECT_EQ(pasts[1].pool.name, "b");
  EXPECT_EQ(pieces_.size(), 4u);
  EXPECT_TRUE(reader_->Take(10).empty());
  reader_->Ask({"shop", "a"}, requests_, kEnd);
  EXPECT_EQ(TakeAll(1)[0].pool.name, "a");
}

TEST_F(PastReaderTest, SaysWhyThereIsNone) {
  status_ = 403;
  reader_->Ask({"shop", "edge"}, requests_, kEnd);
  const Past past = TakeAll(1).at(0);
  EXPECT_TRUE(past.means.empty());
  EXPECT_THAT(past.error, HasSubstr("403"));
}

TEST_F(PastReaderTest, EndsWhileThereIsWorkLeft) {
  for (int i = 0; i < 100; ++i) reader_->Ask({"shop", fmt::format("p{}", i)}, requests_, kEnd);
  reader_.reset();
  const std::scoped_lock lock(mutex_);
  EXPECT_LT(pieces_.size(), 200u);
}

}  // namespace
}  // namespace tidegate::adapters
