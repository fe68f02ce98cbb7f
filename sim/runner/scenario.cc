#include "sim/runner/scenario.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "scheduler/config/fields.h"
#include "scheduler/config/yaml_tree.h"
#include "sim/runner/service_fields.h"
#include "sim/runner/yaml_file.h"
#include "sim/world/scraper.h"
#include "traces/format/trace_file.h"

namespace tidegate::sim {
namespace {

using config::Fields;
using config::Value;
using std::chrono::hours;
using std::chrono::minutes;

std::string Beside(const std::string& file, const std::string& path) {
  return (std::filesystem::path(file).parent_path() / path).lexically_normal().string();
}

// Letters, digits, _ and :, not beginning with a digit, as Prometheus has it.
bool IsCounterName(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == ':';
  };
  return name.size() > 6 && name.size() <= 200 && name.ends_with("_total") &&
         std::ranges::all_of(name, allowed) && !(name[0] >= '0' && name[0] <= '9');
}

void ReadOutages(const Value& list, std::vector<MetricsOutage>* outages) {
  constexpr Duration kLongest = hours(24) * 366;
  std::size_t index = 0;
  for (const config::Node& node : list.Items(1'000)) {
    const Value item(list.context(), node, config::Path(list.path(), index++));
    Fields fields(item);
    MetricsOutage outage;
    if (const auto at = fields.Need("at")) {
      outage.at = at->Time({Duration(0), kLongest}).value_or(outage.at);
    }
    if (const auto lasts = fields.Need("lasts")) {
      outage.lasts = lasts->Time({Duration(1'000), kLongest}).value_or(outage.lasts);
    }
    fields.Finish();
    outages->push_back(outage);
  }
}

void ReadPhases(const Value& list, Duration scrape_interval, std::vector<Duration>* phases) {
  std::size_t index = 0;
  for (const config::Node& node : list.Items(10'000)) {
    const Value item(list.context(), node, config::Path(list.path(), index++));
    if (const auto phase = item.Time({Duration(0), scrape_interval})) phases->push_back(*phase);
  }
}

void ReadMetrics(const Value& value, Duration scrape_interval, MetricsModel* metrics) {
  static constexpr std::array<std::string_view, 2> kModes = {"samples", "promql"};
  Fields fields(value);
  fields.Choice("mode", kModes, &metrics->promql);
  fields.Int("prometheusVersion", {2, 3, "a major version"}, &metrics->prometheus_version);
  if (const auto window = fields.Get("window")) {
    metrics->window = window->Time({Duration(1'000), hours(24)});
    if (metrics->window && *metrics->window < 2 * scrape_interval) {
      window->Complain("shorter than two scrape intervals: there would be no two samples in it");
    }
  }
  if (const auto lost = fields.Get("lostScrapes")) {
    if (const auto share = lost->Amount()) metrics->lost_scrapes = share->value();
    if (metrics->lost_scrapes > 1) lost->Complain("expected a share of scrapes from 0 to 1");
  }
  fields.Int("firstScrapesLost", {0, 100, "a number of scrapes"}, &metrics->first_scrapes_lost);
  fields.Bool("bornByRequest", &metrics->born_by_request);
  fields.Time("queryDelay", {Duration(0), hours(1)}, &metrics->query_delay);
  if (const auto latency = fields.Get("latency")) {
    metrics->latency = latency->Time({Duration(0), hours(1)}).value_or(Duration(0));
    if (metrics->latency > ScrapeTimeout(scrape_interval)) {
      latency->Complain("no scrape takes that long: it is given up after " +
                        FormatDuration(ScrapeTimeout(scrape_interval)) +
                        " (what answers are behind by besides is queryDelay)");
    }
  }
  if (const auto phases = fields.Get("phases")) {
    ReadPhases(*phases, scrape_interval, &metrics->phases);
  }
  if (const auto outages = fields.Get("outages")) ReadOutages(*outages, &metrics->outages);
  if (const auto counter = fields.Get("requestCounter")) {
    const auto name = counter->Text();
    if (name && IsCounterName(*name)) metrics->request_counter = *name;
    if (name && !IsCounterName(*name)) counter->Expect("a counter's name that ends in _total");
  }
  fields.Finish();
}

void ReadTickTakes(const Value& value, TickModel* takes) {
  Fields fields(value);
  fields.Time("queries", {Duration(0), hours(1)}, &takes->queries);
  fields.Time("queryTimeout", {Duration(100), minutes(5)}, &takes->query_timeout);
  fields.Time("eachStep", {Duration(0), hours(1)}, &takes->each_step);
  fields.Finish();
}

void ReadObjective(const Value& value, ServiceModel* service, Objective* objective) {
  Fields fields(value);
  if (const auto bad = fields.Get("badFraction")) {
    if (const auto share = bad->Amount()) objective->bad_fraction = share->value();
    if (objective->bad_fraction > 1) bad->Complain("expected a share of requests from 0 to 1");
  }
  if (const auto wait = fields.Get("wait")) {
    objective->wait = wait->Time({Duration(0), hours(1)});
    if (objective->wait && Seconds(*objective->wait) > service->patience_seconds) {
      wait->Complain("longer than clients are patient (service.patienceSeconds)");
    }
  }
  Duration latency{0};
  fields.Time("latency", {Duration(1), hours(1)}, &latency);
  if (latency > Duration(0)) service->requests.objective_seconds = Seconds(latency);
  fields.Finish();
}

// A pool's name, "namespace/name".
std::optional<PoolId> ReadPool(const Value& value) {
  const auto text = value.Text();
  if (!text) return std::nullopt;
  const std::size_t slash = text->find('/');
  if (slash == std::string::npos) {
    value.Expect("a pool as namespace/name");
    return std::nullopt;
  }
  return PoolId{text->substr(0, slash), text->substr(slash + 1)};
}

void ReadChain(const Value& value, std::vector<PoolId>* chain) {
  std::size_t index = 0;
  for (const config::Node& item : value.Items(100)) {
    const Value pool(value.context(), item, config::Path(value.path(), index++));
    if (auto id = ReadPool(pool)) chain->push_back(*std::move(id));
  }
}

// Null, with a complaint, where there is no such trace.
std::shared_ptr<const traces::Trace> TraceAt(const Value& value, const std::string& path) {
  auto trace = traces::ReadTrace(path);
  if (trace && !trace->requests.empty()) {
    return std::make_shared<const traces::Trace>(*std::move(trace));
  }
  value.Complain(trace ? "the trace has no bins" : trace.error().message);
  return nullptr;
}

// Needs the scenario's own service, which pools' are like but for what they say.
void ReadPools(const Value& value, const std::string& file, Scenario* scenario) {
  std::size_t index = 0;
  for (const config::Node& item : value.Items(10'000)) {
    const Value entry(value.context(), item, config::Path(value.path(), index++));
    Fields fields(entry);
    std::optional<PoolId> id;
    if (const auto name = fields.Need("name")) {
      id = ReadPool(*name);
      if (id && scenario->pools.contains(*id)) name->Complain("this pool has an entry already");
    }
    OwnWorld own;
    if (const auto trace = fields.Get("trace")) {
      if (const auto text = trace->Text()) {
        own.trace_file = Beside(file, *text);
        own.trace = TraceAt(*trace, own.trace_file);
      }
    }
    const auto service = fields.Get("service");
    const auto requests = fields.Get("requests");
    if (service || requests) own.service = scenario->service;
    if (service) ReadService(*service, &*own.service);
    if (requests) ReadRequests(*requests, &*own.service);
    fields.Finish();
    if (id) scenario->pools.emplace(*std::move(id), std::move(own));
  }
}

void ReadSpec(const Value& value, const std::string& file, Scenario* scenario) {
  static constexpr std::array<std::string_view, 2> kModes = {"fluid", "requests"};
  Fields fields(value);
  if (const auto manifests = fields.Need("manifests")) {
    std::size_t index = 0;
    for (const config::Node& item : manifests->Items(1'000)) {
      const Value path(value.context(), item, config::Path(manifests->path(), index++));
      if (const auto text = path.Text()) scenario->manifests.push_back(Beside(file, *text));
    }
  }
  if (const auto trace = fields.Need("trace")) {
    if (const auto text = trace->Text()) scenario->trace = Beside(file, *text);
  }
  if (const auto history = fields.Get("history")) {
    if (const auto text = history->Text()) {
      scenario->history = TraceAt(*history, Beside(file, *text));
    }
  }
  if (const auto scale = fields.Get("scale")) {
    if (const auto factor = scale->PositiveAmount()) scenario->scale = *factor;
  }
  fields.Time("tick", {Duration(1'000), hours(1)}, &scenario->tick);
  if (const auto takes = fields.Get("tickTakes")) ReadTickTakes(*takes, &scenario->tick_takes);
  if (const auto first = fields.Get("firstTick")) {
    scenario->first_tick = first->Time({Duration(0), hours(1)});
  }
  if (const auto early = fields.Get("earlyTicks")) scenario->early_ticks = early->Bool();
  fields.Time("scrapeInterval", {Duration(1'000), hours(1)}, &scenario->scrape_interval);
  fields.Time("discovery", {Duration(0), hours(1)}, &scenario->discovery);
  fields.Time("tail", {Duration(0), hours(24)}, &scenario->tail);
  if (const auto metrics = fields.Get("metrics")) {
    ReadMetrics(*metrics, scenario->scrape_interval, &scenario->metrics);
  }
  if (const auto seed = fields.Get("seed")) {
    if (const auto number = seed->Integer({0, INT64_MAX, "a seed"})) {
      scenario->seed = static_cast<std::uint64_t>(*number);
    }
  }
  fields.Choice("mode", kModes, &scenario->mode);
  if (const auto chain = fields.Get("chain")) ReadChain(*chain, &scenario->chain);
  if (const auto service = fields.Get("service")) ReadService(*service, &scenario->service);
  if (const auto requests = fields.Get("requests")) ReadRequests(*requests, &scenario->service);
  if (const auto objective = fields.Get("objective")) {
    ReadObjective(*objective, &scenario->service, &scenario->objective);
  }
  if (const auto pools = fields.Get("pools")) ReadPools(*pools, file, scenario);
  ReadFleet(fields, &scenario->fleet);
  fields.Finish();
}

void ReadDocument(const Value& document, const std::string& file, Scenario* scenario) {
  Fields fields(document);
  std::string version, kind;
  fields.Text("apiVersion", &version);
  fields.Text("kind", &kind);
  if (version != "tidegate.dev/v1alpha1" || kind != "Scenario") {
    document.Complain("expected kind Scenario of tidegate.dev/v1alpha1");
    return;
  }
  if (const auto metadata = fields.Need("metadata")) {
    Fields names(*metadata);
    names.Text("name", &scenario->name);
    names.Finish();
  }
  if (const auto spec = fields.Need("spec")) ReadSpec(*spec, file, scenario);
  fields.Finish();
}

}  // namespace

bool TicksEarly(const Scenario& scenario) {
  return scenario.early_ticks.value_or(scenario.fleet.owner == Owner::kManaged);
}

const ServiceModel& ServiceOf(const Scenario& scenario, const PoolId& pool) {
  const auto own = scenario.pools.find(pool);
  const bool is_own = own != scenario.pools.end() && own->second.service;
  return is_own ? *own->second.service : scenario.service;
}

Duration LongestGoodWait(const Scenario& scenario) {
  return scenario.objective.wait.value_or(FromSeconds(scenario.service.patience_seconds));
}

Duration LongestGoodWait(const Scenario& scenario, const PoolId& pool) {
  const Duration patience = FromSeconds(ServiceOf(scenario, pool).patience_seconds);
  return std::min(scenario.objective.wait.value_or(patience), patience);
}

ScenarioDocument ReadScenario(const std::string& path) {
  ScenarioDocument read{path, {}, {}};
  if (auto document = ReadOneDocument(path, "of kind Scenario", read.problems)) {
    read.root = std::move(document->node);
  }
  return read;
}

LoadedScenario LoadScenario(const ScenarioDocument& document) {
  LoadedScenario loaded{{}, document.problems};
  if (document.problems.empty()) {
    const auto name = std::make_shared<const std::string>(document.path);
    const config::Context context{name, &loaded.problems};
    const Value root(context, document.root, config::Path());
    ReadDocument(root, document.path, &loaded.scenario);
  }
  loaded.problems.Sort();
  return loaded;
}

LoadedScenario LoadScenario(const std::string& path) { return LoadScenario(ReadScenario(path)); }

}  // namespace tidegate::sim
