// Lines as the servers' own manuals show them.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "traces/import/formats.h"
#include "traces/import/line_template.h"

namespace tidegate::traces {
namespace {

using testing::HasSubstr;

constexpr const char* kCommon =
    R"(127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326)";
constexpr const char* kCombined =
    R"(127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326 )"
    R"x("http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)")x";
constexpr const char* kVhost =
    R"x(shop.example:443 2001:db8::7 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 304 - )x"
    R"x("-" "-")x";
constexpr const char* kHaproxy =
    R"(Feb  6 12:14:14 localhost haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] )"
    R"(http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} )"
    R"("GET /index.html HTTP/1.1")";
constexpr const char* kEnvoy =
    R"([2016-04-15T20:17:00.310Z] "POST /api/v1/locations HTTP/2" 204 - 154 0 226 100 )"
    R"("10.0.35.28" "nsq2http" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "locations" )"
    R"("tcp://10.0.2.1:80")";
constexpr const char* kIstio =
    R"([2020-11-25T21:26:18.409Z] "GET /status/418 HTTP/1.1" 418 - via_upstream - "-" 0 135 4 4 )"
    R"("-" "curl/7.73.0-DEV" "84961386-6d84-929d-98bd-c5aee93b5c88" "httpbin:8000" )"
    R"("127.0.0.1:80" inbound|8000|| 127.0.0.1:41854 10.44.1.27:80 10.44.1.23:37652 )"
    R"(outbound_.8000_._.httpbin.foo.svc.cluster.local default)";
constexpr const char* kIstioJson =
    R"({"authority":"httpbin:8000","bytes_received":"0","duration":"4","path":"/status/418",)"
    R"("protocol":"HTTP/1.1","response_code":"418","start_time":"2020-11-25T21:26:18.409Z",)"
    R"("upstream_cluster":null,"labels":{"a":["}"]},"user_agent":"curl \"x\""})";
constexpr const char* kNginxJson =
    R"({ "time_local": "10/Oct/2000:13:55:36 -0700", "status": 200, "request_uri": "/a\/b\u00e9" })";

// What a parser that was told by the line alone makes of it.
struct Read {
  std::string format, at, path, host;
  int status = 0;
};
Read Detected(const char* text, Duration offset = Duration(0)) {
  const std::vector<std::string_view> lines{Bare(text)};
  const FormatOptions options{.format = "auto",
                              .log_format = {},
                              .json = {},
                              .utc_offset = offset,
                              .needs_request = true,
                              .needs_host = true};
  const auto parser = DetectFormat(lines, options);
  if (!parser) return {.format = parser.error().message, .at = {}, .path = {}, .host = {}};
  LogLine line;
  if (const char* wrong = (*parser)->Parse(lines[0], line)) return {wrong, "", "", "", -1};
  return {std::string((*parser)->name()), FormatInstant(FromUnixMillis(line.at_ms)),
          std::string(PathOf(line)), std::string(HostOf(line)), line.status};
}

void ExpectRead(const Read& read, const char* format, const char* at, int status,
                const char* path) {
  EXPECT_EQ(read.format, format);
  EXPECT_EQ(read.at, at);
  EXPECT_EQ(read.status, status);
  EXPECT_EQ(read.path, path);
}

TEST(LogFormatsTest, ReadsApachesAndNginxsLines) {
  ExpectRead(Detected(kCommon), "combined", "2000-10-10T20:55:36Z", 200, "/apache_pb.gif");
  ExpectRead(Detected(kCombined), "combined", "2000-10-10T20:55:36Z", 200, "/apache_pb.gif");
  const Read vhost = Detected(kVhost);
  ExpectRead(vhost, "vhost", "2000-10-10T20:55:36Z", 304, "/");
  EXPECT_EQ(vhost.host, "shop.example");
}

TEST(LogFormatsTest, ReadsHaproxysLinesInTheProxysZone) {
  ExpectRead(Detected(kHaproxy), "haproxy", "2009-02-06T12:14:14.655Z", 200, "/index.html");
  ExpectRead(Detected(kHaproxy, std::chrono::hours(8)), "haproxy", "2009-02-06T04:14:14.655Z", 200,
             "/index.html");
}

TEST(LogFormatsTest, ReadsEnvoysAndIstiosLinesWithTheirHost) {
  const Read envoy = Detected(kEnvoy);
  ExpectRead(envoy, "envoy", "2016-04-15T20:17:00.310Z", 204, "/api/v1/locations");
  EXPECT_EQ(envoy.host, "locations");
  const Read istio = Detected(kIstio);
  ExpectRead(istio, "envoy", "2020-11-25T21:26:18.409Z", 418, "/status/418");
  EXPECT_EQ(istio.host, "httpbin:8000");
}

TEST(LogFormatsTest, ReadsJsonLines) {
  const Read istio = Detected(kIstioJson);
  ExpectRead(istio, "json", "2020-11-25T21:26:18.409Z", 418, "/status/418");
  EXPECT_EQ(istio.host, "httpbin:8000");
  ExpectRead(Detected(kNginxJson), "json", "2000-10-10T20:55:36Z", 200, "/a/b\xc3\xa9");
}

TEST(LogFormatsTest, PassesOverWhatAContainerRuntimeAdds) {
  const std::string line = "2020-11-25T21:26:18.409794202Z stdout F " + std::string(kEnvoy) + "\r";
  ExpectRead(Detected(line.c_str()), "envoy", "2016-04-15T20:17:00.310Z", 204, "/api/v1/locations");
}

TEST(LogFormatsTest, ShowsTheLineThatFitsNoFormatAndWhy) {
  const std::string why = Detected("hello \x1b world").format;
  EXPECT_THAT(why, HasSubstr("no known log format fits the first lines"));
  EXPECT_THAT(why, HasSubstr("hello \\x1b world"));
  EXPECT_THAT(why, HasSubstr("haproxy   it has no accept date in brackets"));
  EXPECT_THAT(why, HasSubstr("--log-format"));
}

// What one format says of a line; "" if it reads it.
std::string Says(const char* format, std::string_view text, LogLine* out = nullptr) {
  static std::unique_ptr<LineParser> parser;  // `out` points into it
  FormatOptions options;
  options.format = format;
  if (std::string_view(format).find_first_of("$%") != std::string_view::npos) {
    options.log_format = format;
  }
  options.needs_request = options.needs_host = true;
  auto made = MakeParser(options);
  if (!made) return made.error().message;
  parser = *std::move(made);
  LogLine line;
  const char* wrong = parser->Parse(text, out == nullptr ? line : *out);
  return wrong == nullptr ? "" : wrong;
}

TEST(LogFormatsTest, ReadsOddButRealLines) {
  LogLine line;
  EXPECT_EQ(Says("combined", R"(1.2.3.4 - - [10/Oct/2000:13:55:36 +0000] "-" 408 -)", &line), "");
  EXPECT_EQ(PathOf(line), "");
  EXPECT_EQ(
      Says("combined",
           R"(1.2.3.4 - a b [10/Oct/2000:13:55:36 +0000] "GET /\"x\\ y HTTP/1.1" 200 1)", &line),
      "");
  EXPECT_EQ(PathOf(line), R"(/\"x\\ y)");
  EXPECT_EQ(Says("haproxy",
                 R"(1.2.3.4:5 [06/Feb/2009:12:14:14.655] f~ b/<NOSRV> -1/-1/-1/-1/0 )"
                 R"(-1 0 - - CR-- 1/1/0/0/0 0/0 "<BADREQ>")",
                 &line),
            "");
  EXPECT_EQ(line.status, 0);
  EXPECT_EQ(Says("haproxy",
                 R"(1.2.3.4:5 [06/Feb/2009:12:14:14.655] f~ b/s 0/0/0/1/+2 200 0 - - )"
                 R"(---- 1/1/0/0/0 0/0 "GET https://a.example/x?y HTTP/2.0")",
                 &line),
            "");
  EXPECT_EQ(PathOf(line), "/x?y");
  EXPECT_EQ(HostOf(line), "a.example");
}

TEST(LogFormatsTest, SaysWhatIsWrongWithALine) {
  EXPECT_EQ(Says("combined", "1.2.3.4 - - [10/Oct/2000:13:55"),
            "it has fewer fields than the format");
  EXPECT_EQ(Says("combined", R"(1.2.3.4 - - [10/Foo/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 1)"),
            "the time cannot be read");
  EXPECT_EQ(Says("combined", R"(1.2.3.4 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 20 1)"),
            "the status is no number of three digits");
  EXPECT_EQ(Says("haproxy",
                 "Feb  6 12:12:56 localhost haproxy[14387]: 10.0.1.2:33313 "
                 "[06/Feb/2009:12:12:51.443] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0"),
            "it is a line of the TCP log; expected one of the HTTP log");
  EXPECT_EQ(Says("haproxy", "Feb  6 12:12:09 localhost haproxy[14385]: Proxy http-in started."),
            "it has no accept date in brackets");
  EXPECT_EQ(Says("json", R"({"status":200})"), "it has no time; name its member with --time-field");
  EXPECT_EQ(Says("json", R"({"time":1795651200,"status":2)"), "it is no complete JSON object");
}

TEST(LogFormatsTest, ReadsServersOwnFormats) {
  LogLine line;
  EXPECT_EQ(Says("$msec|$host|$request_uri|$status|$request_time",
                 "1795651200.125|a.example|/x y|201|0.1", &line),
            "");
  EXPECT_EQ(line.at_ms, 1'795'651'200'125);
  EXPECT_EQ(PathOf(line), "/x y");
  EXPECT_EQ(line.host, "a.example");
  EXPECT_EQ(line.status, 201);
  EXPECT_EQ(Says(R"(%{usec}t %D %{Host}i \"%r\" %>s)",
                 R"(1795651200125999 12 a.example "GET / HTTP/1.1" 500)", &line),
            "");
  EXPECT_EQ(line.at_ms, 1'795'651'200'125);
  EXPECT_EQ(line.status, 500);
  EXPECT_EQ(Says(R"([%START_TIME(%s.%3f)%] %RESPONSE_CODE% "%REQ(:PATH):64%" %REQ(HOST)%\n)",
                 R"([1795651200.125] 404 "/x" a.example)", &line),
            "");
  EXPECT_EQ(PathOf(line), "/x");
  EXPECT_EQ(line.host, "a.example");
}

TEST(LogFormatsTest, SaysWhyAServersFormatCannotBeUsed) {
  EXPECT_THAT(Says("$request $status", ""),
              HasSubstr("there is no time in it; expected $time_local"));
  EXPECT_THAT(Says("$time_local$status", ""),
              HasSubstr("nothing stands between $status and the field before it"));
  EXPECT_THAT(Says("%{%H:%M}t %s", ""), HasSubstr("%{%H:%M}t is a time that we cannot read"));
  EXPECT_THAT(Says("%t %", ""), HasSubstr("it ends inside a directive"));
  EXPECT_THAT(Says("%START_TIME(%H)% x", ""), HasSubstr("START_TIME(%H) is a time that we cannot"));
  EXPECT_THAT(ParseLogFormat("hello").error().message, HasSubstr("there is no field in it"));
}

std::string At(std::string_view text, Duration offset = Duration(0)) {
  LogTime time(offset);
  std::int64_t at_ms = 0;
  return time.Read(text, at_ms) ? FormatInstant(FromUnixMillis(at_ms)) : "no time";
}

TEST(LogTimeTest, ReadsTheFormsOfTheManuals) {
  EXPECT_EQ(At("10/Oct/2000:13:55:36 -0700"), "2000-10-10T20:55:36Z");
  EXPECT_EQ(At("29/Feb/2024:23:59:60 +0530"), "2024-02-29T18:30:00Z");
  EXPECT_EQ(At("06/Feb/2009:12:14:14.655", std::chrono::hours(-5)), "2009-02-06T17:14:14.655Z");
  EXPECT_EQ(At("2016-04-15T20:17:00.3109Z"), "2016-04-15T20:17:00.310Z");
  EXPECT_EQ(At("2016-04-15 20:17:00,5 +08:00"), "2016-04-15T12:17:00.500Z");
  EXPECT_EQ(At("2016-04-15T20:17:00", std::chrono::hours(1)), "2016-04-15T19:17:00Z");
  EXPECT_EQ(At("1476051336"), "2016-10-09T22:15:36Z");
  EXPECT_EQ(At("1476051336.123"), "2016-10-09T22:15:36.123Z");
  EXPECT_EQ(At("1476051336123"), "2016-10-09T22:15:36.123Z");
  EXPECT_EQ(At("1476051336123456"), "2016-10-09T22:15:36.123Z");
  EXPECT_EQ(At("1476051336123456789"), "2016-10-09T22:15:36.123Z");
}

TEST(LogTimeTest, RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "-", "x", "1", "30/Feb/2024:00:00:00 +0000", "10/Oct/2000:24:00:00 +0000",
        "10/Oct/2000:13:60:36 +0000", "10/Oct/2000:13:55:36 0700", "10/Oct/2000:13:55:36 +9900",
        "2016-13-01T00:00:00Z", "2016-04-15T20:17:00.Z", "2016-04-15T20:17", "1476051336x",
        "-1476051336", "1e300", "10/Oct/1900:13:55:36 +0000"}) {
    EXPECT_EQ(At(text), "no time") << text;
  }
}

TEST(LogTimeTest, RemembersNothingOfARefusedTime) {
  LogTime time(Duration(0));
  std::int64_t at_ms = 0;
  EXPECT_TRUE(time.Read("10/Oct/2000:13:55:36 +0000", at_ms));
  EXPECT_FALSE(time.Read("31/Feb/2000:13:55:36 +0000", at_ms));
  EXPECT_FALSE(time.Read("31/Feb/2000:13:55:36 +0000", at_ms));
  EXPECT_TRUE(time.Read("10/Oct/2000:13:55:37 +0000", at_ms));
  EXPECT_EQ(FormatInstant(FromUnixMillis(at_ms)), "2000-10-10T13:55:37Z");
}

}  // namespace
}  // namespace tidegate::traces
