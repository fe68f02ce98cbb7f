#include "traces/history/spikes.h"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <numeric>

#include "policies/base/check.h"

namespace tidegate::traces {
namespace {

// The median of a changing set of a trace's bins. A Fenwick tree counts the bins of the set by rank
// of their value, so that each change and each question costs log n.
class RankedMedian {
 public:
  explicit RankedMedian(const std::vector<double>& values)
      : values_(values), order_(values.size()), rank_(values.size()), tree_(values.size() + 1, 0) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) {
      return values[a] != values[b] ? values[a] < values[b] : a < b;
    });
    for (std::size_t i = 0; i < order_.size(); ++i) rank_[order_[i]] = i;
    while (top_ * 2 <= values.size()) top_ *= 2;
  }

  void Add(std::size_t bin) { Change(bin, 1); }
  void Remove(std::size_t bin) { Change(bin, -1); }

  // Of two middle values the lower one. Precondition: the set is not empty.
  double Median() const {
    int left = (size_ + 1) / 2;
    std::size_t at = 0;
    for (std::size_t step = top_; step > 0; step /= 2) {
      if (at + step < tree_.size() && tree_[at + step] < left) {
        at += step;
        left -= tree_[at];
      }
    }
    return values_[order_[at]];
  }

 private:
  void Change(std::size_t bin, int by) {
    size_ += by;
    for (std::size_t i = rank_[bin] + 1; i < tree_.size(); i += i & (~i + 1)) tree_[i] += by;
  }

  const std::vector<double>& values_;
  std::vector<std::size_t> order_;  // bins by value
  std::vector<std::size_t> rank_;   // the inverse
  std::vector<int> tree_;
  std::size_t top_ = 1;  // the largest power of two <= the number of bins
  int size_ = 0;
};

std::size_t Bins(const Trace& trace, Duration length) {
  const auto bins = (length + trace.bin - Duration(1)) / trace.bin;
  return std::max<std::size_t>(1, static_cast<std::size_t>(bins));
}

class Finder {
 public:
  Finder(const Trace& trace, const SpikeRule& rule)
      : trace_(trace),
        bins_(trace.requests),
        rule_(rule),
        window_(std::max<std::size_t>(3, Bins(trace, rule.baseline))),
        hold_(Bins(trace, rule.hold)),
        calm_(Bins(trace, rule.calm)),
        longest_(Bins(trace, rule.longest)),
        least_rise_(rule.least_rise * PeakRate(trace) * Seconds(trace.bin)),
        median_(bins_) {}

  std::vector<Spike> Find() {
    std::vector<Spike> spikes;
    for (std::size_t i = 0; i < bins_.size();) {
      if (!Begins(i)) {
        Remember(i++);
        continue;
      }
      const std::size_t begin = i + 1 - hold_;
      const std::size_t end = EndOf(begin);
      spikes.push_back(Describe(begin, end));
      // What lasts is normal: the spike's own bins are then the baseline.
      if (end - begin >= longest_) Forget(begin, end);
      last_end_ = end;
      i = end;
    }
    return spikes;
  }

 private:
  // Whether the `hold` that ends with this bin rises above the baseline.
  bool Begins(std::size_t i) {
    if (i + 1 < last_end_ + hold_ || known_.size() < std::max<std::size_t>(3, hold_)) return false;
    double sum = 0;
    for (std::size_t k = i + 1 - hold_; k <= i; ++k) sum += bins_[k];
    baseline_ = median_.Median();
    const double mean = sum / static_cast<double>(hold_);
    return mean >= rule_.factor * baseline_ && mean - baseline_ >= least_rise_ && mean > 0;
  }

  void Remember(std::size_t bin) {
    median_.Add(bin);
    known_.push_back(bin);
    if (known_.size() > window_) {
      median_.Remove(known_.front());
      known_.pop_front();
    }
  }

  void Forget(std::size_t begin, std::size_t end) {
    for (const std::size_t bin : known_) median_.Remove(bin);
    known_.clear();
    for (std::size_t i = std::max(begin, end - std::min(end, window_)); i < end; ++i) Remember(i);
  }

  std::size_t EndOf(std::size_t begin) const {
    const double rise = std::max(baseline_ * (rule_.factor - 1), least_rise_);
    const double level = baseline_ + rise / 2;
    const std::size_t last = std::min(bins_.size(), begin + longest_);
    std::size_t below = 0;
    for (std::size_t i = begin + hold_; i < last; ++i) {
      below = bins_[i] < level ? below + 1 : 0;
      if (below >= calm_) return i + 1 - below;
    }
    // Calm began but the trace ends first.
    return last == bins_.size() && below > 0 ? last - below : last;
  }

  Spike Describe(std::size_t begin, std::size_t end) const {
    const auto first = bins_.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto peak = std::max_element(first, bins_.begin() + static_cast<std::ptrdiff_t>(end));
    const double second = Seconds(trace_.bin);
    return {.begin = StartOf(begin),
            .end = StartOf(end),
            .baseline = baseline_ / second,
            .peak = *peak / second,
            .peak_at = StartOf(static_cast<std::size_t>(peak - bins_.begin()))};
  }

  Duration StartOf(std::size_t bin) const { return trace_.bin * static_cast<Duration::rep>(bin); }

  const Trace& trace_;
  const std::vector<double>& bins_;
  const SpikeRule& rule_;
  std::size_t window_, hold_, calm_, longest_;
  double least_rise_;  // requests a bin
  RankedMedian median_;
  std::deque<std::size_t> known_;  // bins that the median is taken of
  double baseline_ = 0;            // requests a bin
  std::size_t last_end_ = 0;       // of the last spike
};

}  // namespace

std::vector<Spike> FindSpikes(const Trace& trace, const SpikeRule& rule) {
  TIDEGATE_CHECK(rule.factor > 1, "a spike rises");
  if (trace.requests.empty()) return {};
  return Finder(trace, rule).Find();
}

Trace Window(const Trace& trace, Duration from, Duration to, Rate before) {
  TIDEGATE_CHECK(from < to && from < Length(trace), "the window touches the trace");
  auto first = from / trace.bin;
  if (first * trace.bin > from) --first;  // division rounds towards zero
  const auto end = std::min((std::min(to, Length(trace)) + trace.bin - Duration(1)) / trace.bin,
                            static_cast<Duration::rep>(trace.requests.size()));
  Trace window{trace.bin, {}};
  for (auto i = first; i < end; ++i) {
    window.requests.push_back(i < 0 ? before * Seconds(trace.bin)
                                    : trace.requests[static_cast<std::size_t>(i)]);
  }
  return window;
}

}  // namespace tidegate::traces
