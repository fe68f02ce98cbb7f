#include "traces/net/http_client.h"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/connect.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include "policies/base/check.h"
#include "traces/net/gzip.h"

namespace tidegate::net {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using SteadyClock = std::chrono::steady_clock;
using Deadline = SteadyClock::time_point;
using Socket = asio::generic::stream_protocol::socket;
using Endpoint = asio::generic::stream_protocol::endpoint;
using TlsStream = asio::ssl::stream<Socket&>;
using BeastRequest = http::request<http::string_body>;
using Parser = http::response_parser<http::string_body>;

// A pending asynchronous operation. Shared with its handler, so that an operation that cannot be
// interrupted (name resolution) may outlive our interest in it.
struct Operation {
  bool done = false;
  error_code error;
};

// What became of one request on one connection.
struct Exchanged {
  error_code error;
  const char* stage = "";     // what failed, for the message
  bool any_response = false;  // at least one byte came back
};

bool IsTimeout(const error_code& error) { return error == asio::error::timed_out; }

bool IsLost(const error_code& error) {
  return error == asio::error::connection_reset || error == asio::error::broken_pipe ||
         error == asio::error::eof || error == http::error::end_of_stream ||
         error == asio::ssl::error::stream_truncated;
}

std::string Describe(const error_code& error) {
  if (error == http::error::end_of_stream || error == asio::error::eof ||
      error == asio::ssl::error::stream_truncated) {
    return "the server closed the connection";
  }
  if (error == http::error::partial_message) return "the response was cut short";
  if (error == http::error::body_limit) return "the body is larger than allowed";
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return "the header is larger than allowed";
  }
  return error.message();
}

ErrorCode CodeOf(const error_code& error) {
  if (IsTimeout(error)) return ErrorCode::kTimeout;
  if (error == http::error::body_limit || error == http::error::header_limit ||
      error == http::error::buffer_overflow) {
    return ErrorCode::kTooLarge;
  }
  const bool from_parser =
      error.category() == make_error_code(http::error::end_of_stream).category();
  const bool connection_ended =
      error == http::error::end_of_stream || error == http::error::partial_message;
  return from_parser && !connection_ended ? ErrorCode::kInvalid : ErrorCode::kUnavailable;
}

std::filesystem::file_time_type ChangedAt(const std::string& file) {
  std::error_code ignored;
  return file.empty() ? std::filesystem::file_time_type::min()
                      : std::filesystem::last_write_time(file, ignored);
}

// The configured TLS files, read again when one of them changes: certificates rotate.
class TlsFiles {
 public:
  explicit TlsFiles(TlsOptions options) : options_(std::move(options)) {}

  Expected<TlsContext> Get() {
    const std::vector<std::filesystem::file_time_type> changed = {
        ChangedAt(options_.ca_file), ChangedAt(options_.cert_file), ChangedAt(options_.key_file)};
    if (context_ && changed == changed_) return context_;
    TIDEGATE_TRY(context_, MakeTlsContext(options_));
    changed_ = changed;
    return context_;
  }

 private:
  TlsOptions options_;
  TlsContext context_;
  std::vector<std::filesystem::file_time_type> changed_;
};

}  // namespace

class HttpClient::Impl {
 public:
  Impl(Url base, HttpClientOptions options)
      : base_(std::move(base)), options_(std::move(options)), tls_files_(options_.tls) {
    while (base_.path.ends_with('/')) base_.path.pop_back();
    peer_ = options_.unix_socket.empty() ? Authority(base_) : options_.unix_socket;
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { Close(); }

  Expected<void> Check() {
    TIDEGATE_TRY_VOID(CheckCredentials(options_.credentials));
    if (!base_.query.empty()) {
      return Fail(ErrorCode::kInvalid, ToString(base_) + " is a base URL and must have no query");
    }
    if (base_.tls) TIDEGATE_TRY_VOID(tls_files_.Get());
    return {};
  }

  Expected<HttpResponse> Send(const HttpRequest& request, Duration budget);
  HttpClientCounts counts() const { return counts_; }
  const Url& base() const { return base_; }

 private:
  Expected<BeastRequest> Build(const HttpRequest& request) const;
  Expected<void> Connect(Deadline deadline);
  Expected<std::vector<Endpoint>> Resolve(Deadline deadline);
  Expected<void> Handshake(Deadline deadline);
  bool CanReuse();
  void Close();
  Error ToError(const error_code& error, std::string_view stage) const;
  Expected<HttpResponse> Finish(Parser& parser);

  bool Run(Operation& operation, Deadline deadline);
  template <class Start>
  error_code Await(Deadline deadline, Start start);
  template <class Stream>
  Exchanged Exchange(Stream& stream, const BeastRequest& request, std::optional<Parser>& parser,
                     Deadline deadline);

  Url base_;
  HttpClientOptions options_;
  std::string peer_;
  TlsFiles tls_files_;
  HttpClientCounts counts_;
  asio::io_context io_{1};
  asio::ip::tcp::resolver resolver_{io_};
  Socket socket_{io_};
  std::optional<asio::ssl::context> tls_context_;
  std::optional<TlsStream> tls_;
  boost::beast::flat_buffer buffer_;
  SteadyClock::time_point last_used_;
};

// True if the operation ended before the deadline.
bool HttpClient::Impl::Run(Operation& operation, Deadline deadline) {
  io_.restart();
  while (!operation.done && SteadyClock::now() < deadline) io_.run_one_until(deadline);
  return operation.done;
}

// Starts an operation on the socket and waits for it. At the deadline the socket is closed, which
// ends whatever is pending on it, and the result is timed_out.
template <class Start>
error_code HttpClient::Impl::Await(Deadline deadline, Start start) {
  const auto operation = std::make_shared<Operation>();
  start([operation](error_code error, auto&&...) {
    operation->done = true;
    operation->error = error;
  });
  if (Run(*operation, deadline)) return operation->error;
  error_code ignored;
  socket_.close(ignored);
  while (!operation->done) io_.run_one();
  return asio::error::timed_out;
}

Error HttpClient::Impl::ToError(const error_code& error, std::string_view stage) const {
  if (IsTimeout(error)) {
    return {ErrorCode::kTimeout, fmt::format("{} {}: the deadline passed", stage, peer_)};
  }
  return {CodeOf(error), fmt::format("{} {}: {}", stage, peer_, Describe(error))};
}

Expected<std::vector<Endpoint>> HttpClient::Impl::Resolve(Deadline deadline) {
  std::vector<Endpoint> endpoints;
  if (!options_.unix_socket.empty()) {
    if (options_.unix_socket.size() > 100) {
      return Fail(ErrorCode::kInvalid, "the socket path " + peer_ + " is too long");
    }
    endpoints.emplace_back(asio::local::stream_protocol::endpoint(options_.unix_socket));
    return endpoints;
  }
  error_code not_an_address;
  const auto address = asio::ip::make_address(base_.host, not_an_address);
  if (!not_an_address) {
    endpoints.emplace_back(asio::ip::tcp::endpoint(address, base_.port));
    return endpoints;
  }
  // getaddrinfo cannot be interrupted. At the deadline we leave it to finish by itself; the shared
  // state lives as long as its handler.
  const auto operation = std::make_shared<Operation>();
  const auto found = std::make_shared<asio::ip::tcp::resolver::results_type>();
  resolver_.async_resolve(base_.host, std::to_string(base_.port),
                          [operation, found](error_code error, auto results) {
                            operation->done = true;
                            operation->error = error;
                            *found = std::move(results);
                          });
  if (!Run(*operation, deadline)) {
    resolver_.cancel();
    return Fail(ToError(asio::error::timed_out, "resolving"));
  }
  if (operation->error) return Fail(ToError(operation->error, "resolving"));
  for (const auto& entry : *found) endpoints.emplace_back(entry.endpoint());
  return endpoints;
}

Expected<void> HttpClient::Impl::Handshake(Deadline deadline) {
  TIDEGATE_TRY(const TlsContext context, tls_files_.Get());
  SSL_CTX_up_ref(context.get());  // asio's context frees its handle
  tls_context_.emplace(context.get());
  tls_.emplace(socket_, *tls_context_);
  const std::string& name =
      options_.tls.server_name.empty() ? base_.host : options_.tls.server_name;
  TIDEGATE_TRY_VOID(ExpectTlsPeer(tls_->native_handle(), name, !options_.tls.insecure_skip_verify));
  const error_code error = Await(deadline, [this](auto handler) {
    tls_->async_handshake(asio::ssl::stream_base::client, std::move(handler));
  });
  if (!error) return {};
  const std::string refused = TlsVerifyProblem(tls_->native_handle());
  if (!refused.empty() && !options_.tls.insecure_skip_verify && !IsTimeout(error)) {
    return Fail(ErrorCode::kDenied,
                fmt::format("the certificate of {} as {} was refused: {}", peer_, name, refused));
  }
  return Fail(ToError(error, "TLS handshake with"));
}

Expected<void> HttpClient::Impl::Connect(Deadline deadline) {
  Close();
  TIDEGATE_TRY(const auto endpoints, Resolve(deadline));
  error_code error = asio::error::host_not_found;
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    // An address that swallows packets must not use up the time of those after it.
    const auto now = SteadyClock::now();
    const auto share = (deadline - now) / static_cast<std::int64_t>(endpoints.size() - i);
    error_code ignored;
    socket_.close(ignored);
    error = Await(now + share,
                  [&](auto handler) { socket_.async_connect(endpoints[i], std::move(handler)); });
    if (!error) break;
  }
  if (error) return Fail(ToError(error, "connecting to"));
  ++counts_.connections;
  error_code not_tcp;
  socket_.set_option(asio::ip::tcp::no_delay(true), not_tcp);
  if (!base_.tls) return {};
  auto shaken = Handshake(deadline);
  if (!shaken) Close();
  return shaken;
}

// A kept connection on which something can be read has been closed by the server, or holds bytes
// that nobody asked for.
bool HttpClient::Impl::CanReuse() {
  if (!socket_.is_open() || buffer_.size() != 0) return false;
  if (SteadyClock::now() - last_used_ > options_.max_idle) return false;
  if (tls_) return true;  // session tickets may be readable; a closed one shows when writing
  char byte = 0;
  error_code error;
  socket_.non_blocking(true, error);
  socket_.receive(asio::buffer(&byte, 1), Socket::message_peek, error);
  return error == asio::error::would_block || error == asio::error::try_again;
}

void HttpClient::Impl::Close() {
  error_code ignored;
  tls_.reset();
  tls_context_.reset();
  socket_.close(ignored);
  buffer_.clear();
}

Expected<BeastRequest> HttpClient::Impl::Build(const HttpRequest& request) const {
  HttpRequest full = request;
  full.target = base_.path + request.target;
  full.headers.insert(full.headers.begin(), options_.headers.begin(), options_.headers.end());
  TIDEGATE_TRY(const std::string authorization, AuthorizationValue(options_.credentials));
  if (!authorization.empty()) full.headers.push_back({"Authorization", authorization});
  if (!IsSafeToSend(full)) {
    return Fail(ErrorCode::kInvalid,
                "the request's method, target or a header has a character that must not be sent");
  }
  BeastRequest built;
  built.version(11);
  built.method_string(full.method);
  built.target(full.target);
  built.set(http::field::host, Authority(base_));
  built.set(http::field::user_agent, options_.user_agent);
  if (options_.accept_gzip) built.set(http::field::accept_encoding, "gzip");
  for (const Header& header : full.headers) built.insert(header.name, header.value);
  built.body() = request.body;
  built.prepare_payload();
  return built;
}

template <class Stream>
Exchanged HttpClient::Impl::Exchange(Stream& stream, const BeastRequest& request,
                                     std::optional<Parser>& parser, Deadline deadline) {
  const error_code written = Await(
      deadline, [&](auto handler) { http::async_write(stream, request, std::move(handler)); });
  // A server may answer (413, say) and close without having read everything: look for its answer.
  if (written && !IsLost(written)) return {written, "writing to", false};
  error_code error;
  do {
    parser.emplace();
    parser->header_limit(static_cast<std::uint32_t>(options_.max_header_bytes));
    parser->body_limit(options_.max_body_bytes);
    if (request.method() == http::verb::head) parser->skip(true);
    error = Await(deadline, [&](auto handler) {
      http::async_read(stream, buffer_, *parser, std::move(handler));
    });
  } while (!error && parser->get().result_int() / 100 == 1);
  if (error && written) return {written, "writing to", parser->got_some()};
  return {error, "reading from", parser->got_some()};
}

Expected<HttpResponse> HttpClient::Impl::Finish(Parser& parser) {
  auto message = parser.release();
  HttpResponse response{.status = static_cast<int>(message.result_int()),
                        .headers = {},
                        .body = std::move(message.body())};
  for (const auto& field : message) {
    response.headers.push_back({std::string(field.name_string()), std::string(field.value())});
  }
  const std::string* encoding = FindHeader(response.headers, "Content-Encoding");
  if (options_.accept_gzip && encoding && *encoding == "gzip" && !response.body.empty()) {
    auto unpacked = Gunzip(response.body, options_.max_body_bytes);
    if (!unpacked) {
      return Fail(unpacked.error().code,
                  fmt::format("reading from {}: {}", peer_, unpacked.error().message));
    }
    response.body = *std::move(unpacked);
  }
  return response;
}

Expected<HttpResponse> HttpClient::Impl::Send(const HttpRequest& request, Duration budget) {
  const Deadline deadline = SteadyClock::now() + budget;
  TIDEGATE_TRY(const BeastRequest built, Build(request));
  ++counts_.requests;
  bool kept = CanReuse();
  for (;;) {
    if (!kept) TIDEGATE_TRY_VOID(Connect(deadline));
    std::optional<Parser> parser;
    const Exchanged result = tls_ ? Exchange(*tls_, built, parser, deadline)
                                  : Exchange(socket_, built, parser, deadline);
    if (!result.error) {
      const bool keep = parser->keep_alive();
      last_used_ = SteadyClock::now();
      if (!keep) Close();
      return Finish(*parser);
    }
    Close();
    const bool again =
        kept && !result.any_response && IsLost(result.error) && IsIdempotent(request.method);
    if (!again) return Fail(ToError(result.error, result.stage));
    kept = false;
    ++counts_.reconnects;
  }
}

Expected<HttpClient> HttpClient::Create(const Url& base, HttpClientOptions options) {
  auto impl = std::make_unique<Impl>(base, std::move(options));
  TIDEGATE_TRY_VOID(impl->Check());
  return HttpClient(std::move(impl));
}

HttpClient::HttpClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

Expected<HttpResponse> HttpClient::Send(const HttpRequest& request, Duration deadline) {
  TIDEGATE_CHECK(impl_ != nullptr, "an HttpClient was used after it had been moved away");
  // Boost throws where it cannot go on (out of descriptors for its own epoll, say).
  try {
    return impl_->Send(request, deadline);
  } catch (const std::exception& error) {
    return Fail(ErrorCode::kInternal, fmt::format("HTTP client: {}", error.what()));
  }
}

HttpClientCounts HttpClient::counts() const { return impl_->counts(); }
const Url& HttpClient::base() const { return impl_->base(); }

}  // namespace tidegate::net
