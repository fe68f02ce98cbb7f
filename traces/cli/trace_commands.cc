#include <algorithm>
#include <fstream>
#include <ostream>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "traces/cli/commands.h"
#include "traces/format/trace_file.h"
#include "traces/generate/catalog.h"

namespace tidegate::traces {
namespace {

constexpr std::size_t kSparklineWidth = 72;

boost::json::object ToJson(const TraceStatistics& statistics) {
  return {{"bins", statistics.bins},
          {"bin_s", Seconds(statistics.bin)},
          {"length_s", Seconds(statistics.length)},
          {"total_requests", statistics.total},
          {"mean_rps", statistics.mean},
          {"peak_rps", statistics.peak},
          {"peak_at_s", Seconds(statistics.peak_at)},
          {"peak_to_mean", statistics.peak_to_mean},
          {"coefficient_of_variation", statistics.coefficient_of_variation},
          {"largest_step_up_rps", statistics.largest_step_up},
          {"largest_step_at_s", Seconds(statistics.largest_step_at)},
          {"empty_bins", statistics.empty_bins}};
}

std::string ToText(const TraceStatistics& s) {
  std::string text;
  text += fmt::format("bins          {} of {}\n", s.bins, FormatDuration(s.bin));
  text += fmt::format("length        {}\n", FormatDuration(s.length));
  text += fmt::format("requests      {:.0f}\n", s.total);
  text += fmt::format("mean          {:.2f} rps\n", s.mean);
  text += fmt::format("peak          {:.2f} rps at {}, {:.2f} times the mean\n", s.peak,
                      FormatDuration(s.peak_at), s.peak_to_mean);
  text += fmt::format("variation     {:.3f} (standard deviation of a bin over the mean)\n",
                      s.coefficient_of_variation);
  text += fmt::format("largest step  +{:.2f} rps from one bin to the next, at {}\n",
                      s.largest_step_up, FormatDuration(s.largest_step_at));
  return text + fmt::format("empty bins    {}\n", s.empty_bins);
}

}  // namespace

int Report(const Error& error, Streams streams) {
  streams.err << "tidetrace: " << error.message << "\n";
  const bool bad_input = error.code == ErrorCode::kInvalid || error.code == ErrorCode::kNotFound ||
                         error.code == ErrorCode::kTooLarge;
  return bad_input ? kBadInput : kFailed;
}

std::string Sparkline(const Trace& trace, std::size_t width) {
  static constexpr const char* kBlocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const std::size_t bins = trace.requests.size();
  const std::size_t blocks = std::min(width, bins);
  std::vector<double> means;
  for (std::size_t i = 0; i < blocks; ++i) {
    const std::size_t begin = i * bins / blocks, end = (i + 1) * bins / blocks;
    double sum = 0;
    for (std::size_t bin = begin; bin < end; ++bin) sum += trace.requests[bin];
    means.push_back(sum / static_cast<double>(end - begin));
  }
  const double highest = means.empty() ? 0 : *std::max_element(means.begin(), means.end());
  std::string text;
  for (const double mean : means) {
    const double share = highest > 0 ? mean / highest : 0;
    text += kBlocks[std::min<std::size_t>(static_cast<std::size_t>(share * 8), 7)];
  }
  return text;
}

int RunGenerate(const GenerateCommand& command, Streams streams) {
  const Generator* generator = FindGenerator(command.kind);
  if (generator == nullptr) {
    return Report({ErrorCode::kInvalid, "there is no generator " + command.kind}, streams);
  }
  const auto trace = generator->generate(command.options, command.parameters);
  if (!trace) return Report(trace.error(), streams);
  const std::string text = FormatTraceFor(command.output, *trace, command.command_line);
  if (command.output.empty()) {
    streams.out << text << std::flush;
    return streams.out ? kDone : kFailed;
  }
  std::ofstream file(command.output, std::ios::binary);
  file << text << std::flush;
  if (!file) return Report({ErrorCode::kInternal, command.output + ": cannot be written"}, streams);
  return kDone;
}

int RunInspect(const InspectCommand& command, Streams streams) {
  const auto trace = ReadTrace(command.file);
  if (!trace) return Report(trace.error(), streams);
  const TraceStatistics statistics = Describe(*trace);
  if (command.json) {
    streams.out << boost::json::serialize(ToJson(statistics)) << "\n";
  } else {
    streams.out << ToText(statistics) << Sparkline(*trace, kSparklineWidth) << "\n";
  }
  return kDone;
}

}  // namespace tidegate::traces
