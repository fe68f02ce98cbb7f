#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "tests/unit/traces/raw_server.h"
#include "traces/net/http_client.h"
#include "traces/net/http_server.h"

namespace tidegate::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

HttpClient MakeClient(const std::string& url, HttpClientOptions options = {}) {
  return HttpClient::Create(ParseUrl(url).value(), std::move(options)).value();
}

std::unique_ptr<HttpServer> Serve(HttpHandler handler, HttpServerOptions options = {}) {
  return HttpServer::Start(std::move(options), std::move(handler)).value();
}

// A server whose requests are never answered in time stops at once.
HttpServerOptions StopsAtOnce() {
  HttpServerOptions options;
  options.stop_grace = milliseconds(0);
  return options;
}

HttpResponse Echo(const HttpRequest& request) {
  return MakeResponse(200, "text/plain",
                      request.method + " " + request.target + " " + request.body);
}

HttpResponse OkResponse(const HttpRequest&) { return MakeResponse(200, "text/plain", "ok"); }

TEST(HttpTest, CarriesMethodTargetHeadersAndBody) {
  std::string seen;
  const auto server = Serve([&](const HttpRequest& request) {
    const std::string* header = FindHeader(request.headers, "x-color");
    seen = header ? *header : "";
    return Echo(request);
  });
  HttpClient client = MakeClient(server->url() + "/base/");
  const auto response = client.Send(
      {.method = "POST", .target = "/a?b=1", .headers = {{"X-Color", "blue"}}, .body = "hello"},
      seconds(5));
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "POST /base/a?b=1 hello");
  EXPECT_EQ(*FindHeader(response->headers, "content-type"), "text/plain");
  EXPECT_EQ(seen, "blue");
}

TEST(HttpTest, ReturnsAnyStatusAsASuccess) {
  const auto server =
      Serve([](const HttpRequest&) { return MakeResponse(503, "text/plain", "no"); });
  HttpClient client = MakeClient(server->url());
  EXPECT_EQ(client.Send({}, seconds(5)).value().status, 503);
}

TEST(HttpTest, HeadHasALengthAndNoBody) {
  const auto server = Serve(OkResponse);
  HttpClient client = MakeClient(server->url());
  for (int i = 0; i < 2; ++i) {
    const auto response = client.Send({.method = "HEAD", .headers = {}, .body = ""}, seconds(5));
    ASSERT_TRUE(response.has_value());
    EXPECT_EQ(response->body, "");
    EXPECT_EQ(*FindHeader(response->headers, "Content-Length"), "2");
  }
}

TEST(HttpClientTest, ReusesItsConnection) {
  const auto server = Serve(OkResponse);
  HttpClient client = MakeClient(server->url());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(client.Send({}, seconds(5)).has_value());
  EXPECT_EQ(client.counts().connections, 1U);
  EXPECT_EQ(client.counts().requests, 5U);
}

TEST(HttpClientTest, OpensANewConnectionWhenTheKeptOneWasClosedWhileIdle) {
  // Each connection serves one request, promises to stay open, and closes.
  const RawServer server([](int descriptor, int) {
    ReadRequestHeader(descriptor);
    WriteAll(descriptor, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  HttpClient client = MakeClient(server.url());
  for (int i = 0; i < 3; ++i) {
    const auto response = client.Send({}, seconds(5));
    ASSERT_TRUE(response.has_value()) << response.error().message;
    EXPECT_EQ(response->body, "ok");
  }
  EXPECT_EQ(client.counts().connections, 3U);
}

// Answers the first request on a connection; on the second one, hangs up without a byte.
void AnswerOnceThenHangUp(int descriptor, int) {
  ReadRequestHeader(descriptor);
  WriteAll(descriptor, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  ReadRequestHeader(descriptor);
}

TEST(HttpClientTest, SendsAnIdempotentRequestAgainWhenTheKeptConnectionIsLost) {
  const RawServer server(AnswerOnceThenHangUp);
  HttpClient client = MakeClient(server.url());
  ASSERT_TRUE(client.Send({}, seconds(5)).has_value());
  const auto second = client.Send({}, seconds(5));
  ASSERT_TRUE(second.has_value()) << second.error().message;
  EXPECT_EQ(client.counts().reconnects, 1U);
}

TEST(HttpClientTest, NeverSendsAPostTwice) {
  const RawServer server(AnswerOnceThenHangUp);
  HttpClient client = MakeClient(server.url());
  ASSERT_TRUE(client.Send({}, seconds(5)).has_value());
  const auto second = client.Send({.method = "POST", .headers = {}, .body = ""}, seconds(5));
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(client.counts().reconnects, 0U);
}

TEST(HttpClientTest, GivesUpAtTheDeadline) {
  const auto server =
      HttpServer::StartAsync(StopsAtOnce(), [](const HttpRequest&, Responder responder) {
        responder.SendAfter(seconds(20), MakeResponse(200, "text/plain", "late"));
      }).value();
  HttpClient client = MakeClient(server->url());
  const auto started = std::chrono::steady_clock::now();
  const auto response = client.Send({}, milliseconds(100));
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, ErrorCode::kTimeout);
  EXPECT_LT(std::chrono::steady_clock::now() - started, seconds(5));
}

TEST(HttpClientTest, WorksAgainAfterATimeout) {
  std::atomic<int> calls = 0;
  const auto server =
      HttpServer::StartAsync(StopsAtOnce(), [&](const HttpRequest&, Responder responder) {
        responder.SendAfter(calls++ == 0 ? seconds(20) : seconds(0),
                            MakeResponse(200, "text/plain", "ok"));
      }).value();
  HttpClient client = MakeClient(server->url());
  EXPECT_FALSE(client.Send({}, milliseconds(100)).has_value());
  EXPECT_EQ(client.Send({}, seconds(5)).value().body, "ok");
}

TEST(HttpClientTest, RefusesABodyOverItsBound) {
  const auto server = Serve(
      [](const HttpRequest&) { return MakeResponse(200, "text/plain", std::string(2000, 'x')); });
  HttpClientOptions options;
  options.max_body_bytes = 1000;
  HttpClient client = MakeClient(server->url(), options);
  const auto response = client.Send({}, seconds(5));
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, ErrorCode::kTooLarge);
}

TEST(HttpClientTest, RefusesAHeaderOverItsBound) {
  const auto server = Serve([](const HttpRequest&) {
    HttpResponse response = MakeResponse(200, "text/plain", "ok");
    response.headers.push_back({"X-Long", std::string(5000, 'x')});
    return response;
  });
  HttpClientOptions options;
  options.max_header_bytes = 1000;
  HttpClient client = MakeClient(server->url(), options);
  const auto response = client.Send({}, seconds(5));
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, ErrorCode::kTooLarge);
}

TEST(HttpClientTest, TakesABodyCutShortForAFailure) {
  const RawServer server([](int descriptor, int) {
    ReadRequestHeader(descriptor);
    WriteAll(descriptor, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  });
  HttpClient client = MakeClient(server.url());
  const auto response = client.Send({}, seconds(5));
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(response.error().message, HasSubstr("cut short"));
}

TEST(HttpClientTest, ReportsWhatIsNotHttp) {
  const RawServer server([](int descriptor, int) {
    ReadRequestHeader(descriptor);
    WriteAll(descriptor, "SSH-2.0-hello\r\n\r\n");
  });
  HttpClient client = MakeClient(server.url());
  const auto response = client.Send({}, seconds(5));
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, ErrorCode::kInvalid);
}

TEST(HttpClientTest, ReadsChunkedBodiesAndSkipsInterimResponses) {
  const RawServer server([](int descriptor, int) {
    ReadRequestHeader(descriptor);
    WriteAll(descriptor,
             "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: "
             "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  });
  HttpClient client = MakeClient(server.url());
  const auto response = client.Send({}, seconds(5));
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->body, "abcde");
}

TEST(HttpClientTest, SaysThatNobodyListens) {
  std::string url;
  {
    const auto server = Serve(OkResponse);
    url = server->url();
  }
  HttpClient client = MakeClient(url);
  const auto response = client.Send({}, seconds(5));
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(response.error().message, HasSubstr("connecting to 127.0.0.1:"));
}

TEST(HttpClientTest, RefusesToSendALineBreakInAHeader) {
  const auto server = Serve(OkResponse);
  HttpClient client = MakeClient(server->url());
  const auto response = client.Send({.headers = {{"X-A", "1\r\nX-B: 2"}}, .body = ""}, seconds(5));
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, ErrorCode::kInvalid);
}

TEST(HttpServerTest, AnswersAHandlerExceptionWith500) {
  const auto server =
      Serve([](const HttpRequest&) -> HttpResponse { throw std::runtime_error("secret"); });
  HttpClient client = MakeClient(server->url());
  const auto response = client.Send({}, seconds(5)).value();
  EXPECT_EQ(response.status, 500);
  EXPECT_THAT(response.body, testing::Not(HasSubstr("secret")));
}

TEST(HttpServerTest, AnswersAForgottenRequestWith500) {
  const auto server = HttpServer::StartAsync({}, [](const HttpRequest&, Responder) {}).value();
  HttpClient client = MakeClient(server->url());
  EXPECT_EQ(client.Send({}, seconds(5)).value().status, 500);
}

TEST(HttpServerTest, RefusesABodyOverItsBoundWith413) {
  HttpServerOptions options;
  options.max_body_bytes = 1000;
  const auto server = Serve(OkResponse, options);
  HttpClient client = MakeClient(server->url());
  const auto response = client.Send(
      {.method = "POST", .headers = {}, .body = std::string(3'000'000, 'x')}, seconds(5));
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->status, 413);
}

TEST(HttpServerTest, RefusesAHeaderOverItsBoundWith431) {
  const auto server = Serve(OkResponse);
  HttpClient client = MakeClient(server->url());
  const auto response =
      client.Send({.headers = {{"X-Long", std::string(20'000, 'x')}}, .body = ""}, seconds(5));
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->status, 431);
}

TEST(HttpServerTest, SaysThatItsPortIsTaken) {
  const auto first = Serve(OkResponse);
  HttpServerOptions options;
  options.port = first->port();
  const auto second = HttpServer::Start(options, OkResponse);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
}

TEST(HttpServerTest, AnswersManyWaitingRequestsOnOneThread) {
  const auto server = HttpServer::StartAsync({}, [](const HttpRequest&, Responder responder) {
                        responder.SendAfter(milliseconds(200), MakeResponse(200, "a/b", "ok"));
                      }).value();
  const auto started = std::chrono::steady_clock::now();
  std::vector<std::future<bool>> answers;
  for (int i = 0; i < 10; ++i) {
    answers.push_back(std::async(std::launch::async, [&server] {
      HttpClient client = MakeClient(server->url());
      return client.Send({}, seconds(10)).has_value();
    }));
  }
  for (auto& answer : answers) EXPECT_TRUE(answer.get());
  EXPECT_LT(std::chrono::steady_clock::now() - started, milliseconds(1900));
}

TEST(HttpServerTest, StopLetsARequestInProgressFinish) {
  std::promise<void> entered;
  const auto server =
      HttpServer::StartAsync({}, [&entered](const HttpRequest&, Responder responder) {
        responder.SendAfter(milliseconds(100), MakeResponse(200, "text/plain", "done"));
        entered.set_value();
      }).value();
  auto answer = std::async(std::launch::async, [&server] {
    HttpClient client = MakeClient(server->url());
    return client.Send({}, seconds(5));
  });
  entered.get_future().wait();
  server->Stop();
  const auto response = answer.get();
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->body, "done");
}

TEST(HttpServerTest, StopEndsARequestThatIsNeverAnswered) {
  HttpServerOptions options;
  options.stop_grace = milliseconds(50);
  std::promise<Responder> kept;
  auto server = HttpServer::StartAsync(options, [&kept](const HttpRequest&, Responder responder) {
                  kept.set_value(responder);
                }).value();
  auto answer = std::async(std::launch::async, [&server] {
    HttpClient client = MakeClient(server->url());
    return client.Send({}, seconds(5));
  });
  Responder responder = kept.get_future().get();
  server->Stop();
  EXPECT_FALSE(answer.get().has_value());
  server.reset();
  responder.Send({});  // harmless after the server is gone
}

TEST(HttpServerTest, HoldsConnectionsPastItsLimitInTheQueue) {
  HttpServerOptions options;
  options.max_connections = 1;
  const auto server = Serve(OkResponse, options);
  auto first = std::make_unique<HttpClient>(MakeClient(server->url()));
  ASSERT_TRUE(first->Send({}, seconds(5)).has_value());
  HttpClient second = MakeClient(server->url());
  EXPECT_FALSE(second.Send({}, milliseconds(100)).has_value());
  first.reset();  // makes room
  EXPECT_TRUE(second.Send({}, seconds(5)).has_value());
}

TEST(HttpServerTest, ClosesAConnectionThatSendsNothing) {
  HttpServerOptions options;
  options.read_timeout = milliseconds(50);
  options.max_connections = 1;
  const auto server = Serve(OkResponse, options);
  const int silent = ConnectTo(server->port());
  char byte = 0;
  EXPECT_EQ(recv(silent, &byte, 1, 0), 0);  // end of stream, from the server's side
  CloseDescriptor(silent);
}

// A directory of its own that is removed at the end.
class TempDir {
 public:
  TempDir() : path_(testing::TempDir() + "tidegate_net_XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("mkdtemp");
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() { std::filesystem::remove_all(path_); }
  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ + "/" + name) << text;
    return path_ + "/" + name;
  }

 private:
  std::string path_;
};

HttpResponse ShowAuthorization(const HttpRequest& request) {
  const std::string* value = FindHeader(request.headers, "Authorization");
  return MakeResponse(200, "text/plain", value ? *value : "none");
}

TEST(CredentialsTest, ReadsTheBearerTokenAgainForEachRequest) {
  const TempDir dir;
  const auto server = Serve(ShowAuthorization);
  HttpClientOptions options;
  options.credentials.bearer_token_file = dir.Write("token", "one\n");
  HttpClient client = MakeClient(server->url(), options);
  EXPECT_EQ(client.Send({}, seconds(5)).value().body, "Bearer one");
  dir.Write("token", "two\n");
  EXPECT_EQ(client.Send({}, seconds(5)).value().body, "Bearer two");
}

TEST(CredentialsTest, EncodesBasicAuthentication) {
  const TempDir dir;
  const auto server = Serve(ShowAuthorization);
  HttpClientOptions options;
  options.credentials.basic_username = "Aladdin";
  options.credentials.basic_password_file = dir.Write("password", "open sesame");
  HttpClient client = MakeClient(server->url(), options);
  // The example of RFC 7617.
  EXPECT_EQ(client.Send({}, seconds(5)).value().body, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

TEST(CredentialsTest, RefusesASecretWithALineBreakWithoutShowingIt) {
  const TempDir dir;
  const auto value =
      AuthorizationValue({.bearer_token_file = dir.Write("token", "hush\nX-Evil: 1\n"),
                          .basic_username = "",
                          .basic_password_file = ""});
  ASSERT_FALSE(value.has_value());
  EXPECT_EQ(value.error().code, ErrorCode::kDenied);
  EXPECT_THAT(value.error().message, testing::Not(HasSubstr("hush")));
}

TEST(CredentialsTest, RefusesAMissingFile) {
  HttpClientOptions options;
  options.credentials.bearer_token_file = "/nonexistent/token";
  HttpClient client = MakeClient("http://127.0.0.1:1", options);
  const auto response = client.Send({}, seconds(1));
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, ErrorCode::kDenied);
}

TEST(CredentialsTest, RefusesTwoWaysAtOnce) {
  HttpClientOptions options;
  options.credentials = {
      .bearer_token_file = "a", .basic_username = "b", .basic_password_file = "c"};
  EXPECT_FALSE(HttpClient::Create(ParseUrl("http://a").value(), options).has_value());
}

}  // namespace
}  // namespace tidegate::net
