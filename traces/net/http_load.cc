#include "traces/net/http_load.h"

#include <algorithm>
#include <deque>
#include <exception>
#include <memory>
#include <string_view>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

namespace tidegate::net {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using SteadyClock = std::chrono::steady_clock;

constexpr auto kTick = std::chrono::milliseconds(10);  // deadlines, the stop flag, seconds
constexpr auto kStopGrace = std::chrono::seconds(1);

// A Beast body that counts nothing and keeps nothing: answers are read to their end and dropped.
struct DiscardedBody {
  struct value_type {};
  class reader {
   public:
    template <bool is_request, class Fields>
    reader(http::header<is_request, Fields>&, value_type&) {}
    void init(const boost::optional<std::uint64_t>&, error_code& error) { error = {}; }
    template <class Buffers>
    std::size_t put(const Buffers& buffers, error_code& error) {
      error = {};
      return boost::beast::buffer_bytes(buffers);
    }
    void finish(error_code& error) { error = {}; }
  };
};
using Parser = http::response_parser<DiscardedBody>;

class Connection;

struct Request {
  SteadyClock::time_point intended;
  std::weak_ptr<Connection> connection;
  bool retried = false;
  bool done = false;
};
using RequestPtr = std::shared_ptr<Request>;

// What a connection tells its owner. All on one thread.
class Owner {
 public:
  virtual ~Owner() = default;
  virtual const std::vector<tcp::endpoint>& endpoints() const = 0;
  virtual const std::string& request_text() const = 0;
  virtual void OnConnected() = 0;
  // The request has its outcome: a status, or a failure's kind.
  virtual void OnAnswer(const RequestPtr& request, int status) = 0;
  virtual void OnFailure(const RequestPtr& request, const char* kind) = 0;
  virtual void OnIdle(const std::shared_ptr<Connection>& connection) = 0;
  virtual void OnClosed() = 0;
  // A kept connection was lost before any byte of the answer.
  virtual void OnReusedClosed(const RequestPtr& request) = 0;
};

// One connection, one request at a time. Ends when the server or an error ends it.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(asio::io_context& io, Owner& owner) : socket_(io), owner_(owner) {}

  void Open(RequestPtr request) {
    request->connection = weak_from_this();
    request_ = std::move(request);
    TryConnect(0);
  }

  void Send(RequestPtr request) {
    request->connection = weak_from_this();
    request_ = std::move(request);
    reused_ = true;
    Write();
  }

  // False if the server has closed the idle connection or sent what nobody asked for.
  bool IsAlive() {
    char byte = 0;
    error_code error;
    socket_.receive(asio::buffer(&byte, 1), tcp::socket::message_peek, error);
    return error == asio::error::would_block || error == asio::error::try_again;
  }

  // The request in progress fails for this reason, and the connection ends.
  void Fail(const char* kind) {
    const RequestPtr request = std::exchange(request_, nullptr);
    Close();
    if (request) owner_.OnFailure(request, kind);
  }

  void Close() {
    if (std::exchange(closed_, true)) return;
    error_code ignored;
    socket_.close(ignored);
    owner_.OnClosed();
  }

 private:
  void TryConnect(std::size_t index) {
    error_code ignored;
    socket_.close(ignored);
    socket_.async_connect(owner_.endpoints()[index],
                          [self = shared_from_this(), index](error_code error) {
                            if (self->closed_) return;
                            self->OnConnected(error, index);
                          });
  }

  void OnConnected(const error_code& error, std::size_t index) {
    if (error && index + 1 < owner_.endpoints().size()) return TryConnect(index + 1);
    if (error) return Fail(failure::kConnect);
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    socket_.non_blocking(true, ignored);  // for IsAlive; asynchronous operations do not mind
    owner_.OnConnected();
    Write();
  }

  void Write() {
    asio::async_write(socket_, asio::buffer(owner_.request_text()),
                      [self = shared_from_this()](error_code error, std::size_t) {
                        if (self->closed_) return;
                        if (error) return self->Lost();
                        self->Read();
                      });
  }

  void Read() {
    parser_.emplace();
    parser_->body_limit(boost::none);
    http::async_read(socket_, buffer_, *parser_,
                     [self = shared_from_this()](error_code error, std::size_t) {
                       if (self->closed_) return;
                       self->OnRead(error);
                     });
  }

  void OnRead(const error_code& error) {
    const bool ended = error == http::error::end_of_stream || error == http::error::partial_message;
    const bool from_parser =
        error.category() == make_error_code(http::error::end_of_stream).category();
    if (error && from_parser && !ended) return Fail(failure::kProtocol);
    if (error) return Lost();
    const int status = static_cast<int>(parser_->get().result_int());
    if (status < 200) return Read();  // an interim response; the real one follows
    const RequestPtr request = std::exchange(request_, nullptr);
    owner_.OnAnswer(request, status);
    if (!parser_->keep_alive() || buffer_.size() != 0) return Close();
    owner_.OnIdle(shared_from_this());
  }

  void Lost() {
    const bool any_byte = parser_ && parser_->got_some();
    if (!reused_ || any_byte || request_->retried) return Fail(failure::kReset);
    const RequestPtr request = std::exchange(request_, nullptr);
    request->retried = true;
    owner_.OnReusedClosed(request);
    Close();  // in its place a new one is opened, for the request
  }

  tcp::socket socket_;
  Owner& owner_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  RequestPtr request_;
  bool reused_ = false;
  bool closed_ = false;
};

class Load final : public Owner {
 public:
  Load(const LoadOptions& options, const LoadSchedule& schedule, const LoadControl& control)
      : options_(options), schedule_(schedule), control_(control) {}

  Expected<LoadReport> Run() {
    TIDEGATE_TRY(request_text_, RequestText());
    error_code error;
    tcp::resolver resolver(io_);
    const auto found =
        resolver.resolve(options_.url.host, std::to_string(options_.url.port), error);
    if (error) {
      return tidegate::Fail(ErrorCode::kUnavailable,
                            fmt::format("resolving {}: {}", options_.url.host, error.message()));
    }
    for (const auto& entry : found) endpoints_.push_back(entry.endpoint());
    begin_ = SteadyClock::now();
    next_ = schedule_();
    ScheduleNext();
    ScheduleTick();
    io_.run();
    report_.elapsed = Since(SteadyClock::now());
    FinishSecond();
    return std::move(report_);
  }

 private:
  Expected<std::string> RequestText() const {
    HttpRequest request{.target = options_.url.path, .headers = options_.headers, .body = ""};
    if (request.target.empty()) request.target = "/";
    if (!options_.url.query.empty()) request.target += "?" + options_.url.query;
    if (options_.url.tls) {
      return tidegate::Fail(ErrorCode::kInvalid,
                            "load is sent by http only; give the address of a plain port");
    }
    if (!IsSafeToSend(request)) {
      return tidegate::Fail(ErrorCode::kInvalid,
                            "the URL or a header has a character that must not be sent");
    }
    if (FindHeader(request.headers, "Host") == nullptr) {
      request.headers.insert(request.headers.begin(), {"Host", Authority(options_.url)});
    }
    std::string text = fmt::format("GET {} HTTP/1.1\r\n", request.target);
    for (const Header& header : request.headers) {
      text += fmt::format("{}: {}\r\n", header.name, header.value);
    }
    return text + "\r\n";
  }

  LoadTime Since(SteadyClock::time_point at) const {
    return std::chrono::duration_cast<LoadTime>(at - begin_);
  }

  void ScheduleNext() {
    if (!next_ || stopping_) return EndIfDone();
    start_timer_.expires_at(begin_ + *next_);
    start_timer_.async_wait([this](error_code cancelled) {
      if (!cancelled) StartDue();
    });
  }

  void StartDue() {
    const auto now = SteadyClock::now();
    while (next_ && !stopping_ && begin_ + *next_ <= now) {
      auto request = std::make_shared<Request>();
      request->intended = begin_ + *next_;
      report_.max_lag = std::max(report_.max_lag, Since(now) - *next_);
      ++report_.started;
      ++live_.started;
      ++unanswered_;
      deadlines_.push_back(request);
      Dispatch(request);
      next_ = schedule_();
    }
    ScheduleNext();
  }

  // Sends on an idle connection, or on a new one, or lets the request wait for one.
  void Dispatch(const RequestPtr& request) {
    while (!idle_.empty()) {
      const std::shared_ptr<Connection> connection = std::move(idle_.back());
      idle_.pop_back();
      if (connection->IsAlive()) return connection->Send(request);
      ++report_.idle_closed;
      connection->Close();
    }
    if (open_ >= options_.max_connections) {
      waiting_.push_back(request);
      return;
    }
    OpenFor(request);
  }

  void OpenFor(const RequestPtr& request) {
    ++open_;
    report_.max_open_connections = std::max<std::uint64_t>(report_.max_open_connections, open_);
    std::make_shared<Connection>(io_, *this)->Open(request);
  }

  // The first request that waits and whose time is not over. One whose time is over is left to
  // Tick, which finds that it never had a connection.
  RequestPtr TakeWaiting() {
    const auto now = SteadyClock::now();
    while (!waiting_.empty()) {
      RequestPtr request = std::move(waiting_.front());
      waiting_.pop_front();
      if (!request->done && request->intended + options_.timeout > now) return request;
    }
    return nullptr;
  }

  const std::vector<tcp::endpoint>& endpoints() const override { return endpoints_; }
  const std::string& request_text() const override { return request_text_; }
  void OnConnected() override { ++report_.connections_opened; }

  void OnAnswer(const RequestPtr& request, int status) override {
    ++report_.statuses[status];
    if (status >= 500) return OnFailure(request, failure::kHttp5xx);
    if (status >= 400) return OnFailure(request, failure::kHttp4xx);
    const std::uint64_t latency = Finish(request);
    ++report_.succeeded;
    ++live_.succeeded;
    report_.latency_us.Record(latency);
    live_latency_.Record(latency);
    EndIfDone();
  }

  void OnFailure(const RequestPtr& request, const char* kind) override {
    report_.failure_latency_us.Record(Finish(request));
    ++report_.failed;
    ++live_.failed;
    ++report_.failures[kind];
    EndIfDone();
  }

  std::uint64_t Finish(const RequestPtr& request) {
    request->done = true;
    --unanswered_;
    const auto latency =
        std::chrono::duration_cast<LoadTime>(SteadyClock::now() - request->intended);
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, latency.count()));
  }

  void OnIdle(const std::shared_ptr<Connection>& connection) override {
    if (const RequestPtr request = TakeWaiting()) return connection->Send(request);
    idle_.push_back(connection);
  }

  void OnClosed() override {
    --open_;
    if (const RequestPtr request = TakeWaiting()) OpenFor(request);
  }

  void OnReusedClosed(const RequestPtr& request) override {
    ++report_.reused_closed;
    request->connection.reset();
    waiting_.push_front(request);
  }

  void ScheduleTick() {
    tick_timer_.expires_after(kTick);
    tick_timer_.async_wait([this](error_code cancelled) {
      if (cancelled || ended_) return;
      Tick();
      if (!ended_) ScheduleTick();
    });
  }

  void Tick() {
    const auto now = SteadyClock::now();
    while (!deadlines_.empty() &&
           (deadlines_.front()->done || deadlines_.front()->intended + options_.timeout <= now)) {
      const RequestPtr request = std::move(deadlines_.front());
      deadlines_.pop_front();
      if (!request->done) TimeOut(request);
    }
    if (std::chrono::duration_cast<std::chrono::seconds>(now - begin_).count() > live_.second) {
      FinishSecond();
    }
    if (!stopping_ && control_.stop != nullptr && control_.stop->load()) {
      stopping_ = true;
      report_.stopped = next_.has_value() || unanswered_ > 0;
      stop_by_ = now + kStopGrace;
      start_timer_.cancel();
    }
    if (stopping_ && now >= stop_by_) {
      report_.unfinished = unanswered_;
      End();
    }
    EndIfDone();
  }

  void TimeOut(const RequestPtr& request) {
    const auto connection = request->connection.lock();
    if (connection) return connection->Fail(failure::kTimeout);
    OnFailure(request, failure::kNoConnection);
  }

  void FinishSecond() {
    live_.unanswered = unanswered_;
    live_.open_connections = open_;
    live_.p50 = LoadTime(live_latency_.Quantile(0.5));
    live_.p99 = LoadTime(live_latency_.Quantile(0.99));
    live_.max = LoadTime(live_latency_.max());
    if (report_.seconds.size() < kMaxLoadSeconds) report_.seconds.push_back(live_);
    if (control_.on_second) control_.on_second(live_);
    const std::int64_t second = Since(SteadyClock::now()).count() / 1'000'000;
    live_ = LoadSecond{};
    live_.second = second;
    live_latency_.Clear();
  }

  void EndIfDone() {
    if (unanswered_ == 0 && (!next_ || stopping_)) End();
  }

  // Nothing is left to do, or no time to do it: leaves the event loop.
  void End() {
    ended_ = true;
    start_timer_.cancel();
    tick_timer_.cancel();
    io_.stop();
  }

  const LoadOptions& options_;
  const LoadSchedule& schedule_;
  const LoadControl& control_;
  asio::io_context io_{1};
  asio::steady_timer start_timer_{io_};
  asio::steady_timer tick_timer_{io_};
  std::vector<tcp::endpoint> endpoints_;
  std::string request_text_;
  SteadyClock::time_point begin_;
  std::optional<LoadTime> next_;
  std::vector<std::shared_ptr<Connection>> idle_;  // last used, first reused
  std::deque<RequestPtr> waiting_;
  std::deque<RequestPtr> deadlines_;  // in the order of intended starts, which is that of deadlines
  std::size_t open_ = 0;
  std::uint64_t unanswered_ = 0;
  LoadSecond live_;
  Histogram live_latency_;
  LoadReport report_;
  SteadyClock::time_point stop_by_;
  bool stopping_ = false;
  bool ended_ = false;
};

}  // namespace

Expected<LoadReport> RunLoad(const LoadOptions& options, const LoadSchedule& schedule,
                             const LoadControl& control) {
  // Boost throws where it cannot go on (out of descriptors for its own epoll, say).
  try {
    return Load(options, schedule, control).Run();
  } catch (const std::exception& error) {
    return Fail(ErrorCode::kInternal, fmt::format("load: {}", error.what()));
  }
}

}  // namespace tidegate::net
