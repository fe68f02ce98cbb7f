#include "sim/report/openmetrics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <ostream>
#include <utility>

#include <fmt/format.h>

#include "policies/base/check.h"
#include "scheduler/metrics/metric_table.h"

namespace tidegate::sim {
namespace {

using signals::Sample;
using telemetry::Metric;
using telemetry::MetricId;

constexpr std::string_view kTotal = "_total";

// As label values and help texts are written: \, " and line ends escaped.
std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\' || c == '"') escaped += '\\';
    if (c == '\n') {
      escaped += "\\n";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

void AddLabel(std::string& text, std::string_view name, std::string_view value) {
  text += fmt::format("{}{}=\"{}\"", text.empty() ? "{" : ",", name, Escaped(value));
}

std::string_view FamilyName(const Metric& metric) {
  std::string_view name = metric.name;
  if (metric.type == telemetry::MetricType::kCounter) name.remove_suffix(kTotal.size());
  return name;
}

std::string Number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

void WriteFamily(std::ostream& out, std::string_view name, std::string_view type,
                 std::string_view help,
                 const std::map<std::string, std::vector<Sample>, std::less<>>& family) {
  if (family.empty()) return;
  out << fmt::format("# TYPE {0} {1}\n# HELP {0} {2}\n", name, type, Escaped(help));
  const std::string_view suffix = type == "counter" ? kTotal : "";
  for (const auto& [labels, samples] : family) {
    for (const Sample& sample : samples) {
      const std::int64_t millis = UnixMillis(sample.at);
      out << fmt::format("{}{}{} {} {}.{:03}\n", name, suffix, labels, Number(sample.value),
                         millis / 1000, millis % 1000);
    }
  }
}

}  // namespace

// Takes the samples of one metric of one tick.
class OpenMetrics::Sink : public telemetry::SampleSink {
 public:
  Sink(Family& family, MetricId id, Instant at) : family_(family), id_(id), at_(at) {}

  void Add(std::initializer_list<std::string_view> labels, double value) override {
    if (std::isnan(value)) return;
    std::string text;
    AddLabel(text, "instance", "tidesim");
    AddLabel(text, "job", "tidegate");
    std::string_view names = telemetry::Describe(id_).labels;
    for (const std::string_view label : labels) {
      const std::size_t comma = std::min(names.find(','), names.size());
      AddLabel(text, names.substr(0, comma), label);
      names.remove_prefix(std::min(comma + 1, names.size()));
    }
    text += '}';
    family_[std::move(text)].push_back({at_, value});
  }

 private:
  Family& family_;
  MetricId id_;
  Instant at_;
};

OpenMetrics::OpenMetrics(std::string request_counter) : requests_(std::move(request_counter)) {
  TIDEGATE_CHECK(requests_.ends_with(kTotal), requests_);
  requests_.resize(requests_.size() - kTotal.size());
}

void OpenMetrics::AddTick(const telemetry::TickRecord& record, bool seen) {
  const telemetry::TickTotals tick = telemetry::UpdatePools(record, pools_);
  ++ticks_;
  const auto add = [](auto& all, const auto& some) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      for (std::size_t j = 0; j < all[i].size(); ++j) all[i][j] += some[i][j];
    }
  };
  add(totals_.decisions, tick.decisions);
  add(totals_.steps, tick.steps);
  if (!seen) return;
  for (std::size_t i = 0; i < static_cast<std::size_t>(MetricId::kPools); ++i) {
    const auto id = static_cast<MetricId>(i);
    Sink sink(families_[i], id, record.tick->at);
    for (const telemetry::PoolRecord& pool : pools_) telemetry::WritePool(id, pool, sink);
  }
  AddDaemon(record);
}

void OpenMetrics::AddDaemon(const telemetry::TickRecord& record) {
  const auto sink = [&](MetricId id) {
    return Sink(families_[static_cast<std::size_t>(id)], id, record.tick->at);
  };
  sink(MetricId::kPools).Add({}, static_cast<double>(record.pools.size()));
  sink(MetricId::kTicks).Add({}, static_cast<double>(ticks_));
  sink(MetricId::kLoopPeriod).Add({}, Seconds(record.period));
  sink(MetricId::kLastTick).Add({}, Seconds(record.tick->at.time_since_epoch()));
  Sink decisions = sink(MetricId::kDecisions);
  for (std::size_t action = 0; action < totals_.decisions.size(); ++action) {
    for (std::size_t reason = 0; reason < totals_.decisions[action].size(); ++reason) {
      decisions.Add({telemetry::Name(static_cast<telemetry::Action>(action)),
                     guards::Name(static_cast<guards::Reason>(reason))},
                    totals_.decisions[action][reason]);
    }
  }
  Sink steps = sink(MetricId::kSteps);
  for (std::size_t kind = 0; kind < totals_.steps.size(); ++kind) {
    for (std::size_t reason = 0; reason < totals_.steps[kind].size(); ++reason) {
      steps.Add({rollout::Name(kind == 0 ? rollout::StepKind::kStart : rollout::StepKind::kDrain),
                 rollout::Name(static_cast<rollout::StepReason>(reason))},
                totals_.steps[kind][reason]);
    }
  }
}

void OpenMetrics::AddRequests(const PoolId& pool, std::span<const signals::SampleSeries> series) {
  for (const signals::SampleSeries& one : series) {
    std::string labels;
    AddLabel(labels, "gateway", pool.name);
    AddLabel(labels, "instance", one.replica);
    AddLabel(labels, "job", "gateways");
    AddLabel(labels, "namespace", pool.ns);
    AddLabel(labels, "proxy", "traffic");
    AddLabel(labels, "replica", one.replica);
    labels += '}';
    std::vector<Sample>& held = replicas_[std::move(labels)];
    for (const Sample& sample : one.samples) {
      if (std::isnan(sample.value) || (!held.empty() && sample.at <= held.back().at)) continue;
      held.push_back(sample);
    }
  }
}

void OpenMetrics::Write(std::ostream& out) const {
  for (const Metric& metric : telemetry::MetricTable()) {
    WriteFamily(out, FamilyName(metric), telemetry::Name(metric.type), metric.help,
                families_[static_cast<std::size_t>(metric.id)]);
  }
  WriteFamily(out, requests_, "counter", "Requests that the replica has served.", replicas_);
  out << "# EOF\n";
}

}  // namespace tidegate::sim
