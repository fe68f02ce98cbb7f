#include "traces/format/trace_file.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include "traces/format/csv.h"

namespace tidegate::traces {
namespace {

using testing::HasSubstr;

std::string Zstd(const std::string& plain) {
  std::string packed(ZSTD_compressBound(plain.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), plain.data(), plain.size(), 3));
  return packed;
}

Expected<Trace> Read(const std::string& bytes, std::string* comment = nullptr) {
  ByteStream stream = ByteStream::Of(bytes, "a file");
  return ReadTrace(stream, comment);
}

std::string ErrorOf(const std::string& bytes) {
  const auto trace = Read(bytes);
  return trace ? "no error" : trace.error().message;
}

// A binary trace of hand-written protobuf.
std::string Binary(const std::string& blocks) { return Zstd(std::string("tgtrace\0", 8) + blocks); }
// Field 2 (bin_ms) = 1000, field 3 (bins) = 2, field 5 (deltas, packed) = 3, -1 and schema 1.
const std::string kTwoBins("\x08\x01\x10\xe8\x07\x18\x02\x2a\x02\x06\x01", 11);

std::string Block(const std::string& message) {
  return std::string(1, static_cast<char>(message.size())) + message;
}

Trace Sample() {
  Trace trace{.bin = std::chrono::milliseconds(250), .requests = {}};
  for (int i = 0; i < 150'000; ++i) trace.requests.push_back((i * 37) % 1'000);
  trace.requests[70'000] = 0.1;  // one block with a fraction, two without
  trace.requests[149'999] = 1e12;
  return trace;
}

TEST(TraceFileTest, TheBinaryFormRoundTripsWithItsComment) {
  const Trace trace = Sample();
  std::string comment;
  EXPECT_EQ(Read(PackTrace(trace, "how it was made"), &comment).value(), trace);
  EXPECT_EQ(comment, "how it was made");
}

TEST(TraceFileTest, TheBinaryFormIsItsSchema) {
  const Trace trace = Read(Binary(Block(kTwoBins))).value();
  EXPECT_EQ(trace, (Trace{.bin = std::chrono::seconds(1), .requests = {3, 2}}));
}

TEST(TraceFileTest, EveryFormIsToldByItsContentWhateverTheName) {
  const Trace trace{.bin = std::chrono::seconds(10), .requests = {1, 2.5, 0}};
  std::string dir = testing::TempDir() + "trace_file_XXXXXX";
  ASSERT_NE(mkdtemp(dir.data()), nullptr);
  for (const char* form : {"a.csv", "a.csv.gz", "a.csv.zst", "a.tgtrace"}) {
    const std::string file = dir + "/whatever.txt";
    std::ofstream(file, std::ios::binary) << FormatTraceFor(form, trace, "one\ntwo");
    std::string comment;
    const auto read = ReadTrace(file, &comment);
    ASSERT_TRUE(read.has_value()) << form << ": " << read.error().message;
    EXPECT_EQ(*read, trace) << form;
    EXPECT_EQ(comment, "one\ntwo") << form;
  }
  EXPECT_EQ(ReadTrace(dir).error().message, dir + ": is a folder, not a file");
  EXPECT_EQ(ReadTrace(dir + "/none").error().code, ErrorCode::kNotFound);
  std::filesystem::remove_all(dir);
}

TEST(TraceFileTest, ABombThatUnpacksToZerosIsRefused) {
  const std::string bomb = Binary(std::string(100'000'000, '\0'));
  EXPECT_LT(bomb.size(), 20'000U);
  EXPECT_THAT(ErrorOf(bomb), HasSubstr("a block that is empty or larger than 1 MiB"));
}

TEST(TraceFileTest, ABombOfTextIsRefusedAtItsBound) {
  const std::string megabyte = Zstd(std::string(1 << 20, '\n'));
  std::string bomb;  // frames one after the other are one stream
  for (int i = 0; i < 300; ++i) bomb += megabyte;
  EXPECT_LT(bomb.size(), 100'000U);
  const auto trace = Read(bomb);
  ASSERT_FALSE(trace.has_value());
  EXPECT_EQ(trace.error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(trace.error().message, "a file: is larger than 256 MiB, unpacked");
}

TEST(TraceFileTest, AnAbsurdNumberOfBinsIsRefusedBeforeTheyAreRead) {
  const std::string header("\x08\x01\x10\xe8\x07\x18\xff\xff\xff\xff\x0f\x2a\x01\x06", 14);
  const auto trace = Read(Binary(Block(header)));
  ASSERT_FALSE(trace.has_value());
  EXPECT_EQ(trace.error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(trace.error().message,
            "a file: the trace has 4294967295 bins; at most 10000000 are read");
}

TEST(TraceFileTest, SaysWhatIsWrongWithABlock) {
  const auto changed = [](std::size_t at, char to) {
    std::string block = kTwoBins;
    block[at] = to;
    return Binary(Block(block));
  };
  EXPECT_EQ(ErrorOf(changed(1, 2)), "a file: the trace has schema 2; this version reads schema 1");
  EXPECT_THAT(ErrorOf(changed(6, 1)), HasSubstr("has more bins than the 1 that it begins with"));
  EXPECT_THAT(ErrorOf(changed(6, 3)), HasSubstr("ends early: 2 of 3 bins"));
  EXPECT_THAT(ErrorOf(changed(9, 5)), HasSubstr("has -3 requests in bin 0"));
  EXPECT_THAT(ErrorOf(changed(7, 0x2f)), HasSubstr("no protobuf message of its schema"));
  EXPECT_THAT(ErrorOf(Binary("\x7f" + kTwoBins)), HasSubstr("ends inside a block"));
  EXPECT_THAT(ErrorOf(Binary("")), HasSubstr("has 0 bins; expected at least 2"));
}

TEST(TraceFileTest, AFileCutAnywhereIsRefused) {
  const std::string whole = PackTrace(Trace{.requests = {1, 2, 3.5, 4}}, "x");
  ASSERT_EQ(Read(whole).value().requests.size(), 4U);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(Read(whole.substr(0, size)).has_value()) << size;
  }
}

TEST(ByteStreamTest, UnpacksGzipMembersAndZstdFramesOneAfterTheOther) {
  const Trace trace{.requests = {1, 2}};
  const std::string gzip = FormatTraceFor("a.gz", trace, ""), csv = FormatTraceCsv(trace, "");
  const std::string zstd = FormatTraceFor("a.zst", trace, "");
  for (const std::string& packed : {gzip + gzip, zstd + zstd}) {
    ByteStream stream = ByteStream::Of(packed, "a");
    EXPECT_EQ(ReadAll(stream, 1'000).value(), csv + csv);
    EXPECT_EQ(stream.taken(), packed.size());
  }
}

TEST(ByteStreamTest, PeeksWithoutTaking) {
  ByteStream stream = ByteStream::Of("abcdef", "a");
  EXPECT_EQ(stream.Peek(3).value(), "abc");
  EXPECT_EQ(stream.Peek(100).value(), "abcdef");
  EXPECT_EQ(ReadAll(stream, 100).value(), "abcdef");
  EXPECT_EQ(stream.Peek(3).value(), "");
}

TEST(ByteStreamTest, SaysWhereDamageIs) {
  std::string packed = FormatTraceFor("a.gz", Sample(), "");
  packed.resize(packed.size() / 2);
  ByteStream stream = ByteStream::Of(packed, "a.gz");
  const auto text = ReadAll(stream, 10'000'000);
  ASSERT_FALSE(text.has_value());
  EXPECT_EQ(text.error().message, "a.gz: the gzip data ends early, " +
                                      std::to_string(packed.size()) + " bytes into the file");
}

}  // namespace
}  // namespace tidegate::traces
