#include "sim/runner/league_load.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "sim/runner/checksum.h"
#include "traces/generate/random.h"

namespace tidegate::sim {
namespace {

using traces::Trace;

constexpr Rate kQuiet = 2;  // below this mean rate noise dominates
constexpr Duration kSmooth{300'000};
constexpr Duration kBin{5'000};
constexpr Duration kPeak{15'000};

// Bins first .. end - 1.
struct Stretch {
  std::size_t first = 0, end = 0;
  std::size_t size() const { return end - first; }
};

std::size_t HighestBin(const Trace& trace, const Stretch& stretch) {
  const auto begin = trace.requests.begin();
  const auto highest = std::max_element(begin + static_cast<std::ptrdiff_t>(stretch.first),
                                        begin + static_cast<std::ptrdiff_t>(stretch.end));
  return static_cast<std::size_t>(highest - begin);
}

// The part of `keep` bins for the highest bin of a stretch that has room for it.
Stretch PartAround(std::size_t highest, const Stretch& room, std::size_t keep) {
  const std::size_t before = keep * 2 / 3;
  const std::size_t wanted = highest > before ? highest - before : 0;
  const std::size_t first = std::clamp(wanted, room.first, room.end - keep);
  return {first, first + keep};
}

// By falling peak.
std::vector<Stretch> BusiestParts(const Trace& trace, const LeagueParts& parts) {
  const auto keep = static_cast<std::size_t>(std::max<Duration::rep>(2, parts.length / trace.bin));
  const std::size_t all = trace.requests.size();
  if (all <= keep) return {{0, all}};
  std::vector<Stretch> busiest, room{{0, all}};
  while (busiest.size() < static_cast<std::size_t>(parts.most) && !room.empty()) {
    const auto peak_of = [&](const Stretch& stretch) {
      return trace.requests[HighestBin(trace, stretch)];
    };
    const auto at = std::ranges::max_element(room, {}, peak_of);
    const Stretch from = *at;
    room.erase(at);
    const Stretch part = PartAround(HighestBin(trace, from), from, keep);
    busiest.push_back(part);
    for (const Stretch& left : {Stretch{from.first, part.first}, Stretch{part.end, from.end}})
      if (left.size() >= keep) room.push_back(left);
  }
  return busiest;
}

Trace PartOf(const Trace& trace, const Stretch& part) {
  const auto begin = trace.requests.begin();
  return {trace.bin,
          {begin + static_cast<std::ptrdiff_t>(part.first),
           begin + static_cast<std::ptrdiff_t>(part.end)}};
}

Trace Smoothed(const Trace& trace) {
  const auto reach = static_cast<std::size_t>(kSmooth / trace.bin / 2);
  if (reach == 0) return trace;
  std::vector<double> sums{0};
  for (const double requests : trace.requests) sums.push_back(sums.back() + requests);
  Trace smooth{trace.bin, {}};
  for (std::size_t i = 0; i < trace.requests.size(); ++i) {
    const std::size_t from = i > reach ? i - reach : 0;
    const std::size_t to = std::min(trace.requests.size(), i + reach + 1);
    smooth.requests.push_back((sums[to] - sums[from]) / static_cast<double>(to - from));
  }
  return smooth;
}

// The rate on the line through the bins' middles.
Trace Refined(const Trace& trace) {
  if (trace.bin <= kBin) return trace;
  const Duration::rep parts = (trace.bin + kBin - Duration(1)) / kBin;
  const Duration bin = trace.bin / parts;
  Trace fine{bin, {}};
  const double share = Seconds(bin) / Seconds(trace.bin);
  const std::size_t last = trace.requests.size() - 1;
  for (std::size_t i = 0; i <= last; ++i) {
    for (Duration::rep part = 0; part < parts; ++part) {
      const double place = (static_cast<double>(part) + 0.5) / static_cast<double>(parts) - 0.5;
      const std::size_t other = place < 0 ? (i > 0 ? i - 1 : 0) : std::min(last, i + 1);
      const double away = std::abs(place);
      fine.requests.push_back(share *
                              (trace.requests[i] * (1 - away) + trace.requests[other] * away));
    }
  }
  return fine;
}

Rate HighestRate(const Trace& trace) {
  const auto bins = static_cast<std::size_t>(std::max<Duration::rep>(1, kPeak / trace.bin));
  double sum = 0, highest = 0;
  for (std::size_t i = 0; i < trace.requests.size(); ++i) {
    sum += trace.requests[i];
    if (i >= bins) sum -= trace.requests[i - bins];
    if (i + 1 >= bins) highest = std::max(highest, sum);
  }
  return highest / (Seconds(trace.bin) * static_cast<double>(bins));
}

void Redraw(const std::string& name, Trace& trace) {
  Checksum checksum;
  checksum.Add(name);
  traces::Random random(checksum.value());
  for (double& requests : trace.requests) requests = random.Poisson(requests);
}

// The name without what makes it a trace's; empty: it is none.
std::string StemOf(const std::string& file) {
  for (const std::string_view end : {".csv", ".csv.gz", ".csv.zst", ".tgtrace"})
    if (file.ends_with(end)) return file.substr(0, file.size() - end.size());
  return "";
}

std::string FileName(const TraceFile& file) {
  return std::filesystem::path(file.path).filename().string();
}

// Whole file names where others are shared, until none is: a whole one may be another's short one.
void MakeDistinct(std::vector<TraceFile>& files) {
  for (bool shared = true; shared;) {
    std::map<std::string, int> count;
    for (const TraceFile& file : files) ++count[file.name];
    shared = false;
    for (TraceFile& file : files) {
      if (count[file.name] == 1) continue;
      shared = true;
      file.name = FileName(file);
    }
  }
}

}  // namespace

std::string PartName(const std::string& trace, int part) {
  return part == 1 ? trace : fmt::format("{}#{}", trace, part);
}

std::vector<LeagueLoad> PrepareLoads(const std::string& name, const Trace& recorded,
                                     const LeagueParts& parts, Rate peak) {
  const double seconds = Seconds(traces::Length(recorded));
  const bool quiet = traces::TotalRequests(recorded) / seconds < kQuiet;
  std::vector<LeagueLoad> loads;
  for (const Stretch& part : BusiestParts(recorded, parts)) {
    LeagueLoad load;
    load.name = PartName(name, static_cast<int>(loads.size()) + 1);
    load.whole_days = seconds / 86'400;
    load.smoothed = quiet;
    Trace trace = PartOf(recorded, part);
    if (quiet) trace = Smoothed(trace);
    trace = Refined(trace);
    const Rate highest = HighestRate(trace);
    if (highest > 0) trace = traces::Scaled(std::move(trace), peak / highest);
    if (quiet) Redraw(load.name, trace);
    load.trace = std::move(trace);
    loads.push_back(std::move(load));
  }
  return loads;
}

Expected<std::vector<TraceFile>> TraceFiles(const std::string& folder) {
  std::error_code error;
  std::vector<TraceFile> files;
  std::filesystem::directory_iterator entries(folder, error);
  if (error) {
    return Fail(ErrorCode::kNotFound, fmt::format("{}: {}", folder, error.message()));
  }
  for (const auto& entry : entries) {
    std::string stem = StemOf(entry.path().filename().string());
    if (stem.empty()) continue;
    const bool leads_nowhere = entry.is_symlink(error) && !entry.exists(error);
    if (entry.is_regular_file(error) || leads_nowhere)
      files.push_back({entry.path().string(), std::move(stem)});
  }
  std::ranges::sort(files, {}, &TraceFile::path);
  MakeDistinct(files);
  if (files.empty()) {
    return Fail(ErrorCode::kInvalid, fmt::format("{}: there is no trace file in it", folder));
  }
  return files;
}

}  // namespace tidegate::sim
