#include "tests/testing/browser.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string_view>
#include <utility>

#include <boost/json.hpp>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policies/base/instant.h"
#include "tests/testing/child_process.h"

namespace tidegate::testing {
namespace {

namespace json = boost::json;
using Clock = std::chrono::steady_clock;

constexpr Duration kPatience{60'000};

// The program's own tab is left alone; fd 3 is what it reads and fd 4 what it writes.
constexpr const char* kStart =
    "exec chromium --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage "
    "--no-first-run --disable-extensions --disable-background-networking --disable-sync "
    "--mute-audio --remote-debugging-pipe --user-data-dir=\"$1/profile\" about:blank "
    "3<\"$1/in\" 4>\"$1/out\"";

std::string Base64Decoded(std::string_view text) {
  static constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char letter : text) {
    const std::size_t value = kLetters.find(letter);
    if (value == std::string_view::npos) break;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>(bits >> count & 0xFF);
    }
  }
  return bytes;
}

// Text of a console call's arguments, or of whatever else is complained about.
std::string Complaint(std::string_view method, const json::object& params) {
  return std::string(method) + " " + json::serialize(params);
}

}  // namespace

class Browser::Impl {
 public:
  ~Impl() {
    if (to_ >= 0) ::close(to_);
    if (from_ >= 0) ::close(from_);
  }

  // Both ends of each pipe are open here at first, so that nobody waits for the other to open one.
  Expected<void> Start() {
    const auto in = dir_.path() / "in";
    const auto out = dir_.path() / "out";
    if (::mkfifo(in.c_str(), 0600) != 0 || ::mkfifo(out.c_str(), 0600) != 0) {
      return Fail(ErrorCode::kInternal, "mkfifo");
    }
    to_ = ::open(in.c_str(), O_RDWR | O_CLOEXEC);
    from_ = ::open(out.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
    auto child = ChildProcess::Start({"sh", "-c", kStart, "sh", dir_.path().string()},
                                     {.output = dir_.path() / "log"});
    if (!child) return Fail(child.error().code, child.error().message);
    child_.emplace(*std::move(child));
    TIDEGATE_TRY_VOID(Order("Browser.getVersion", {}));
    return {};
  }

  Expected<void> Open(const std::string& url, const Viewport& viewport) {
    session_.clear();
    if (!target_.empty()) TIDEGATE_TRY_VOID(Order("Target.closeTarget", {{"targetId", target_}}));
    TIDEGATE_TRY(const json::object target, Call("Target.createTarget", {{"url", "about:blank"}}));
    target_ = target.at("targetId").as_string().c_str();
    TIDEGATE_TRY(const json::object attached,
                 Call("Target.attachToTarget", {{"targetId", target_}, {"flatten", true}}));
    session_ = attached.at("sessionId").as_string().c_str();
    for (const char* domain : {"Page.enable", "Runtime.enable", "Log.enable", "Network.enable"}) {
      TIDEGATE_TRY_VOID(Order(domain, {}));
    }
    TIDEGATE_TRY_VOID(
        Order("Emulation.setDeviceMetricsOverride", {{"width", viewport.width},
                                                     {"height", viewport.height},
                                                     {"deviceScaleFactor", 1},
                                                     {"mobile", viewport.width < 600}}));
    const json::object scheme{{"name", "prefers-color-scheme"},
                              {"value", viewport.dark ? "dark" : "light"}};
    TIDEGATE_TRY_VOID(Order("Emulation.setEmulatedMedia", {{"features", json::array{scheme}}}));
    complaints_.clear();
    requests_.clear();
    loaded_ = false;
    TIDEGATE_TRY_VOID(Order("Page.navigate", {{"url", url}}));
    const auto end = Clock::now() + kPatience;
    while (!loaded_) {
      TIDEGATE_TRY(const json::object event, Receive(end));
      Note(event);
    }
    return {};
  }

  // Sends a command and waits for its answer; what comes in between is noted.
  Expected<json::object> Call(std::string_view method, json::object params) {
    const std::int64_t id = ++last_id_;
    json::object message{{"id", id}, {"method", method}, {"params", std::move(params)}};
    if (!session_.empty()) message["sessionId"] = session_;
    TIDEGATE_TRY_VOID(Send(json::serialize(message)));
    const auto end = Clock::now() + kPatience;
    while (true) {
      TIDEGATE_TRY(json::object answer, Receive(end));
      const json::value* answered = answer.if_contains("id");
      if (answered == nullptr || answered->as_int64() != id) {
        Note(answer);
        continue;
      }
      if (const json::value* error = answer.if_contains("error")) {
        return Fail(ErrorCode::kInvalid, std::string(method) + ": " + json::serialize(*error));
      }
      return answer.at("result").as_object();
    }
  }

  // The same where the answer says nothing.
  Expected<void> Order(std::string_view method, json::object params) {
    TIDEGATE_TRY(const json::object answer, Call(method, std::move(params)));
    return {};
  }

  const std::vector<std::string>& complaints() const { return complaints_; }
  const std::vector<std::string>& requests() const { return requests_; }

 private:
  Expected<void> Send(std::string text) {
    text += '\0';
    for (std::size_t sent = 0; sent < text.size();) {
      const ssize_t n = ::write(to_, text.data() + sent, text.size() - sent);
      if (n <= 0) return Fail(ErrorCode::kUnavailable, "the browser does not listen");
      sent += static_cast<std::size_t>(n);
    }
    return {};
  }

  Expected<json::object> Receive(Clock::time_point end) {
    std::size_t stop = std::string::npos;
    while ((stop = received_.find('\0')) == std::string::npos) {
      if (!child_->Running()) {
        const std::string log = ReadFile(dir_.path() / "log");
        return Fail(ErrorCode::kNotFound, "chromium ended (is it installed?): " + log);
      }
      if (Clock::now() >= end) return Fail(ErrorCode::kTimeout, "the browser does not answer");
      pollfd waiting{from_, POLLIN, 0};
      if (::poll(&waiting, 1, 100) <= 0) continue;
      std::array<char, 65'536> chunk;
      const ssize_t n = ::read(from_, chunk.data(), chunk.size());
      if (n > 0) received_.append(chunk.data(), static_cast<std::size_t>(n));
    }
    json::object message = json::parse(received_.substr(0, stop)).as_object();
    received_.erase(0, stop + 1);
    return message;
  }

  void Note(const json::object& event) {
    const json::value* method = event.if_contains("method");
    const json::value* session = event.if_contains("sessionId");
    if (method == nullptr || session == nullptr || session->as_string() != session_) return;
    const std::string_view name = method->as_string();
    const json::object& params = event.at("params").as_object();
    if (name == "Page.loadEventFired") loaded_ = true;
    if (name == "Runtime.consoleAPICalled" || name == "Runtime.exceptionThrown" ||
        name == "Log.entryAdded") {
      complaints_.push_back(Complaint(name, params));
    }
    if (name == "Network.requestWillBeSent") {
      requests_.emplace_back(params.at("request").at("url").as_string());
    }
  }

  TempDir dir_;
  std::optional<ChildProcess> child_;
  int to_ = -1;
  int from_ = -1;
  std::string received_;
  std::string target_;
  std::string session_;
  std::int64_t last_id_ = 0;
  bool loaded_ = false;
  std::vector<std::string> complaints_;
  std::vector<std::string> requests_;
};

Browser::Browser(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Browser::~Browser() = default;

Expected<std::unique_ptr<Browser>> Browser::Start() {
  auto impl = std::make_unique<Impl>();
  TIDEGATE_TRY_VOID(impl->Start());
  return std::unique_ptr<Browser>(new Browser(std::move(impl)));
}

Expected<void> Browser::Open(const std::filesystem::path& file, const Viewport& viewport) {
  return impl_->Open("file://" + file.string(), viewport);
}

Expected<std::string> Browser::Evaluate(const std::string& expression) {
  TIDEGATE_TRY(
      const json::object answer,
      impl_->Call("Runtime.evaluate",
                  {{"expression", expression}, {"returnByValue", true}, {"awaitPromise", true}}));
  if (const json::value* thrown = answer.if_contains("exceptionDetails")) {
    return Fail(ErrorCode::kInvalid, json::serialize(*thrown));
  }
  const json::value* value = answer.at("result").as_object().if_contains("value");
  return value == nullptr ? std::string("undefined") : json::serialize(*value);
}

Expected<void> Browser::WaitFor(const std::string& expression) {
  const auto end = Clock::now() + kPatience;
  while (Clock::now() < end) {
    // Between two frames, so that the page gets on with it.
    TIDEGATE_TRY(
        const std::string value,
        Evaluate("new Promise((done) => requestAnimationFrame(() => done(" + expression + ")))"));
    if (value == "true") return {};
  }
  return Fail(ErrorCode::kTimeout, "never true: " + expression);
}

Expected<void> Browser::Press(const std::string& key) {
  json::object event{{"type", "keyDown"}, {"key", key}};
  if (key.size() == 1) event["text"] = key;
  TIDEGATE_TRY_VOID(impl_->Order("Input.dispatchKeyEvent", event));
  TIDEGATE_TRY_VOID(impl_->Order("Input.dispatchKeyEvent", {{"type", "keyUp"}, {"key", key}}));
  return {};
}

Expected<void> Browser::Move(double x, double y) {
  TIDEGATE_TRY_VOID(
      impl_->Order("Input.dispatchMouseEvent", {{"type", "mouseMoved"}, {"x", x}, {"y", y}}));
  return {};
}

Expected<void> Browser::Drag(double from_x, double to_x, double y) {
  const auto mouse = [&](const char* type, double x) {
    return impl_->Order("Input.dispatchMouseEvent", {{"type", type},
                                                     {"x", x},
                                                     {"y", y},
                                                     {"button", "left"},
                                                     {"buttons", 1},
                                                     {"clickCount", 1}});
  };
  TIDEGATE_TRY_VOID(Move(from_x, y));
  TIDEGATE_TRY_VOID(mouse("mousePressed", from_x));
  TIDEGATE_TRY_VOID(mouse("mouseMoved", (from_x + to_x) / 2));
  TIDEGATE_TRY_VOID(mouse("mouseMoved", to_x));
  TIDEGATE_TRY_VOID(mouse("mouseReleased", to_x));
  return {};
}

Expected<void> Browser::Screenshot(const std::filesystem::path& file) {
  TIDEGATE_TRY(
      const json::object answer,
      impl_->Call("Page.captureScreenshot", {{"format", "png"}, {"captureBeyondViewport", true}}));
  std::ofstream out(file, std::ios::binary);
  out << Base64Decoded(std::string_view(answer.at("data").as_string()));
  out.close();
  if (!out) return Fail(ErrorCode::kUnavailable, file.string() + ": can't be written");
  return {};
}

const std::vector<std::string>& Browser::complaints() const { return impl_->complaints(); }
const std::vector<std::string>& Browser::requests() const { return impl_->requests(); }

}  // namespace tidegate::testing
