#include "traces/import/log_import.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "policies/base/suggest.h"

namespace tidegate::traces {
namespace {

constexpr std::size_t kLinesToDetect = 100;
constexpr std::size_t kShownText = 160;

bool IsNoLine(std::string_view line) { return line.empty() || line.front() == '#'; }

}  // namespace

LogImporter::LogImporter(const ImportOptions& options)
    : options_(options),
      filters_(!options.filter.everything()),
      bins_(options.bins),
      buffer_(kLongestLine) {
  options_.format.needs_request =
      !options.filter.path_prefixes.empty() || !options.filter.hosts.empty();
  options_.format.needs_host = !options.filter.hosts.empty();
}

Expected<LogImporter> LogImporter::Create(const ImportOptions& options) {
  LogImporter importer(options);
  if (options.format.format != "auto" || !options.format.log_format.empty()) {
    TIDEGATE_TRY(importer.parser_, MakeParser(importer.options_.format));
  }
  return importer;
}

Expected<void> LogImporter::Detect(std::string_view block) {
  std::vector<std::string_view> lines;
  while (!block.empty() && lines.size() < kLinesToDetect) {
    const std::size_t end = block.find('\n');
    const std::string_view line = Bare(block.substr(0, end));
    if (!IsNoLine(line)) lines.push_back(line);
    if (end == std::string_view::npos) break;
    block.remove_prefix(end + 1);
  }
  auto parser = DetectFormat(lines, options_.format);
  if (!parser) {
    return Fail(parser.error().code, fmt::format("{}: {}", file_, parser.error().message));
  }
  parser_ = *std::move(parser);
  return {};
}

Expected<void> LogImporter::Read(ByteStream& stream, const std::function<void()>& on_block) {
  file_ = stream.name();
  number_ = 0;
  bins_.NextFile();
  std::size_t held = 0;   // bytes of a line that has begun
  bool skipping = false;  // the rest of a line that is too long
  for (;;) {
    if (held == buffer_.size()) {
      ++number_;
      ++counts_.lines;
      ++counts_.bad;
      TIDEGATE_TRY_VOID(Note("it is longer than 256 KiB", {buffer_.data(), kShownText}));
      skipping = true;
      held = 0;
    }
    TIDEGATE_TRY(const std::size_t count, stream.Read(std::span(buffer_).subspan(held)));
    if (count == 0) break;
    counts_.bytes += count;
    std::string_view block(buffer_.data(), held + count);
    if (skipping) {
      const std::size_t end = block.find('\n');
      block.remove_prefix(end == std::string_view::npos ? block.size() : end + 1);
      skipping = end == std::string_view::npos;
    }
    const std::size_t whole = block.rfind('\n') + 1;  // npos + 1 is 0
    TIDEGATE_TRY_VOID(Lines(block.substr(0, whole)));
    block.remove_prefix(whole);
    held = block.size();
    std::memmove(buffer_.data(), block.data(), held);
    if (on_block) on_block();
  }
  if (held > 0) TIDEGATE_TRY_VOID(Lines({buffer_.data(), held}));
  return {};
}

Expected<void> LogImporter::Lines(std::string_view block) {
  if (parser_ == nullptr && !block.empty()) TIDEGATE_TRY_VOID(Detect(block));
  while (!block.empty()) {
    const auto* const found =
        static_cast<const char*>(std::memchr(block.data(), '\n', block.size()));
    const std::size_t end =
        found == nullptr ? block.size() : static_cast<std::size_t>(found - block.data());
    TIDEGATE_TRY_VOID(Line(block.substr(0, end)));
    block.remove_prefix(std::min(end + 1, block.size()));
  }
  return {};
}

Expected<void> LogImporter::Line(std::string_view line) {
  ++number_;
  line = Bare(line);
  if (IsNoLine(line)) return {};
  ++counts_.lines;
  LogLine parsed;
  if (const char* why = parser_->Parse(line, parsed)) {
    ++counts_.bad;
    return Note(why, line);
  }
  if (filters_ && !options_.filter.Matches(parsed)) {
    named_host_ = named_host_ || !HostOf(parsed).empty();
    ++counts_.filtered;
    return {};
  }
  const Binner::Outcome outcome = bins_.Add(parsed.at_ms);
  if (outcome != Binner::Outcome::kCounted) return NotCounted(outcome, parsed, line);
  ++counts_.counted;
  return {};
}

Expected<void> LogImporter::NotCounted(Binner::Outcome outcome, const LogLine& parsed,
                                       std::string_view line) {
  const std::string at = FormatInstant(FromUnixMillis(parsed.at_ms));
  if (outcome == Binner::Outcome::kOutside) {
    ++counts_.outside;
    return {};
  }
  if (outcome == Binner::Outcome::kLate) {
    ++counts_.late;
    return Note(fmt::format("{} is more than {} behind a line before it (--reorder)", at,
                            FormatDuration(options_.bins.reorder)),
                line);
  }
  return Fail(
      ErrorCode::kTooLarge,
      fmt::format("{}:{}: {} needs more than {} bins of {}, since the lines before it begin "
                  "at {}: use --bin {}, or --start and --end if it is a wrong clock\n  {}",
                  file_, number_, at, options_.bins.max_bins, FormatDuration(options_.bins.bin),
                  FormatInstant(bins_.first()), FormatDuration(bins_.BinFor(parsed.at_ms)),
                  Printable(line, kShownText)));
}

Expected<void> LogImporter::Note(std::string_view why, std::string_view line) {
  if (bad_lines_.size() < kShownBadLines) {
    bad_lines_.push_back({file_, number_, std::string(why), Printable(line, kShownText)});
  }
  if (options_.strict)
    return Fail(Listed(ErrorCode::kInvalid, "a line was not counted (--strict)"));
  return counts_.lines >= kLinesToJudge ? JudgeBadLines() : Expected<void>();
}

Error LogImporter::Listed(ErrorCode code, std::string what) const {
  for (const BadLine& line : bad_lines_) {
    what += fmt::format("\n{}:{}: {}\n  {}", line.file, line.number, line.why, line.text);
  }
  return {code, std::move(what)};
}

Expected<void> LogImporter::JudgeBadLines() const {
  const auto bad = static_cast<double>(counts_.bad + counts_.late);
  const auto lines = static_cast<double>(counts_.lines);
  if (bad <= options_.max_bad * lines) return {};
  return Fail(
      Listed(ErrorCode::kInvalid,
             fmt::format(
                 "{} of {} lines were not counted: {} not understood as {}, {} too late; more than "
                 "{:.4g} % (--max-bad)",
                 counts_.bad + counts_.late, counts_.lines, counts_.bad, format(), counts_.late,
                 options_.max_bad * 100)));
}

Expected<Trace> LogImporter::Finish() const {
  TIDEGATE_TRY_VOID(JudgeBadLines());
  if (counts_.counted == 0 && !options_.filter.hosts.empty() && !named_host_) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("no request was counted, since no line names a host and --host was "
                            "given; the {} log may not have it",
                            format()));
  }
  if (counts_.counted == 0) {
    return Fail(
        ErrorCode::kInvalid,
        fmt::format("no request was counted: {} lines, {} left out by the filter, {} outside "
                    "--start and --end",
                    counts_.lines, counts_.filtered, counts_.outside));
  }
  return bins_.Finish();
}

}  // namespace tidegate::traces
