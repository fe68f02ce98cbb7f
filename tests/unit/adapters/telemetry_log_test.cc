#include <cmath>
#include <string>
#include <thread>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/metrics/text.h"
#include "scheduler/telemetry/log.h"
#include "scheduler/telemetry/redact.h"

namespace tidegate::telemetry {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Instant kAt = FromUnixMillis(1'795'651'200'250);

json::object ParseLine(const std::string& line) {
  json::error_code error;
  const json::value value = json::parse(line, error);
  EXPECT_FALSE(error) << line;
  return value.is_object() ? value.as_object() : json::object{};
}

std::string Json(std::string_view message, LogFields fields) {
  return FormatLogLine(LogFormat::kJson, LogLevel::kInfo, kAt, message, fields);
}

std::string Text(std::string_view message, LogFields fields) {
  return FormatLogLine(LogFormat::kText, LogLevel::kInfo, kAt, message, fields);
}

TEST(LogLineTest, WritesFieldsAsText) {
  EXPECT_EQ(Text("pool scaled", {{"pool", "shop/edge"}, {"from", 2}, {"why", "two words"}}),
            "2026-11-26T00:00:00.250Z info  pool scaled pool=shop/edge from=2 why=\"two words\"");
}

TEST(LogLineTest, WritesFieldsAsJsonOfTheirType) {
  const json::object line =
      ParseLine(Json("tick", {{"pool", "edge"}, {"n", 2}, {"load", 0.5}, {"late", true}}));
  EXPECT_EQ(line.at("time").as_string(), "2026-11-26T00:00:00.250Z");
  EXPECT_EQ(line.at("level").as_string(), "info");
  EXPECT_EQ(line.at("message").as_string(), "tick");
  EXPECT_EQ(line.at("n").as_int64(), 2);
  EXPECT_EQ(line.at("load").to_number<double>(), 0.5);
  EXPECT_TRUE(line.at("late").as_bool());
}

TEST(LogLineTest, EscapesWhatJsonCannotHold) {
  std::string raw = "quote\" back\\ line\n tab\t null";
  raw += '\0';
  raw += "\x1b end";
  const std::string line = Json("m", {{"text", raw}});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(std::string(ParseLine(line).at("text").as_string()), raw);
}

TEST(LogLineTest, ReplacesBytesThatAreNoUtf8) {
  const json::object line = ParseLine(Json("m", {{"text", "a\xff\xc0\xaf z\xe2\x82"}}));
  EXPECT_EQ(ValidUtf8(line.at("text").as_string().c_str()), line.at("text").as_string().c_str());
  EXPECT_THAT(line.at("text").as_string().c_str(), HasSubstr("\xEF\xBF\xBD"));
}

TEST(LogLineTest, WritesNumbersThatJsonDoesNotHaveAsStrings) {
  const json::object line = ParseLine(Json("m", {{"a", std::nan("")}, {"b", HUGE_VAL}}));
  EXPECT_TRUE(line.at("a").is_string());
  EXPECT_TRUE(line.at("b").is_string());
}

TEST(LogLineTest, CutsLongTextsBetweenCharacters) {
  std::string longest;
  while (longest.size() < 100'000) longest += "\xC3\xA9";
  const json::object line = ParseLine(Json("m", {{"text", longest}}));
  EXPECT_LE(line.at("text").as_string().size(), 8U * 1024);
  EXPECT_THAT(line.at("text").as_string().c_str(), Not(HasSubstr("\xEF\xBF\xBD")));
}

TEST(LogLineTest, AMessageStaysOnOneLineAsText) {
  EXPECT_EQ(Text("a\nb", {{"k", "c\rd"}}).find_first_of("\r\n"), std::string::npos);
}

TEST(RedactTest, HidesValuesOfFieldsNamedLikeSecrets) {
  EXPECT_THAT(Json("m", {{"bearer_token", "hunter2hunter2"}}), Not(HasSubstr("hunter2")));
  EXPECT_EQ(Redact("Password", "hunter2"), "[redacted]");
  EXPECT_EQ(Redact("token_file", "/etc/tidegate/token"), "/etc/tidegate/token");
}

TEST(RedactTest, HidesCredentialsInsideTexts) {
  EXPECT_EQ(Redact("url", "https://user:hunter2@prometheus:9090/api?x=a@b"),
            "https://[redacted]@prometheus:9090/api?x=a@b");
  EXPECT_EQ(Redact("error", "sent 'Authorization: Bearer abcdefgh.ijkl' twice"),
            "sent 'Authorization: Bearer [redacted]' twice");
  EXPECT_THAT(Text("got basic dXNlcjpwYXNz", {}), Not(HasSubstr("dXNlcjpwYXNz")));
}

TEST(RedactTest, LeavesOrdinaryTextAlone) {
  EXPECT_EQ(Redact("error", "http://127.0.0.1:9090/ basic set-up failed"),
            "http://127.0.0.1:9090/ basic set-up failed");
}

TEST(Utf8Test, RefusesOverlongSurrogateAndTooBig) {
  for (const char* bad : {"\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80"}) {
    EXPECT_EQ(Utf8Length(bad), 0U);
  }
  EXPECT_EQ(Utf8Length("\xF0\x9F\x98\x80"), 4U);
  EXPECT_EQ(Utf8Length("\xE2\x82\xAC"), 3U);
}

TEST(LogTest, WritesToStderrAndDropsLessThanTheLevel) {
  ::testing::internal::CaptureStderr();
  InitLog({.format = LogFormat::kJson, .level = LogLevel::kWarn});
  const auto before = LogCounts();
  LogInfo("not this");
  LogWarn("this", {{"n", 1}});
  const auto after = LogCounts();
  InitLog({});
  const std::string output = ::testing::internal::GetCapturedStderr();
  ASSERT_FALSE(output.empty());
  EXPECT_EQ(output.back(), '\n');
  EXPECT_EQ(ParseLine(output.substr(0, output.size() - 1)).at("message").as_string(), "this");
  EXPECT_EQ(after[static_cast<std::size_t>(LogLevel::kWarn)],
            before[static_cast<std::size_t>(LogLevel::kWarn)] + 1);
  EXPECT_EQ(after[static_cast<std::size_t>(LogLevel::kInfo)],
            before[static_cast<std::size_t>(LogLevel::kInfo)]);
}

TEST(LogTest, LinesOfSeveralThreadsStayWhole) {
  ::testing::internal::CaptureStderr();
  InitLog({.format = LogFormat::kJson, .level = LogLevel::kInfo});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 50; ++i) LogInfo("line", {{"thread", t}, {"i", i}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  InitLog({});
  std::string output = ::testing::internal::GetCapturedStderr();
  int lines = 0;
  for (std::size_t end = output.find('\n'); end != std::string::npos; end = output.find('\n')) {
    EXPECT_EQ(ParseLine(output.substr(0, end)).at("message").as_string(), "line");
    output.erase(0, end + 1);
    ++lines;
  }
  EXPECT_EQ(lines, 200);
}

TEST(LogOptionsTest, NamesWhatMayBeGiven) {
  EXPECT_EQ(*ParseLogLevel("warn"), LogLevel::kWarn);
  EXPECT_EQ(*ParseLogFormat("json"), LogFormat::kJson);
  EXPECT_THAT(ParseLogLevel("loud").error().message, HasSubstr("debug, info, warn or error"));
  EXPECT_THAT(ParseLogFormat("xml").error().message, HasSubstr("text or json"));
}

}  // namespace
}  // namespace tidegate::telemetry
