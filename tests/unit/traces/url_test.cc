#include "traces/net/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "traces/net/http_message.h"

namespace tidegate::net {
namespace {

TEST(ParseUrlTest, FillsInTheSchemesPort) {
  EXPECT_EQ(ParseUrl("http://a").value(), (Url{.host = "a", .path = "", .query = ""}));
  EXPECT_EQ(ParseUrl("https://a/").value(),
            (Url{.tls = true, .host = "a", .port = 443, .path = "/", .query = ""}));
}

TEST(ParseUrlTest, TakesPortPathAndQueryApart) {
  const Url url = ParseUrl("http://prom.example:9090/base/x?y=1&z").value();
  EXPECT_EQ(url.host, "prom.example");
  EXPECT_EQ(url.port, 9090);
  EXPECT_EQ(url.path, "/base/x");
  EXPECT_EQ(url.query, "y=1&z");
}

TEST(ParseUrlTest, TakesIpv6OutOfItsBrackets) {
  const Url url = ParseUrl("http://[::1]:8080").value();
  EXPECT_EQ(url.host, "::1");
  EXPECT_EQ(url.port, 8080);
  EXPECT_EQ(Authority(url), "[::1]:8080");
}

TEST(ParseUrlTest, RoundTrips) {
  for (const char* text : {"http://a", "https://a:80/b?c=d", "http://[::1]:8080/", "http://a?q"}) {
    EXPECT_EQ(ToString(ParseUrl(text).value()), text);
  }
}

TEST(ParseUrlTest, RefusesEverythingElse) {
  for (const char* bad : {"", "a", "ftp://a", "http://", "http://:80", "http://a:", "http://a:0",
                          "http://a:65536", "http://a:8x", "http://[::1", "http://[::1]x",
                          "http://a b", "http://a/#f", "http://a/\r\nX: y", "http://[zz]"}) {
    EXPECT_FALSE(ParseUrl(bad).has_value()) << bad;
  }
}

TEST(ParseUrlTest, RefusesAPasswordWithoutRepeatingIt) {
  const auto url = ParseUrl("http://user:hush@a");
  ASSERT_FALSE(url.has_value());
  EXPECT_THAT(url.error().message, testing::Not(testing::HasSubstr("hush")));
}

TEST(ParametersTest, RoundTripThroughATarget) {
  const Parameters parameters = {{"query", "sum(rate(x[1m])) + 1"}, {"a b", "c&d=e"}, {"e", ""}};
  const Target target = ParseTarget("/api?" + EncodeParameters(parameters)).value();
  EXPECT_EQ(target.path, "/api");
  EXPECT_EQ(target.parameters, parameters);
  EXPECT_EQ(*FindParameter(target.parameters, "a b"), "c&d=e");
  EXPECT_EQ(FindParameter(target.parameters, "z"), nullptr);
}

TEST(ParseTargetTest, RefusesABadEscape) {
  for (const char* bad : {"/%", "/%2", "/%zz", "/?a=%f"}) {
    EXPECT_FALSE(ParseTarget(bad).has_value()) << bad;
  }
}

TEST(HeadersTest, CompareNamesWithoutCase) {
  const Headers headers = {{"Content-Type", "a"}, {"content-type", "b"}};
  EXPECT_EQ(*FindHeader(headers, "CONTENT-TYPE"), "a");
  EXPECT_EQ(FindHeader(headers, "Content"), nullptr);
}

}  // namespace
}  // namespace tidegate::net
