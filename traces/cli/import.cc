#include "traces/cli/import.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "traces/cli/progress.h"
#include "traces/format/byte_stream.h"
#include "traces/format/trace_file.h"
#include "traces/import/range_reader.h"
#include "traces/net/url.h"

namespace tidegate::traces {
namespace {

constexpr std::size_t kMostRangeBytes = std::size_t{512} * 1024 * 1024;
constexpr std::size_t kMostRangeSamples = 10'000'000;

// What an import made, and how it is told.
struct Imported {
  Trace trace;
  Instant start{};
  boost::json::object report;
  std::string text;  // of the report
};

std::string Share(std::uint64_t part, std::uint64_t all) {
  const double percent =
      all == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(all);
  return fmt::format("{} ({:.3g} %)", part, percent);
}

std::string BadLinesText(const LogImporter& importer) {
  std::string text;
  for (const BadLine& line : importer.bad_lines()) {
    text += fmt::format("  {}:{}: {}\n    {}\n", line.file, line.number, line.why, line.text);
  }
  const ImportCounts& counts = importer.counts();
  const std::uint64_t more = counts.bad + counts.late - importer.bad_lines().size();
  return more == 0 ? text : text + fmt::format("  and {} more\n", more);
}

std::string CountsText(const LogImporter& importer) {
  const ImportCounts& counts = importer.counts();
  std::string text =
      fmt::format("format        {}\nread          {} lines, {}\n", importer.format(), counts.lines,
                  FormatBytes(static_cast<double>(counts.bytes)));
  const auto row = [&](const char* name, std::uint64_t count, const char* why) {
    if (count == 0) return;
    text += fmt::format("{:<13} {}{}\n", name, Share(count, counts.lines), why);
  };
  row("counted", counts.counted, "");
  row("filtered", counts.filtered, " left out by --status, --path-prefix or --host");
  row("outside", counts.outside, " before --start or after --end");
  row("late", counts.late, " further behind than --reorder allows, not counted");
  row("bad", counts.bad, " not understood, not counted");
  return text + BadLinesText(importer);
}

boost::json::object CountsJson(const LogImporter& importer) {
  boost::json::array lines;
  for (const BadLine& line : importer.bad_lines()) {
    lines.push_back(boost::json::object{
        {"file", line.file}, {"line", line.number}, {"why", line.why}, {"text", line.text}});
  }
  const ImportCounts& c = importer.counts();
  return {{"format", importer.format()},
          {"bytes", c.bytes},
          {"lines", c.lines},
          {"counted", c.counted},
          {"filtered", c.filtered},
          {"outside", c.outside},
          {"late", c.late},
          {"bad", c.bad},
          {"bad_lines", lines}};
}

// Bytes in all files; none if one does not tell, or is not there.
std::optional<std::uint64_t> TotalSize(const std::vector<std::string>& files) {
  std::uint64_t total = 0;
  for (const std::string& file : files) {
    if (file == "-") return std::nullopt;
    const auto stream = ByteStream::Open(file);
    if (!stream || !stream->size()) return std::nullopt;
    total += *stream->size();
  }
  return total;
}

Expected<Imported> ImportLogs(const ImportCommand& command, ByteStream first, Streams streams) {
  TIDEGATE_TRY(LogImporter importer, LogImporter::Create(command.logs));
  ReadProgress progress(streams.err, command.quiet ? std::nullopt : TotalSize(command.files),
                        isatty(STDERR_FILENO) == 1);
  std::uint64_t before = 0;  // bytes of the files that are done
  std::optional<ByteStream> stream(std::move(first));
  for (std::size_t i = 0; i < command.files.size(); ++i) {
    if (i > 0) {
      TIDEGATE_TRY(stream, ByteStream::Open(command.files[i]));
    }
    const auto read = importer.Read(*stream, [&] {
      if (!command.quiet) progress.At(before + stream->taken(), importer.counts().lines);
    });
    if (!read) progress.End();
    TIDEGATE_TRY_VOID(read);
    before += stream->taken();
  }
  progress.End();
  TIDEGATE_TRY(Trace trace, importer.Finish());
  const Instant start = command.logs.bins.start.value_or(importer.first());
  return Imported{std::move(trace), start, CountsJson(importer), CountsText(importer)};
}

// `name`: where the answer is from, for messages.
Expected<Imported> OfRange(const Response& response, const RangeOptions& options,
                           const std::string& name) {
  auto range = TraceOfRange(response, options);
  if (!range) {
    return Fail(range.error().code, fmt::format("{}: {}", name, range.error().message));
  }
  boost::json::object report{{"format", "prometheus"}, {"filled", range->filled}};
  std::string text = "format        prometheus\n";
  if (range->filled > 0) {
    text += fmt::format("filled        {} steps without a sample\n",
                        Share(range->filled, range->trace.requests.size()));
  }
  return Imported{std::move(range->trace), range->start, std::move(report), std::move(text)};
}

Expected<Imported> ImportRange(const ImportCommand& command, ByteStream& stream) {
  if (command.files.size() > 1) {
    return Fail(ErrorCode::kInvalid, "a range query's answer is imported alone; give one file");
  }
  TIDEGATE_TRY(const std::string body, ReadAll(stream, kMostRangeBytes));
  auto response =
      ParseResponse(body, {}, {.series = 10'000, .samples_per_series = kMostRangeSamples});
  if (!response) {
    return Fail(response.error().code,
                fmt::format("{}: {}", stream.name(), response.error().message));
  }
  return OfRange(*response, command.range, stream.name());
}

// A range query answered by a Prometheus.
Expected<Imported> ImportLive(const ImportCommand& command, Streams streams) {
  TIDEGATE_TRY(const net::Url url, net::ParseUrl(command.live.url));
  TIDEGATE_TRY(net::HttpClient client, net::HttpClient::Create(url, command.live.http));
  RangeOptions options = command.range;
  const Instant start = *command.logs.bins.start;
  options.first = start + options.step;
  options.last = start + options.step * ((*command.logs.bins.end - start) / options.step);
  const RangeQuery query{.promql = command.live.promql,
                         .begin = *options.first,
                         .end = *options.last,
                         .step = options.step,
                         .labels = {}};
  RangeReader reader(std::move(client), command.live.timeout);
  ReadProgress progress(streams.err, std::nullopt, isatty(STDERR_FILENO) == 1);
  auto series = reader.Read(query, [&](double share) {
    if (!command.quiet) progress.AtShare(share);
  });
  progress.End();
  TIDEGATE_TRY_VOID(series);
  return OfRange({ResponseType::kMatrix, *std::move(series)}, options, net::ToString(url));
}

Expected<Imported> Import(const ImportCommand& command, Streams streams) {
  if (!command.live.url.empty()) return ImportLive(command, streams);
  TIDEGATE_TRY(ByteStream stream, ByteStream::Open(command.files.front()));
  bool range = command.logs.format.format == "prometheus";
  if (command.logs.format.format == "auto" && command.logs.format.log_format.empty()) {
    TIDEGATE_TRY(const std::string_view begin, stream.Peek(256));
    range = LooksLikeRange(begin);
  }
  return range ? ImportRange(command, stream) : ImportLogs(command, std::move(stream), streams);
}

Expected<void> Write(const ImportCommand& command, const Imported& imported, Streams streams) {
  const std::string comment =
      fmt::format("{}\nfrom {}", command.command_line, FormatInstant(imported.start));
  const std::string text = FormatTraceFor(command.output, imported.trace, comment);
  if (command.output.empty()) {
    streams.out << text << std::flush;
    if (!streams.out) return Fail(ErrorCode::kInternal, "standard output cannot be written");
    return {};
  }
  std::ofstream file(command.output, std::ios::binary);
  file << text << std::flush;
  if (!file) return Fail(ErrorCode::kInternal, command.output + ": cannot be written");
  return {};
}

}  // namespace

int RunImport(const ImportCommand& command, Streams streams) {
  auto imported = Import(command, streams);
  if (!imported) return Report(imported.error(), streams);
  const auto written = Write(command, *imported, streams);
  if (!written) return Report(written.error(), streams);
  const TraceStatistics s = Describe(imported->trace);
  if (command.json) {
    boost::json::object report{{"file", command.output}, {"start", FormatInstant(imported->start)},
                               {"bins", s.bins},         {"bin_s", Seconds(s.bin)},
                               {"requests", s.total},    {"peak_rps", s.peak}};
    for (const auto& member : imported->report) report.insert(member);
    streams.out << boost::json::serialize(report) << "\n";
  } else if (!command.quiet) {
    streams.err << imported->text
                << fmt::format(
                       "trace         {} bins of {} from {}: {:.0f} requests, peak {:.2f} "
                       "rps\n",
                       s.bins, FormatDuration(s.bin), FormatInstant(imported->start), s.total,
                       s.peak);
  }
  return kDone;
}

}  // namespace tidegate::traces
