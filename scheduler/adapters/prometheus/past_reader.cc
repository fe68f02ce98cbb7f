// Rates come from PromQL's rate() here, not from raw samples as the readings of a tick do: two
// weeks of raw samples are too many to fetch. rate() does not see a new replica before its second
// scrape, so that a past dips for a minute after each growth; forecasts take such minutes for
// noise, and the slots that seasons are learnt from are medians.
#include "scheduler/adapters/prometheus/past_reader.h"

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <limits>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "scheduler/adapters/prometheus/presets.h"
#include "scheduler/adapters/prometheus/query_client.h"
#include "traces/import/range_reader.h"

namespace tidegate::adapters {
namespace {

using ports::Past;
using signals::History;
using std::chrono::days;
using std::chrono::minutes;

constexpr std::int64_t kFineBins = Duration(days(2)) / History::kBin;
constexpr std::int64_t kCoarse = 10;  // bins to a coarse step

struct Question {
  PoolId pool;
  config::SignalDefinition signal;
  Instant end{};
};

// The signal's value over a stretch of `window` that ends at the time of evaluation.
std::string PromqlFor(const Question& question, const config::PrometheusConfig& config,
                      Duration window) {
  if (!question.signal.promql.empty()) {
    return ExpandPromql(question.signal.promql, question.pool, window);
  }
  return fmt::format("sum(rate({}[{}]))",
                     RequestsOfPool(*FindPreset(question.signal.preset), question.pool, config),
                     FormatDuration(window));
}

class Piecewise {
 public:
  Piecewise(traces::RangeReader& reader, const config::PrometheusConfig& config,
            const Question& question)
      : reader_(reader), config_(config), question_(question) {}

  Past Read() {
    const std::int64_t end = (question_.end - Instant{}) / History::kBin;
    const std::int64_t fine = (end - kFineBins) / kCoarse * kCoarse;
    const std::int64_t first = (end - History::kMostBins) / kCoarse * kCoarse + kCoarse;
    past_.pool = question_.pool;
    past_.first = first;
    past_.means.assign(static_cast<std::size_t>(end - first),
                       std::numeric_limits<float>::quiet_NaN());
    auto status = ReadSteps(first, fine, kCoarse);
    if (status) status = ReadSteps(fine, end, 1);
    if (!status) {
      past_.means.clear();
      past_.error = status.error().message;
    }
    return std::move(past_);
  }

 private:
  // Bins [from, until) in steps of so many.
  Expected<void> ReadSteps(std::int64_t from, std::int64_t until, std::int64_t step) {
    const Duration width = step * History::kBin;
    // A coarse step is told at its end, a fine one in its middle: that is where its readings are.
    const Duration within = step == 1 ? History::kBin / 2 : width;
    const traces::RangeQuery query{
        .promql = PromqlFor(question_, config_,
                            std::max(config_.window, step == 1 ? Duration(0) : width)),
        .begin = Instant{} + from * History::kBin + within,
        .end = Instant{} + (until - step) * History::kBin + within,
        .step = width,
        .labels = {}};
    TIDEGATE_TRY(const auto series, reader_.Read(query, nullptr));
    if (series.empty()) return {};
    for (const signals::Sample& sample : series.front().samples) {
      const std::int64_t bin = (sample.at - within - Instant{}) / History::kBin;
      if (bin < from || bin >= until || !(sample.value >= 0) || !std::isfinite(sample.value))
        continue;
      const auto at = past_.means.begin() + (bin - past_.first);
      std::fill_n(at, std::min(step, until - bin), static_cast<float>(sample.value));
    }
    return {};
  }

  traces::RangeReader& reader_;
  const config::PrometheusConfig& config_;
  const Question& question_;
  Past past_;
};

}  // namespace

struct PastReader::Impl {
  Impl(config::PrometheusConfig settings, traces::RangeReader range)
      : config(std::move(settings)), reader(std::move(range)), thread([this] { Work(); }) {}
  ~Impl() {
    {
      const std::scoped_lock lock(mutex);
      stop = true;
    }
    change.notify_all();
    thread.join();
  }

  void Work() {
    for (;;) {
      std::optional<Question> question;
      {
        std::unique_lock lock(mutex);
        change.wait(lock, [this] { return stop || !questions.empty(); });
        if (stop) return;
        question = std::move(questions.front());
        questions.pop_front();
      }
      Past past = Piecewise(reader, config, *question).Read();
      const std::scoped_lock lock(mutex);
      answers.push_back(std::move(past));
    }
  }

  const config::PrometheusConfig config;
  traces::RangeReader reader;  // of the thread
  std::mutex mutex;            // of what follows
  std::condition_variable change;
  std::deque<Question> questions;
  std::deque<Past> answers;
  std::set<PoolId> asked;  // and not taken yet
  bool stop = false;
  std::thread thread;  // last: it uses all the others
};

PastReader::PastReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PastReader::~PastReader() = default;

Expected<std::unique_ptr<PastReader>> PastReader::Create(const config::PrometheusConfig& config) {
  TIDEGATE_TRY(traces::RangeReader reader, MakeRangeReader(config));
  return std::unique_ptr<PastReader>(
      new PastReader(std::make_unique<Impl>(config, std::move(reader))));
}

const config::PrometheusConfig& PastReader::config() const { return impl_->config; }

void PastReader::Ask(const PoolId& pool, const config::SignalDefinition& signal, Instant end) {
  {
    const std::scoped_lock lock(impl_->mutex);
    if (!impl_->asked.insert(pool).second) return;
    impl_->questions.push_back({pool, signal, end});
  }
  impl_->change.notify_one();
}

std::vector<Past> PastReader::Take(std::size_t most) {
  const std::scoped_lock lock(impl_->mutex);
  std::vector<Past> taken;
  while (!impl_->answers.empty() && taken.size() < most) {
    impl_->asked.erase(impl_->answers.front().pool);
    taken.push_back(std::move(impl_->answers.front()));
    impl_->answers.pop_front();
  }
  return taken;
}

}  // namespace tidegate::adapters
