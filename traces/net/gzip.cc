#include "traces/net/gzip.h"

#include <array>

#include <zlib.h>

namespace tidegate::net {
namespace {

// 15 window bits, and 16 more to expect a gzip header instead of a zlib one.
constexpr int kGzipWindow = 15 + 16;

// The stream's end, whatever happened in between.
struct Inflater {
  z_stream stream{};
  bool ready = false;
  Inflater() { ready = inflateInit2(&stream, kGzipWindow) == Z_OK; }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() {
    if (ready) inflateEnd(&stream);
  }
};

}  // namespace

Expected<std::string> Gunzip(std::string_view packed, std::size_t max_bytes) {
  Inflater inflater;
  if (!inflater.ready) return Fail(ErrorCode::kInternal, "zlib cannot start");
  std::string input(packed);  // zlib's interface is not const
  inflater.stream.next_in = reinterpret_cast<Bytef*>(input.data());
  inflater.stream.avail_in = static_cast<uInt>(input.size());
  std::string result;
  std::array<char, 32 * 1024> chunk;
  for (;;) {
    inflater.stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    inflater.stream.avail_out = static_cast<uInt>(chunk.size());
    const int status = inflate(&inflater.stream, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END) {
      return Fail(ErrorCode::kInvalid, "the gzip body is damaged or ends early");
    }
    const std::size_t count = chunk.size() - inflater.stream.avail_out;
    if (result.size() + count > max_bytes) {
      return Fail(ErrorCode::kTooLarge, "the body is too large once unpacked");
    }
    result.append(chunk.data(), count);
    if (status == Z_STREAM_END) return result;
  }
}

}  // namespace tidegate::net
