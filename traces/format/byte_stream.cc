#include "traces/format/byte_stream.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "policies/base/check.h"

namespace tidegate::traces {
namespace {

constexpr std::size_t kBlock = std::size_t{128} * 1024;
constexpr int kGzipWindow = 15 + 16;    // 16 more than zlib's to expect a gzip header
constexpr int kLargestZstdWindow = 27;  // the power of two: 128 MiB
constexpr std::string_view kGzipMagic = "\x1f\x8b";
constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd";

// Where packed bytes come from: a file, or memory.
class Source {
 public:
  Source(int fd, bool close) : fd_(fd), close_(close) {}
  explicit Source(std::string_view bytes) : memory_(bytes) {}
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  ~Source() {
    if (close_) ::close(fd_);
  }

  Expected<std::size_t> Read(char* to, std::size_t most, const std::string& name) {
    if (fd_ < 0) {
      const std::size_t count = std::min(most, memory_.size());
      std::memcpy(to, memory_.data(), count);
      memory_.remove_prefix(count);
      return count;
    }
    for (;;) {
      const ssize_t count = ::read(fd_, to, most);
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno == EINTR) continue;
      return Fail(ErrorCode::kInternal,
                  fmt::format("{}: cannot be read: {}", name,
                              std::error_code(errno, std::generic_category()).message()));
    }
  }

 private:
  int fd_ = -1;
  bool close_ = false;
  std::string_view memory_;
};

enum class Packing { kUnknown, kNone, kGzip, kZstd };

}  // namespace

class ByteStream::Impl {
 public:
  Impl(std::string name, std::unique_ptr<Source> source, std::optional<std::uint64_t> size)
      : name_(std::move(name)), source_(std::move(source)), size_(size), block_(kBlock) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    if (zlib_ready_) inflateEnd(&zlib_);
    ZSTD_freeDStream(zstd_);
  }

  Expected<std::size_t> Read(std::span<char> buffer) {
    TIDEGATE_CHECK(!buffer.empty(), "room for at least one byte");
    if (peeked_.empty()) return ReadOn(buffer);
    const std::size_t count = std::min(buffer.size(), peeked_.size());
    std::memcpy(buffer.data(), peeked_.data(), count);
    peeked_.erase(0, count);
    return count;
  }

  Expected<std::string_view> Peek(std::size_t most) {
    while (peeked_.size() < most) {
      const std::size_t have = peeked_.size();
      peeked_.resize(most);
      const auto count = ReadOn(std::span(peeked_).subspan(have));
      peeked_.resize(have + count.value_or(0));
      if (!count) return Fail(count.error());
      if (*count == 0) break;
    }
    return std::string_view(peeked_).substr(0, most);
  }

  // Unpacks behind what was peeked at.
  Expected<std::size_t> ReadOn(std::span<char> buffer) {
    if (packing_ == Packing::kUnknown) TIDEGATE_TRY_VOID(Detect());
    switch (packing_) {
      case Packing::kGzip: return ReadGzip(buffer);
      case Packing::kZstd: return ReadZstd(buffer);
      default: return ReadPlain(buffer);
    }
  }

  std::string_view packing() const {
    if (packing_ == Packing::kGzip) return "gzip";
    return packing_ == Packing::kZstd ? "zstd" : "";
  }
  std::uint64_t taken() const { return taken_ - (end_ - begin_); }
  std::optional<std::uint64_t> size() const { return size_; }
  const std::string& name() const { return name_; }

 private:
  Error Damaged(std::string_view what) const {
    return {ErrorCode::kInvalid, fmt::format("{}: the {} data {} {} bytes into the file", name_,
                                             packing(), what, taken())};
  }

  // Appends to the block's unread bytes, which have been moved to its front. False at the end.
  Expected<bool> Refill() {
    if (begin_ > 0) std::memmove(block_.data(), block_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
    TIDEGATE_TRY(const std::size_t count,
                 source_->Read(block_.data() + end_, block_.size() - end_, name_));
    end_ += count;
    taken_ += count;
    return count > 0;
  }

  std::string_view Unread() const { return {block_.data() + begin_, end_ - begin_}; }

  Expected<void> Detect() {
    while (end_ < kZstdMagic.size()) {
      TIDEGATE_TRY(const bool more, Refill());
      if (!more) break;
    }
    packing_ = Packing::kNone;
    if (Unread().starts_with(kGzipMagic)) {
      packing_ = Packing::kGzip;
      zlib_ready_ = inflateInit2(&zlib_, kGzipWindow) == Z_OK;
      if (!zlib_ready_) return Fail(ErrorCode::kInternal, "zlib cannot start");
    } else if (Unread().starts_with(kZstdMagic)) {
      packing_ = Packing::kZstd;
      zstd_ = ZSTD_createDStream();
      if (zstd_ == nullptr) return Fail(ErrorCode::kInternal, "zstd cannot start");
      ZSTD_DCtx_setParameter(zstd_, ZSTD_d_windowLogMax, kLargestZstdWindow);
    }
    return {};
  }

  Expected<std::size_t> ReadPlain(std::span<char> buffer) {
    if (begin_ == end_) {
      const auto count = source_->Read(buffer.data(), buffer.size(), name_);
      if (count) taken_ += *count;
      return count;
    }
    const std::size_t count = std::min(buffer.size(), end_ - begin_);
    std::memcpy(buffer.data(), block_.data() + begin_, count);
    begin_ += count;
    return count;
  }

  Expected<std::size_t> ReadGzip(std::span<char> buffer) {
    for (;;) {
      if (begin_ == end_) {
        TIDEGATE_TRY(const bool more, Refill());
        if (!more) {
          if (between_) return 0;
          return Fail(Damaged("ends early,"));
        }
      }
      zlib_.next_in = reinterpret_cast<Bytef*>(block_.data() + begin_);
      zlib_.avail_in = static_cast<uInt>(end_ - begin_);
      zlib_.next_out = reinterpret_cast<Bytef*>(buffer.data());
      const auto room = static_cast<uInt>(std::min(buffer.size(), std::size_t{1} << 30));
      zlib_.avail_out = room;
      between_ = false;
      const int status = inflate(&zlib_, Z_NO_FLUSH);
      begin_ = end_ - zlib_.avail_in;
      if (status == Z_STREAM_END) {
        between_ = true;
        inflateReset(&zlib_);
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        return Fail(Damaged("is damaged,"));
      }
      if (const std::size_t count = room - zlib_.avail_out; count > 0) return count;
    }
  }

  Expected<std::size_t> ReadZstd(std::span<char> buffer) {
    for (;;) {
      // Unpacked bytes may wait in the decoder, so it is asked before more is read.
      ZSTD_inBuffer in{block_.data(), end_, begin_};
      ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
      const bool had_input = begin_ < end_;
      const std::size_t left = had_input || !between_ ? ZSTD_decompressStream(zstd_, &out, &in) : 0;
      begin_ = in.pos;
      if (ZSTD_isError(left) != 0) return Fail(ZstdError(left));
      between_ = left == 0;
      if (out.pos > 0) return out.pos;
      if (begin_ < end_) continue;
      TIDEGATE_TRY(const bool more, Refill());
      if (more) continue;
      if (between_) return 0;
      return Fail(Damaged("ends early,"));
    }
  }

  Error ZstdError(std::size_t status) const {
    const std::string_view what = ZSTD_getErrorName(status);
    if (what.find("memory") != std::string_view::npos) {
      return {ErrorCode::kTooLarge,
              fmt::format("{}: unpacking needs a zstd window of more than 128 MiB; pack it "
                          "without --long or --ultra",
                          name_)};
    }
    return Damaged(fmt::format("is damaged ({}),", what));
  }

  std::string name_;
  std::unique_ptr<Source> source_;
  std::optional<std::uint64_t> size_;
  std::vector<char> block_;
  std::string peeked_;
  std::size_t begin_ = 0, end_ = 0;  // unread bytes of the block
  std::uint64_t taken_ = 0;          // with the unread ones
  Packing packing_ = Packing::kUnknown;
  bool between_ = true;  // gzip members or zstd frames
  z_stream zlib_{};
  bool zlib_ready_ = false;
  ZSTD_DStream* zstd_ = nullptr;
};

ByteStream::ByteStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ByteStream::ByteStream(ByteStream&&) noexcept = default;
ByteStream& ByteStream::operator=(ByteStream&&) noexcept = default;
ByteStream::~ByteStream() = default;

Expected<ByteStream> ByteStream::Open(const std::string& file) {
  if (file == "-") {
    return ByteStream(std::make_unique<Impl>(
        "standard input", std::make_unique<Source>(STDIN_FILENO, false), std::nullopt));
  }
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    const std::string why = std::error_code(errno, std::generic_category()).message();
    return Fail(ErrorCode::kNotFound, fmt::format("{}: cannot be opened: {}", file, why));
  }
  auto source = std::make_unique<Source>(fd, true);
  struct stat status {};
  if (::fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
    return Fail(ErrorCode::kInvalid, fmt::format("{}: is a folder, not a file", file));
  }
  std::optional<std::uint64_t> size;
  if (S_ISREG(status.st_mode)) size = static_cast<std::uint64_t>(status.st_size);
  return ByteStream(std::make_unique<Impl>(file, std::move(source), size));
}

ByteStream ByteStream::Of(std::string_view bytes, std::string name) {
  return ByteStream(
      std::make_unique<Impl>(std::move(name), std::make_unique<Source>(bytes), bytes.size()));
}

Expected<std::size_t> ByteStream::Read(std::span<char> buffer) { return impl_->Read(buffer); }
Expected<std::string_view> ByteStream::Peek(std::size_t most) { return impl_->Peek(most); }
std::string_view ByteStream::packing() const { return impl_->packing(); }
std::uint64_t ByteStream::taken() const { return impl_->taken(); }
std::optional<std::uint64_t> ByteStream::size() const { return impl_->size(); }
const std::string& ByteStream::name() const { return impl_->name(); }

Expected<std::string> ReadAll(ByteStream& stream, std::size_t most) {
  std::string text;
  std::vector<char> chunk(std::size_t{64} * 1024);
  for (;;) {
    TIDEGATE_TRY(const std::size_t count, stream.Read(chunk));
    if (count == 0) return text;
    if (text.size() + count > most) {
      return Fail(ErrorCode::kTooLarge,
                  fmt::format("{}: is larger than {} MiB{}", stream.name(), most >> 20,
                              stream.packing().empty() ? "" : ", unpacked"));
    }
    text.append(chunk.data(), count);
  }
}

}  // namespace tidegate::traces
