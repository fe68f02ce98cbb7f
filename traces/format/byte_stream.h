#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "policies/base/expected.h"

namespace tidegate::traces {

// The bytes of a file, read from front to back and unpacked on the way where they are gzip or zstd.
// Which of them is told by the first bytes, never by the name. Files of several gzip members or
// zstd frames (rotated logs put together) are read as one. Memory stays at some hundred KiB, plus
// the window of a zstd frame: at most 128 MiB, 8 MiB at the usual levels.
class ByteStream {
 public:
  // "-" is standard input. kNotFound if it cannot be opened, kInvalid for a folder.
  static Expected<ByteStream> Open(const std::string& file);
  // Over bytes in memory, which must outlive it. `name` is used in messages only.
  static ByteStream Of(std::string_view bytes, std::string name);

  ByteStream(ByteStream&&) noexcept;
  ByteStream& operator=(ByteStream&&) noexcept;
  ~ByteStream();

  // Fills the buffer as far as bytes are at hand, at least one; 0 at the end. kInvalid for packed
  // data that is damaged or ends early, kTooLarge for a zstd window beyond 128 MiB, kInternal where
  // the file cannot be read. Precondition: the buffer is not empty.
  Expected<std::size_t> Read(std::span<char> buffer);

  // What the next Reads will give: `most` bytes, or all that are left where those are fewer. Errors
  // as of Read.
  Expected<std::string_view> Peek(std::size_t most);

  // "gzip", "zstd", or "" for neither. Known after the first Read or Peek.
  std::string_view packing() const;
  // Bytes taken from the file so far, as they are there.
  std::uint64_t taken() const;
  // Bytes in the file; none for pipes and the like.
  std::optional<std::uint64_t> size() const;
  // For messages: the file's name, or "standard input".
  const std::string& name() const;

 private:
  class Impl;
  explicit ByteStream(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// All of the stream that is left. kTooLarge past `most` bytes, once unpacked.
Expected<std::string> ReadAll(ByteStream& stream, std::size_t most);

}  // namespace tidegate::traces
