#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policies/base/expected.h"
#include "policies/base/instant.h"

namespace tidegate::adapters {

// One server of a front's backend, from `show servers state`.
struct ServerState {
  std::string backend;
  std::string name;
  int port = 0;
  int operational = 0;     // 0 stopped, 1 starting, 2 running, 3 stopping
  int administrative = 0;  // bits; 0: none, 1: forced maintenance, 8: forced drain
  bool up() const { return operational == 2 && administrative == 0; }
  bool in_maintenance() const { return (administrative & 1) != 0; }
  bool operator==(const ServerState&) const = default;
};
// kInvalid names the line that does not fit.
Expected<std::vector<ServerState>> ParseServersState(std::string_view text);

// One row of `show stat`; rows of frontends and backends are named FRONTEND and BACKEND.
struct StatRow {
  std::string proxy;
  std::string name;
  std::string status;  // "UP", "DOWN", "MAINT", "OPEN", ...
  long sessions = 0;   // in progress
  long queued = 0;
  long total = 0;
};
Expected<std::vector<StatRow>> ParseStat(std::string_view csv);

// The commands that add a server and let it take requests at once; its health is checked on
// another port than the one that serves.
struct ServerSetup {
  std::string backend;
  std::string name;
  int port = 0;
  int check_port = 0;
  int maxconn = 0;
  Duration check_interval{500};
};
std::string AddServerCommand(const ServerSetup& server);
// The same server as a line of a configuration; it serves from the start.
std::string ServerLine(const ServerSetup& server);

// Splits the answer to "A; B; C" into the three answers, without blank lines.
std::vector<std::string> SplitAnswers(std::string_view text);

// HAProxy's runtime API on a UNIX socket. Each call is one connection with one deadline. The
// answer's size is bounded. Not thread-safe.
class RuntimeApi {
 public:
  // The socket is `name` in the directory; a long path does no harm, since only the name is
  // handed to the kernel.
  RuntimeApi(std::string directory, std::string name, Duration timeout);
  // kUnavailable: nobody listens; kTimeout: no full answer in time.
  Expected<std::string> Run(const std::string& command) const;

 private:
  std::string directory_;
  std::string name_;
  Duration timeout_;
};

}  // namespace tidegate::adapters
