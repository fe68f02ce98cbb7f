// Any bytes at all, as a log, as a range query's answer and as a trace file: they are read or
// refused within their bounds, every line is accounted for, and a trace that was made can be
// written and read back.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "policies/base/check.h"
#include "traces/format/trace_file.h"
#include "traces/import/log_import.h"
#include "traces/import/prometheus_range.h"

namespace {

using namespace tidegate;          // NOLINT
using namespace tidegate::traces;  // NOLINT

constexpr std::size_t kMostBins = 1'000;

void CheckTrace(const Trace& trace) {
  TIDEGATE_CHECK(trace.requests.size() >= 2, "a trace has two bins");
  for (const double count : trace.requests) {
    TIDEGATE_CHECK(count >= 0 && count <= kMaxRequestsPerBin, "counts within bounds");
  }
  const std::string packed = PackTrace(trace, "c");
  ByteStream stream = ByteStream::Of(packed, "packed");
  TIDEGATE_CHECK(ReadTrace(stream).value() == trace, "a trace reads back");
}

void ReadLog(std::string_view bytes, const ImportOptions& options) {
  auto importer = LogImporter::Create(options);
  if (!importer) return;
  ByteStream stream = ByteStream::Of(bytes, "log");
  const auto read = importer->Read(stream, {});
  const ImportCounts& c = importer->counts();
  const std::uint64_t sum = c.counted + c.filtered + c.outside + c.late + c.bad;
  TIDEGATE_CHECK(sum == c.lines || (!read && sum + 1 == c.lines), "every line is accounted for");
  if (!read) return;
  const auto trace = importer->Finish();
  if (!trace) return;
  TIDEGATE_CHECK(trace->requests.size() <= kMostBins, "no more bins than allowed");
  TIDEGATE_CHECK(TotalRequests(*trace) == static_cast<double>(c.counted), "every request counts");
  CheckTrace(*trace);
}

}  // namespace

// The first byte chooses what the rest is.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 64 * 1024) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  ImportOptions options;
  options.max_bad = 1;
  options.bins.max_bins = kMostBins;
  options.filter.hosts = {data[0] % 2 == 0 ? "shop.example" : "a"};
  if (data[0] % 4 < 2) options.filter = {};
  switch (data[0] >> 4) {
    case 0: {
      ByteStream stream = ByteStream::Of(bytes, "trace");
      if (const auto trace = ReadTrace(stream)) CheckTrace(*trace);
      break;
    }
    case 1: {
      const auto response = ParseResponse(bytes, {}, {.series = 100, .samples_per_series = 100});
      if (!response) break;
      const auto range = TraceOfRange(*response, {.gaps = RangeGaps::kLine, .sum_series = true});
      if (range && range->trace.requests.size() < 100'000) CheckTrace(range->trace);
      break;
    }
    case 2: {  // the first line is the server's own format
      const std::size_t end = bytes.find('\n');
      if (end == std::string_view::npos || end == 0) break;
      options.format.log_format = bytes.substr(0, end);
      ReadLog(bytes.substr(end + 1), options);
      break;
    }
    default: {
      const auto known = LogFormats();
      const std::size_t which = (data[0] >> 4) - 3U;
      if (which < known.size()) options.format.format = known[which].name;
      ReadLog(bytes, options);
    }
  }
  return 0;
}
