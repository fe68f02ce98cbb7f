#include "scheduler/daemon/cmd_status.h"

#include <chrono>
#include <iterator>
#include <ostream>
#include <thread>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "scheduler/daemon/server_query.h"

namespace tidegate::daemon {
namespace {

namespace json = boost::json;

std::string Worst(const json::array& readings) {
  std::string text;
  for (const json::value& reading : readings) {
    const std::string quality(reading.at("quality").as_string());
    if (!text.empty()) text += ", ";
    text += std::string(reading.at("signal").as_string());
    if (const json::value* value = reading.as_object().if_contains("value")) {
      text += fmt::format(" {:.1f}", value->to_number<double>());
    }
    text += quality == "ok"
                ? fmt::format(" ({:.0f} s)", reading.at("ageSeconds").to_number<double>())
                : " " + quality;
  }
  return text.empty() ? "-" : text;
}

std::string Note(const json::object& pool) {
  if (const json::value* error = pool.if_contains("error")) return std::string(error->as_string());
  if (const json::value* deadlock = pool.if_contains("deadlock")) {
    return std::string(deadlock->as_string());
  }
  const json::array& deferred = pool.at("deferred").as_array();
  return deferred.empty() ? "" : std::string(deferred[0].at("why").as_string());
}

void AppendPool(std::string& table, const json::object& pool) {
  const auto number = [&](const char* key) { return pool.at(key).to_number<int>(); };
  const json::object& budget = pool.at("budget").as_object();
  const auto used = [&](const char* key) { return budget.at(key).to_number<int>(); };
  const std::string name = fmt::format("{}/{}", pool.at("namespace").as_string().c_str(),
                                       pool.at("name").as_string().c_str());
  const std::string size =
      fmt::format("{} [{}..{}]", number("desired"), number("min"), number("max"));
  const std::string budgets = fmt::format("{}/{} {}/{}", used("surge"), used("surgeLimit"),
                                          used("unavailable"), used("unavailableLimit"));
  fmt::format_to(std::back_inserter(table),
                 "{:<28} {:>12} {:>5} {:>8} {:>8} {:>6}  {:<11} {:<20} {}\n", name, size,
                 number("ready"), number("starting"), number("draining"), number("failed"), budgets,
                 pool.at("reason").as_string().c_str(), Worst(pool.at("readings").as_array()));
  if (const std::string note = Note(pool); !note.empty()) table += "  " + note + "\n";
  for (const auto& front : pool.at("fronts").as_object()) {
    fmt::format_to(std::back_inserter(table), "  {} at {}\n", std::string(front.key()),
                   front.value().as_string().c_str());
  }
}

std::string Table(const json::object& status) {
  std::string table = fmt::format(
      "tidegate {}   last tick {}   every {} s\n", status.at("version").as_string().c_str(),
      status.at("at").as_string().c_str(), status.at("tickSeconds").to_number<double>());
  const json::object& config = status.at("config").as_object();
  if (!config.at("ok").as_bool()) {
    table += fmt::format("CONFIGURATION ON DISK IS BAD; in use is the one of {}:\n",
                         config.at("loaded").as_string().c_str());
    for (const json::value& problem : config.at("problems").as_array()) {
      table += "  " + std::string(problem.as_string()) + "\n";
    }
  }
  for (const json::value& note : config.at("notes").as_array()) {
    table += "note: " + std::string(note.as_string()) + "\n";
  }
  for (const char* key : {"observeError", "journalError"}) {
    const std::string text(status.at(key).as_string());
    if (!text.empty()) table += fmt::format("{}: {}\n", key, text);
  }
  table +=
      fmt::format("\n{:<28} {:>12} {:>5} {:>8} {:>8} {:>6}  {:<11} {:<20} {}\n", "POOL", "DESIRED",
                  "READY", "STARTING", "DRAINING", "FAILED", "SURGE UNAV", "REASON", "SIGNALS");
  for (const json::value& pool : status.at("pools").as_array()) {
    AppendPool(table, pool.as_object());
  }
  return table;
}

}  // namespace

std::string StatusTable(const std::string& body) {
  try {
    return Table(json::parse(body).as_object());
  } catch (const std::exception&) {
    return "";
  }
}

int RunStatus(const StatusOptions& options, std::ostream& out, std::ostream& err) {
  if (const auto checked = CheckServer(options.server); !checked) {
    err << "tidegate status: " << checked.error().message << "\n";
    return 2;
  }
  const bool terminal = ::isatty(STDOUT_FILENO) != 0;
  for (;;) {
    const auto body = AskServer(options.server, "/api/v1/pools");
    if (!body && !options.watch) {
      err << "tidegate status: " << body.error().message << "\n";
      return 1;
    }
    const std::string text = !body          ? body.error().message + "\n"
                             : options.json ? *body + "\n"
                                            : StatusTable(*body);
    if (text.empty()) {
      err << "tidegate status: the answer of " << options.server << " is not tidegate's\n";
      return 1;
    }
    if (options.watch && terminal) out << "\x1b[H\x1b[2J";
    out << text << std::flush;
    if (!options.watch) return 0;
    if (!out) return 1;
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

}  // namespace tidegate::daemon
