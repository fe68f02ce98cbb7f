#include "traces/format/prometheus_response.h"

#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate::traces {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<std::string> kLabels{"namespace", "gateway"};

Expected<Response> Parse(const std::string& body, const ResponseLimits& limits = {}) {
  return ParseResponse(body, kLabels, limits);
}

std::string Success(const std::string& type, const std::string& result) {
  return R"({"status":"success","data":{"resultType":")" + type + R"(","result":)" + result + "}}";
}

std::vector<double> Values(const ResponseSeries& series) {
  std::vector<double> values;
  for (const signals::Sample& sample : series.samples) values.push_back(sample.value);
  return values;
}

// The message of an answer that must be refused.
std::string Refusal(const std::string& body, const ResponseLimits& limits = {}) {
  const auto response = Parse(body, limits);
  return response ? "accepted" : response.error().message;
}

TEST(PrometheusResponse, ReadsAMatrixWithTheLabelsAskedFor) {
  const auto response =
      Parse(Success("matrix", R"([{"metric":{"gateway":"edge","x":"y","namespace":"shop"},)"
                              R"("values":[[1700000000.5,"1"],[1700000005.5,"2.5"]]},)"
                              R"({"metric":{},"values":[[1700000001,"7"]]}])"));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->type, ResponseType::kMatrix);
  ASSERT_EQ(response->series.size(), 2u);
  EXPECT_THAT(response->series[0].labels, ElementsAre("shop", "edge"));
  EXPECT_THAT(Values(response->series[0]), ElementsAre(1, 2.5));
  EXPECT_EQ(UnixMillis(response->series[0].samples[0].at), 1'700'000'000'500);
  EXPECT_THAT(response->series[1].labels, ElementsAre("", ""));
}

TEST(PrometheusResponse, ReadsAVectorAndAScalar) {
  const auto vector =
      Parse(Success("vector", R"([{"metric":{"gateway":"edge"},"value":[1700000000,"3"]}])"));
  ASSERT_TRUE(vector) << vector.error().message;
  EXPECT_THAT(Values(vector->series.at(0)), ElementsAre(3));
  const auto scalar = Parse(Success("scalar", R"([1700000000,"4"])"));
  ASSERT_TRUE(scalar) << scalar.error().message;
  EXPECT_EQ(scalar->type, ResponseType::kScalar);
  EXPECT_THAT(Values(scalar->series.at(0)), ElementsAre(4));
  EXPECT_THAT(scalar->series.at(0).labels, ElementsAre("", ""));
}

TEST(PrometheusResponse, AnEmptyResultIsNoError) {
  for (const char* type : {"matrix", "vector"}) {
    const auto response = Parse(Success(type, "[]"));
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_TRUE(response->series.empty());
  }
}

TEST(PrometheusResponse, TheOrderOfMembersDoesNotMatter) {
  const auto response =
      Parse(R"({"data":{"result":[{"values":[[1,"2"]],"metric":{"gateway":"edge"}}],)"
            R"("resultType":"matrix"},"warnings":["a",["b"]],"status":"success"} )"
            "\n");
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_THAT(response->series.at(0).labels, ElementsAre("", "edge"));
  EXPECT_THAT(Values(response->series.at(0)), ElementsAre(2));
}

TEST(PrometheusResponse, NaNAndInfinityAreValues) {
  const auto response = Parse(
      Success("matrix", R"([{"metric":{},"values":[[1,"NaN"],[2,"+Inf"],[3,"-Inf"],[4,5]]}])"));
  ASSERT_TRUE(response) << response.error().message;
  const auto values = Values(response->series.at(0));
  ASSERT_EQ(values.size(), 4u);
  EXPECT_TRUE(std::isnan(values[0]));
  EXPECT_EQ(values[1], INFINITY);
  EXPECT_EQ(values[2], -INFINITY);
  EXPECT_EQ(values[3], 5);
}

TEST(PrometheusResponse, SamplesThatAreNotLaterAreLeftOut) {
  const auto response =
      Parse(Success("matrix", R"([{"metric":{},"values":[[2,"1"],[1,"8"],[2,"9"],[3,"2"]]}])"));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_THAT(Values(response->series.at(0)), ElementsAre(1, 2));
}

TEST(PrometheusResponse, AnErrorOfPrometheusKeepsItsMessage) {
  const auto timeout =
      Parse(R"({"status":"error","errorType":"timeout","error":"query timed out"})");
  ASSERT_FALSE(timeout);
  EXPECT_EQ(timeout.error().code, ErrorCode::kTimeout);
  const auto bad = Parse(R"({"status":"error","errorType":"bad_data","error":"parse error"})");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(bad.error().message, HasSubstr("bad_data"));
  EXPECT_THAT(bad.error().message, HasSubstr("parse error"));
}

TEST(PrometheusResponse, WhatIsNotAnAnswerIsRefusedWithAReason) {
  EXPECT_THAT(Refusal("<html>"), HasSubstr("not understood"));
  EXPECT_THAT(Refusal(""), HasSubstr("not understood"));
  EXPECT_THAT(Refusal("[]"), HasSubstr("not an object"));
  EXPECT_THAT(Refusal("{}"), HasSubstr("no status"));
  EXPECT_THAT(Refusal(R"({"status":"success"})"), HasSubstr("no data"));
  EXPECT_THAT(Refusal(R"({"status":"success","data":{}})"), HasSubstr("no result"));
  EXPECT_THAT(Refusal(Success("string", "[]")), HasSubstr("no result of a known type"));
  EXPECT_THAT(Refusal(Success("vector", "[]") + "x"), HasSubstr("not understood"));
}

TEST(PrometheusResponse, WhatIsNotASeriesOrASampleIsRefused) {
  EXPECT_THAT(Refusal(Success("matrix", "[1]")), HasSubstr("not understood"));
  EXPECT_THAT(Refusal(Success("matrix", "[null]")), HasSubstr("no object"));
  EXPECT_THAT(Refusal(Success("matrix", R"([{"metric":{}}])")), HasSubstr("without values"));
  EXPECT_THAT(Refusal(Success("vector", R"([{"metric":{},"values":[[1,"2"]]}])")),
              HasSubstr("without a [time, value] pair"));
  for (const char* pair : {"[1]", R"([1,"2",3])", R"(["1","2"])", R"([1,"x"])", R"([1,null])",
                           R"([1e300,"1"])", "[1,[2]]", "[]", "7", "{}"}) {
    const std::string values = std::string(R"([{"metric":{},"values":[)") + pair + "]}]";
    EXPECT_THAT(Refusal(Success("matrix", values)), HasSubstr("[time, value] pair")) << pair;
  }
  EXPECT_THAT(Refusal(Success("scalar", "[]")), HasSubstr("scalar"));
}

TEST(PrometheusResponse, TooMuchIsRefused) {
  const std::string series = R"({"metric":{},"values":[[1,"1"],[2,"2"]]})";
  const std::string body = Success("matrix", "[" + series + "," + series + "]");
  EXPECT_EQ(Refusal(body, {.series = 2, .samples_per_series = 2}), "accepted");
  EXPECT_THAT(Refusal(body, {.series = 1, .samples_per_series = 2}),
              HasSubstr("more than 1 series"));
  EXPECT_THAT(Refusal(body, {.series = 2, .samples_per_series = 1}),
              HasSubstr("more than 1 samples"));
  const std::string deep(20, '[');
  EXPECT_THAT(Refusal(R"({"status":)" + deep), HasSubstr("not understood"));
}

}  // namespace
}  // namespace tidegate::traces
