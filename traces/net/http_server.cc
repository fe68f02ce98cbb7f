#include "traces/net/http_server.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

namespace tidegate::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using Parser = http::request_parser<http::string_body>;

constexpr Duration kLinger = std::chrono::seconds(1);
constexpr std::size_t kDiscardChunk = 64 * 1024;
constexpr std::size_t kDiscardMost = 64 * 1024 * 1024;
constexpr Duration kAcceptRetry = std::chrono::milliseconds(50);

class Session;

// What sessions and the server share. Its mutex also decides whether a late Responder may still
// touch the io_context: not once `open` is false.
struct Shared {
  HttpServerOptions options;
  AsyncHttpHandler handler;
  std::mutex mutex;
  std::condition_variable session_ended;
  bool open = true;
  std::map<const Session*, std::weak_ptr<Session>> sessions;
  std::function<void()> on_room;  // called when a session ends: the acceptor may be waiting
};

bool WantsBody(int status) { return status >= 200 && status != 204 && status != 304; }

http::response<http::string_body> ToBeast(HttpResponse response, bool keep_alive, bool head) {
  http::response<http::string_body> message;
  message.version(11);
  message.result(static_cast<unsigned>(std::clamp(response.status, 200, 999)));
  for (const Header& header : response.headers) message.insert(header.name, header.value);
  message.keep_alive(keep_alive);
  if (WantsBody(response.status)) {
    message.content_length(response.body.size());
    if (!head) message.body() = std::move(response.body);
  }
  return message;
}

HttpRequest FromBeast(http::request<http::string_body> message) {
  HttpRequest request{.method = std::string(message.method_string()),
                      .target = std::string(message.target()),
                      .headers = {},
                      .body = std::move(message.body())};
  for (const auto& field : message) {
    request.headers.push_back({std::string(field.name_string()), std::string(field.value())});
  }
  return request;
}

}  // namespace

struct Responder::State {
  std::shared_ptr<Shared> shared;
  std::weak_ptr<Session> session;
  std::uint64_t request = 0;
  std::mutex mutex;
  bool used = false;

  void Answer(Duration delay, HttpResponse response);
  ~State() { Answer(Duration(0), MakeResponse(500, "text/plain", "no answer\n")); }
};

namespace {

// One connection. Everything but OnAnswer's caller runs on its strand.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(asio::ip::tcp::socket socket, std::shared_ptr<Shared> shared)
      : stream_(std::move(socket)), timer_(stream_.get_executor()), shared_(std::move(shared)) {
    error_code ignored;
    stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  }

  void Start() {
    asio::dispatch(stream_.get_executor(), [self = shared_from_this()] {
      self->ReadHeader(self->shared_->options.read_timeout);
    });
  }

  // From any thread: the answer to request number `request`.
  void OnAnswer(std::uint64_t request, Duration delay, HttpResponse response) {
    asio::post(stream_.get_executor(), [self = shared_from_this(), request, delay,
                                        response = std::move(response)]() mutable {
      self->Answer(request, delay, std::move(response));
    });
  }

  // From any thread: close now if idle, else after the response in progress; `force`: close now.
  void OnStop(bool force) {
    asio::post(stream_.get_executor(), [self = shared_from_this(), force] {
      self->stopping_ = true;
      if (force || !self->busy_) self->Close();
    });
  }

 private:
  void ReadHeader(Duration timeout) {
    if (stopping_) return Close();
    busy_ = false;
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(shared_->options.max_header_bytes));
    parser_->body_limit(shared_->options.max_body_bytes);
    stream_.expires_after(timeout);
    http::async_read_header(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](error_code error, std::size_t) { self->OnHeader(error); });
  }

  void OnHeader(const error_code& error) {
    if (error) return Refuse(error);
    busy_ = true;
    stream_.expires_after(shared_->options.read_timeout);
    http::async_read(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](error_code failed, std::size_t) { self->OnRequest(failed); });
  }

  void OnRequest(const error_code& error) {
    if (error) return Refuse(error);
    stream_.expires_never();
    auto message = parser_->release();
    keep_alive_ = message.keep_alive();
    head_ = message.method() == http::verb::head;
    const auto state = std::make_shared<Responder::State>();
    state->shared = shared_;
    state->session = weak_from_this();
    state->request = ++request_;
    awaiting_ = shared_from_this();
    try {
      shared_->handler(FromBeast(std::move(message)), Responder(state));
    } catch (...) {
      state->Answer(Duration(0), MakeResponse(500, "text/plain", "internal error\n"));
    }
  }

  // A request that cannot be read is answered where the client can still hear it.
  void Refuse(const error_code& error) {
    keep_alive_ = false;
    head_ = false;
    busy_ = true;
    refused_ = true;
    if (error == http::error::body_limit)
      return Write(MakeResponse(413, "text/plain", "body too large\n"));
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
      return Write(MakeResponse(431, "text/plain", "header too large\n"));
    }
    const bool from_parser =
        error.category() == make_error_code(http::error::end_of_stream).category();
    if (from_parser && error != http::error::end_of_stream &&
        error != http::error::partial_message) {
      return Write(MakeResponse(400, "text/plain", "not an HTTP request\n"));
    }
    Close();
  }

  void Answer(std::uint64_t request, Duration delay, HttpResponse response) {
    if (request != request_ || closed_) return;
    if (delay <= Duration(0)) return Write(std::move(response));
    timer_.expires_after(delay);
    timer_.async_wait(
        [self = shared_from_this(), response = std::move(response)](error_code cancelled) mutable {
          if (!cancelled) self->Write(std::move(response));
        });
  }

  void Write(HttpResponse response) {
    awaiting_.reset();
    const bool keep = keep_alive_ && !stopping_;
    response_.emplace(ToBeast(std::move(response), keep, head_));
    stream_.expires_after(shared_->options.read_timeout);
    http::async_write(stream_, *response_,
                      [self = shared_from_this(), keep](error_code error, std::size_t) {
                        if (error) return self->Close();
                        if (self->refused_) return self->Linger();
                        if (!keep) return self->Close();
                        self->ReadHeader(self->shared_->options.idle_timeout);
                      });
  }

  // A refused client may still be sending. Closing right away would reset the connection and could
  // destroy our answer on its way, so what still comes is read and dropped for a moment.
  void Linger() {
    error_code ignored;
    stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    stream_.expires_after(kLinger);
    Discard();
  }

  void Discard() {
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(kDiscardChunk),
                            [self = shared_from_this()](error_code error, std::size_t count) {
                              self->discarded_ += count;
                              if (error || self->discarded_ > kDiscardMost) return self->Close();
                              self->Discard();
                            });
  }

  void Close() {
    if (std::exchange(closed_, true)) return;
    error_code ignored;
    timer_.cancel();
    stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    stream_.close();
    awaiting_.reset();
    const std::lock_guard lock(shared_->mutex);
    shared_->sessions.erase(this);
    shared_->session_ended.notify_all();
    if (shared_->on_room) shared_->on_room();
  }

  beast::tcp_stream stream_;
  asio::steady_timer timer_;
  std::shared_ptr<Shared> shared_;
  // This session itself while a handler owes an answer: no operation holds it then.
  std::shared_ptr<Session> awaiting_;
  beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  std::optional<http::response<http::string_body>> response_;
  std::uint64_t request_ = 0;
  bool keep_alive_ = false;
  bool head_ = false;
  bool busy_ = false;
  bool refused_ = false;
  std::size_t discarded_ = 0;
  bool stopping_ = false;
  bool closed_ = false;
};

}  // namespace

void Responder::State::Answer(Duration delay, HttpResponse response) {
  {
    const std::lock_guard lock(mutex);
    if (std::exchange(used, true)) return;
  }
  const std::lock_guard lock(shared->mutex);
  if (!shared->open) return;
  if (const auto target = session.lock()) target->OnAnswer(request, delay, std::move(response));
}

Responder::Responder(std::shared_ptr<State> state) : state_(std::move(state)) {}
void Responder::Send(HttpResponse response) { state_->Answer(Duration(0), std::move(response)); }
void Responder::SendAfter(Duration delay, HttpResponse response) {
  state_->Answer(delay, std::move(response));
}

class HttpServer::Core {
 public:
  Core(HttpServerOptions options, AsyncHttpHandler handler) : shared_(std::make_shared<Shared>()) {
    shared_->options = std::move(options);
    shared_->handler = std::move(handler);
  }
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;
  ~Core() { Stop(); }

  Expected<void> Start() {
    const HttpServerOptions& options = shared_->options;
    error_code error;
    const auto address = asio::ip::make_address(options.host, error);
    if (error) return Fail(ErrorCode::kInvalid, options.host + " is not an address to listen at");
    const asio::ip::tcp::endpoint endpoint(address, options.port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (!error) port_ = acceptor_.local_endpoint(error).port();
    if (error) {
      return Fail(ErrorCode::kUnavailable,
                  fmt::format("cannot listen at {} port {}: {}", options.host, options.port,
                              error.message()));
    }
    shared_->on_room = [this] { asio::post(acceptor_.get_executor(), [this] { Accept(); }); };
    asio::post(acceptor_.get_executor(), [this] { Accept(); });
    for (int i = 0; i < std::max(1, options.threads); ++i) {
      threads_.emplace_back([this] { io_.run(); });
    }
    return {};
  }

  std::uint16_t port() const { return port_; }
  const std::string& host() const { return shared_->options.host; }

  void Stop() {
    if (threads_.empty() || stopped_.exchange(true)) return;
    std::promise<void> closed;
    asio::post(acceptor_.get_executor(), [this, &closed] {
      stopping_ = true;
      error_code ignored;
      acceptor_.close(ignored);
      retry_.cancel();
      closed.set_value();
    });
    closed.get_future().wait();
    StopSessions();
    work_.reset();
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  // Runs on the acceptor's strand.
  void Accept() {
    if (stopping_ || accepting_) return;
    {
      const std::lock_guard lock(shared_->mutex);
      if (shared_->sessions.size() >= shared_->options.max_connections) return;
    }
    accepting_ = true;
    acceptor_.async_accept(asio::make_strand(io_),
                           [this](error_code error, asio::ip::tcp::socket socket) {
                             accepting_ = false;
                             OnAccepted(error, std::move(socket));
                           });
  }

  void OnAccepted(const error_code& error, asio::ip::tcp::socket socket) {
    if (stopping_) return;
    if (error) {  // out of descriptors, for example: others may be closed meanwhile
      retry_.expires_after(kAcceptRetry);
      retry_.async_wait([this](error_code cancelled) {
        if (!cancelled) Accept();
      });
      return;
    }
    const auto session = std::make_shared<Session>(std::move(socket), shared_);
    {
      const std::lock_guard lock(shared_->mutex);
      shared_->sessions.emplace(session.get(), session);
    }
    session->Start();
    Accept();
  }

  void StopSessions() {
    std::unique_lock lock(shared_->mutex);
    shared_->on_room = nullptr;
    for (const bool force : {false, true}) {
      for (const auto& entry : shared_->sessions) {
        if (const auto session = entry.second.lock()) session->OnStop(force);
      }
      shared_->session_ended.wait_for(lock, shared_->options.stop_grace,
                                      [this] { return shared_->sessions.empty(); });
    }
    shared_->open = false;
  }

  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  asio::ip::tcp::acceptor acceptor_{asio::make_strand(io_)};
  asio::steady_timer retry_{acceptor_.get_executor()};
  std::shared_ptr<Shared> shared_;
  std::vector<std::thread> threads_;
  std::atomic<bool> stopped_ = false;
  std::uint16_t port_ = 0;
  bool stopping_ = false;
  bool accepting_ = false;
};

HttpServer::HttpServer(std::unique_ptr<Core> core) : core_(std::move(core)) {}
HttpServer::~HttpServer() = default;

Expected<std::unique_ptr<HttpServer>> HttpServer::StartAsync(HttpServerOptions options,
                                                             AsyncHttpHandler handler) {
  auto core = std::make_unique<Core>(std::move(options), std::move(handler));
  TIDEGATE_TRY_VOID(core->Start());
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(core)));
}

Expected<std::unique_ptr<HttpServer>> HttpServer::Start(HttpServerOptions options,
                                                        HttpHandler handler) {
  return StartAsync(std::move(options), [handler = std::move(handler)](const HttpRequest& request,
                                                                       Responder responder) {
    responder.Send(handler(request));
  });
}

std::uint16_t HttpServer::port() const { return core_->port(); }

std::string HttpServer::url() const {
  const bool v6 = core_->host().find(':') != std::string::npos;
  return fmt::format("http://{}{}{}:{}", v6 ? "[" : "", core_->host(), v6 ? "]" : "",
                     core_->port());
}

void HttpServer::Stop() { core_->Stop(); }

}  // namespace tidegate::net
