#include "traces/net/gzip.h"

#include <string>

#include <gtest/gtest.h>
#include <zlib.h>

#include "traces/net/http_client.h"
#include "traces/net/http_server.h"

namespace tidegate::net {
namespace {

std::string Gzip(std::string text) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

TEST(GunzipTest, UnpacksWhatWasPacked) {
  const std::string text(100'000, 'x');
  EXPECT_EQ(Gunzip(Gzip(text), 100'000).value(), text);
  EXPECT_EQ(Gunzip(Gzip(""), 0).value(), "");
}

TEST(GunzipTest, StopsAtItsBound) {
  EXPECT_EQ(Gunzip(Gzip(std::string(100'001, 'x')), 100'000).error().code, ErrorCode::kTooLarge);
}

TEST(GunzipTest, RefusesDamagedAndShortInput) {
  const std::string packed = Gzip("hello, hello, hello");
  EXPECT_EQ(Gunzip("plain", 100).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(Gunzip("", 100).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(Gunzip(packed.substr(0, packed.size() - 4), 100).error().code, ErrorCode::kInvalid);
}

TEST(HttpClientGzipTest, AsksForGzipAndUnpacksItWithinTheBodyBound) {
  const auto server = HttpServer::Start({}, [](const HttpRequest& request) {
                        const std::string* accept = FindHeader(request.headers, "Accept-Encoding");
                        if (accept == nullptr) return MakeResponse(200, "text/plain", "plain");
                        HttpResponse response =
                            MakeResponse(200, "text/plain", Gzip(std::string(5000, 'x')));
                        response.headers.push_back({"Content-Encoding", "gzip"});
                        return response;
                      }).value();
  const Url url = ParseUrl(server->url()).value();
  HttpClient client = HttpClient::Create(url, {}).value();
  EXPECT_EQ(client.Send({}, std::chrono::seconds(5)).value().body, std::string(5000, 'x'));

  HttpClientOptions bounded;
  bounded.max_body_bytes = 4999;  // the packed body is far smaller
  HttpClient strict = HttpClient::Create(url, bounded).value();
  EXPECT_EQ(strict.Send({}, std::chrono::seconds(5)).error().code, ErrorCode::kTooLarge);

  HttpClientOptions plain;
  plain.accept_gzip = false;
  HttpClient without = HttpClient::Create(url, plain).value();
  EXPECT_EQ(without.Send({}, std::chrono::seconds(5)).value().body, "plain");
}

}  // namespace
}  // namespace tidegate::net
