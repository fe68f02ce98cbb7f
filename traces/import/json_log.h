#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policies/base/instant.h"
#include "traces/import/log_line.h"
#include "traces/import/log_time.h"

namespace tidegate::traces {

// Names of the members to read; empty: the first that a line has of the usual ones, which are
//   time     start_time, @timestamp, timestamp, time, time_iso8601, time_local, msec, ts, StartUTC
//   status   response_code, status, status_code, DownstreamStatus, OriginStatus
//   path     path, uri, request_uri, RequestPath, url
//   host     authority, host, http_host, RequestHost, server_name
// and "request" for a whole request line.
struct JsonFields {
  std::string time, status, path, host;
};

// Access logs of one JSON object a line: Envoy, Nginx with escape=json, Traefik, HAProxy as we run
// it ourselves. What stands before the first '{' (a collector's time stamp) is passed over. Members
// are read at the object's top level; a time may be a text or a number, see LogTime.
class JsonParser : public LineParser {
 public:
  JsonParser(const JsonFields& fields, Duration utc_offset);
  const char* Parse(std::string_view line, LogLine& out) override;
  std::string_view name() const override { return "json"; }

 private:
  // The value of one of several members: that of the first in the list which a line has.
  struct Wanted {
    std::vector<std::string> names;
    std::size_t rank = 0;    // of what was found; names.size(): nothing
    std::string_view value;  // as written: between the quotes of a text, or a number
    bool escaped = false;    // it has backslashes
    std::string plain;       // without them
    void Offer(std::string_view name, std::string_view text, bool has_escapes);
    std::string_view Plain();
    bool found() const { return rank < names.size(); }
  };

  const char* Members(std::string_view text);

  Wanted time_wanted_, status_, path_, host_, request_;
  LogTime time_;
};

// The text of a JSON string's inside, escapes replaced; a broken escape stays as it is.
void Unescape(std::string_view escaped, std::string& plain);

}  // namespace tidegate::traces
