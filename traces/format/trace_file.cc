#include "traces/format/trace_file.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <zlib.h>
#include <zstd.h>

#include "policies/base/check.h"
#include "traces/format/csv.h"
#include "traces/format/trace_file.pb.h"

namespace tidegate::traces {
namespace {

using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;

constexpr std::string_view kMagic{"tgtrace", 8};  // with a zero byte behind
constexpr std::uint32_t kSchema = 1;
constexpr std::size_t kBlockBins = 65'536;
constexpr std::size_t kMostBlockBytes = std::size_t{1} << 20;
constexpr std::size_t kMostComment = std::size_t{64} * 1024;
constexpr std::size_t kMostBytes = std::size_t{256} * 1024 * 1024;
constexpr int kLevel = 9;  // a trace is written once and read often

bool IsWhole(double value) { return value == std::floor(value); }

void AddBins(std::span<const double> bins, records::TraceBlock& block) {
  if (!std::all_of(bins.begin(), bins.end(), IsWhole)) {
    block.mutable_requests()->Add(bins.begin(), bins.end());
    return;
  }
  std::int64_t before = 0;
  for (const double value : bins) {
    const auto count = static_cast<std::int64_t>(value);
    block.add_deltas(count - std::exchange(before, count));
  }
}

std::string PackZstd(std::string_view plain) {
  std::string packed(ZSTD_compressBound(plain.size()), '\0');
  const std::size_t size =
      ZSTD_compress(packed.data(), packed.size(), plain.data(), plain.size(), kLevel);
  TIDEGATE_CHECK(ZSTD_isError(size) == 0, "the output has room for any input");
  packed.resize(size);
  return packed;
}

std::string PackGzip(std::string_view plain) {
  z_stream stream{};
  const int ready = deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  TIDEGATE_CHECK(ready == Z_OK, "zlib starts");
  std::string packed(deflateBound(&stream, plain.size()), '\0');
  std::string input(plain);  // zlib's interface is not const
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int status = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  TIDEGATE_CHECK(status == Z_STREAM_END, "the output has room for any input");
  return packed;
}

// Reads blocks one after the other; holds one at a time.
class BlockReader {
 public:
  explicit BlockReader(ByteStream& stream) : stream_(stream), name_(stream.name()) {}

  Expected<Trace> Read(std::string* comment) {
    TIDEGATE_TRY(const bool magic, Have(kMagic.size()));
    if (!magic) return Fail(Bad("ends early"));
    at_ += kMagic.size();
    for (;;) {
      TIDEGATE_TRY(const bool more, Block(comment));
      if (!more) break;
    }
    if (trace_.requests.size() < 2) {
      return Fail(Bad(fmt::format("has {} bins; expected at least 2", trace_.requests.size())));
    }
    if (trace_.requests.size() != bins_) {
      return Fail(Bad(fmt::format("ends early: {} of {} bins", trace_.requests.size(), bins_)));
    }
    return std::move(trace_);
  }

 private:
  Error Bad(std::string_view what) const {
    return {ErrorCode::kInvalid, fmt::format("{}: the trace {}", name_, what)};
  }

  // True once `count` bytes are at hand, false where the stream ends before.
  Expected<bool> Have(std::size_t count) {
    while (bytes_.size() - at_ < count) {
      bytes_.erase(0, std::exchange(at_, 0));
      char chunk[16 * 1024];
      TIDEGATE_TRY(const std::size_t read, stream_.Read(chunk));
      if (read == 0) return false;
      bytes_.append(chunk, read);
      total_ += read;
      if (total_ > kMostBytes) {
        return Fail(ErrorCode::kTooLarge,
                    fmt::format("{}: unpacks to more than {} MiB", name_, kMostBytes >> 20));
      }
    }
    return true;
  }

  // The length that stands before a block; none at the end of the file.
  Expected<std::optional<std::size_t>> Length() {
    std::size_t length = 0;
    for (unsigned shift = 0; shift <= 21; shift += 7) {
      TIDEGATE_TRY(const bool have, Have(1));
      if (!have && shift == 0) return std::optional<std::size_t>();
      if (!have) return Fail(Bad("ends inside a block"));
      const auto byte = static_cast<unsigned char>(bytes_[at_++]);
      length |= static_cast<std::size_t>(byte & 0x7fU) << shift;
      if (byte >= 0x80) continue;
      if (length > 0 && length <= kMostBlockBytes) return std::optional(length);
      break;
    }
    return Fail(Bad("has a block that is empty or larger than 1 MiB"));
  }

  Expected<bool> Block(std::string* comment) {
    TIDEGATE_TRY(const auto length, Length());
    if (!length) return false;
    TIDEGATE_TRY(const bool have, Have(*length));
    if (!have) return Fail(Bad("ends inside a block"));
    records::TraceBlock block;
    if (!block.ParseFromArray(bytes_.data() + at_, static_cast<int>(*length))) {
      return Fail(Bad("has a block that is no protobuf message of its schema"));
    }
    at_ += *length;
    if (!std::exchange(begun_, true)) TIDEGATE_TRY_VOID(First(block, comment));
    TIDEGATE_TRY_VOID(Bins(block));
    return true;
  }

  Expected<void> First(const records::TraceBlock& block, std::string* comment) {
    if (block.schema() != kSchema) {
      return Fail(
          Bad(fmt::format("has schema {}; this version reads schema {}", block.schema(), kSchema)));
    }
    if (block.bin_ms() <= 0 || block.bin_ms() > kMaxTraceBin.count()) {
      return Fail(Bad(fmt::format("has bins of {} ms; expected 1 to 1e13", block.bin_ms())));
    }
    if (block.bins() > kMaxTraceBins) {
      return Fail(ErrorCode::kTooLarge,
                  fmt::format("{}: the trace has {} bins; at most {} are read", name_, block.bins(),
                              kMaxTraceBins));
    }
    if (block.comment().size() > kMostComment) {
      return Fail(Bad("has a comment of more than 64 KiB"));
    }
    bins_ = block.bins();
    trace_.bin = Duration(block.bin_ms());
    if (comment != nullptr) *comment = block.comment();
    return {};
  }

  Expected<void> Bins(const records::TraceBlock& block) {
    const auto count = static_cast<std::size_t>(block.deltas_size() + block.requests_size());
    if (count == 0 || (block.deltas_size() > 0 && block.requests_size() > 0)) {
      return Fail(Bad("has a block without bins, or with both forms of them"));
    }
    if (trace_.requests.size() + count > bins_) {
      return Fail(Bad(fmt::format("has more bins than the {} that it begins with", bins_)));
    }
    std::uint64_t sum = 0;  // wraps where the file is damaged, and is then out of range
    for (const std::int64_t delta : block.deltas()) {
      sum += static_cast<std::uint64_t>(delta);
      TIDEGATE_TRY_VOID(Add(static_cast<double>(static_cast<std::int64_t>(sum))));
    }
    for (const double value : block.requests()) TIDEGATE_TRY_VOID(Add(value));
    return {};
  }

  Expected<void> Add(double value) {
    if (!(value >= 0 && value <= kMaxRequestsPerBin)) {
      return Fail(Bad(fmt::format("has {} requests in bin {}; expected a number from 0 to 1e12",
                                  value, trace_.requests.size())));
    }
    trace_.requests.push_back(value);
    return {};
  }

  ByteStream& stream_;
  std::string name_;
  std::string bytes_;
  std::size_t at_ = 0;
  std::size_t total_ = 0;
  bool begun_ = false;
  std::uint64_t bins_ = 0;
  Trace trace_;
};

// The comment lines that a CSV file begins with.
std::string LeadingComment(std::string_view text) {
  std::string comment;
  while (text.starts_with('#')) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(1, end - 1);
    if (line.starts_with(' ')) line.remove_prefix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    comment += (comment.empty() ? "" : "\n") + std::string(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return comment.substr(0, kMostComment);
}

}  // namespace

std::string PackTrace(const Trace& trace, std::string_view comment) {
  TIDEGATE_CHECK(trace.requests.size() >= 2, "a trace has at least two bins");
  std::string plain(kMagic);
  const std::span<const double> bins(trace.requests);
  for (std::size_t at = 0; at < bins.size(); at += kBlockBins) {
    records::TraceBlock block;
    if (at == 0) {
      block.set_schema(kSchema);
      block.set_bin_ms(trace.bin.count());
      block.set_bins(bins.size());
      block.set_comment(std::string(comment.substr(0, kMostComment)));
    }
    AddBins(bins.subspan(at, std::min(kBlockBins, bins.size() - at)), block);
    std::uint8_t length[5];
    const auto size = static_cast<std::uint32_t>(block.ByteSizeLong());
    const std::uint8_t* end = CodedOutputStream::WriteVarint32ToArray(size, length);
    plain.append(reinterpret_cast<const char*>(length), static_cast<std::size_t>(end - length));
    block.AppendToString(&plain);
  }
  return PackZstd(plain);
}

std::string FormatTraceFor(std::string_view file, const Trace& trace, std::string_view comment) {
  if (file.ends_with(".tgtrace")) return PackTrace(trace, comment);
  std::string csv = FormatTraceCsv(trace, comment);
  if (file.ends_with(".zst")) return PackZstd(csv);
  return file.ends_with(".gz") ? PackGzip(csv) : csv;
}

Expected<Trace> ReadTrace(ByteStream& stream, std::string* comment) {
  TIDEGATE_TRY(const std::string_view begin, stream.Peek(kMagic.size()));
  if (begin == kMagic) return BlockReader(stream).Read(comment);
  TIDEGATE_TRY(const std::string text, ReadAll(stream, kMostBytes));
  if (comment != nullptr) *comment = LeadingComment(text);
  return ParseTraceCsv(text, stream.name());
}

Expected<Trace> ReadTrace(const std::string& file, std::string* comment) {
  TIDEGATE_TRY(ByteStream stream, ByteStream::Open(file));
  return ReadTrace(stream, comment);
}

}  // namespace tidegate::traces
