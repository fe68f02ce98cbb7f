// How fast access logs become traces, by format, at three sizes: MiB of log per second on one core,
// nanoseconds a line, and the most memory in use, which must not grow with the log.
//
// Logs come from memory, one minute of them over and over as if each were a file, so that no disk
// is measured. Memory is what operator new gave out and did not get back, above what there was
// before the import; the importer itself holds 256 KiB besides.

#include <chrono>
#include <cstdlib>
#include <string>

#include <fmt/format.h>

#include "policies/base/check.h"
#include "tests/testing/heap.h"
#include "traces/format/byte_stream.h"
#include "traces/import/log_import.h"

namespace tidegate::traces {
namespace {

using std::chrono::steady_clock;

constexpr int kPerSecond = 1'000;  // requests, a line each
constexpr const char* kAgent =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 "
    "Safari/537.36";

// One line, `second` seconds after 2026-11-01T00:00:00Z.
using MakeLine = std::string (*)(int second, int request);

std::string Clf(int second) {
  return fmt::format("{:02}/Nov/2026:{:02}:{:02}:{:02}", 1 + second / 86'400, second / 3'600 % 24,
                     second / 60 % 60, second % 60);
}

std::string CombinedLine(int second, int request) {
  return fmt::format(
      "203.0.113.{} - - [{} +0000] \"GET /shop/cart?id={} HTTP/1.1\" {} {} "
      "\"https://shop.example/\" \"{}\"\n",
      request % 256, Clf(second), request * 7'919, request % 20 == 0 ? 503 : 200, request * 31,
      kAgent);
}

std::string HaproxyLine(int second, int request) {
  return fmt::format(
      "Nov  1 00:00:00 lb haproxy[14389]: 10.0.1.2:33317 [{}.{:03}] http-in static/srv1 "
      "10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 \"GET /shop/cart?id={} HTTP/1.1\"\n",
      Clf(second), request % 1'000, request * 7'919);
}

std::string JsonLine(int second, int request) {
  return fmt::format(
      R"({{"start_time":{}.{:03},"method":"GET","path":"/shop/cart?id={}","protocol":"HTTP/1.1",)"
      R"("response_code":200,"response_flags":"----","bytes_received":120,"bytes_sent":{},)"
      R"("duration":12,"upstream_service_time":11,"authority":"shop.example","user_agent":"{}",)"
      R"("x_forwarded_for":"","request_id":"","route":"route_0","upstream":"u1",)"
      R"("downstream_remote_address":"203.0.113.9:40112"}})"
      "\n",
      1'793'491'200 + second, request % 1'000, request * 7'919, request * 31, kAgent);
}

struct Figures {
  double mib_per_s = 0, ns_per_line = 0, peak_kib = 0;
};

Figures FromMemory(MakeLine make, int rounds) {
  std::string text;
  for (int second = 0; second < 60; ++second) {
    for (int request = 0; request < kPerSecond; ++request) text += make(second, request);
  }
  auto importer = LogImporter::Create({}).value();
  const long before = testing::HeapInUse();
  testing::ForgetHeapPeak();
  const auto begin = steady_clock::now();
  for (int round = 0; round < rounds; ++round) {
    ByteStream stream = ByteStream::Of(text, "memory");
    TIDEGATE_CHECK(importer.Read(stream, {}).has_value(), "our own lines can be read");
  }
  const double seconds = std::chrono::duration<double>(steady_clock::now() - begin).count();
  const long peak = testing::HeapPeak();
  const auto lines = static_cast<double>(importer.counts().counted);
  TIDEGATE_CHECK(lines == 60.0 * kPerSecond * rounds, "every line is counted");
  return {static_cast<double>(importer.counts().bytes) / (1 << 20) / seconds, seconds * 1e9 / lines,
          static_cast<double>(peak - before) / 1'024};
}

void Table(const char* name, MakeLine make) {
  for (const int rounds : {5, 20, 80}) {
    Figures best;
    for (int repeat = 0; repeat < 3; ++repeat) {
      const Figures f = FromMemory(make, rounds);
      if (f.mib_per_s > best.mib_per_s) best = f;
    }
    fmt::print("{:<10} {:>9} lines  {:>7.0f} MiB/s  {:>6.1f} ns/line  {:>7.0f} KiB\n", name,
               60 * kPerSecond * rounds, best.mib_per_s, best.ns_per_line, best.peak_kib);
  }
}

}  // namespace
}  // namespace tidegate::traces

int main() {
  using namespace tidegate::traces;  // NOLINT
  fmt::print("importing access logs from memory, best of three; memory above the importer's own\n");
  Table("combined", CombinedLine);
  Table("haproxy", HaproxyLine);
  Table("json", JsonLine);
  return 0;
}
