#pragma once

#include <string_view>

#include "policies/base/instant.h"
#include "traces/import/log_line.h"
#include "traces/import/log_time.h"

namespace tidegate::traces {

// HAProxy's HTTP log ("option httplog", and "option httpslog", which only adds fields behind):
//
//   Feb  6 12:14:14 lb haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in
//   static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html
//   HTTP/1.1"
//
// with any syslog header, or none, in front of the client's address. The time is when the request
// was accepted, in the proxy's own zone, although the line is written once it ended; so long
// requests come late. A request that got no answer has status -1, read as 0.
class HaproxyParser : public LineParser {
 public:
  // `utc_offset`: of the proxy's zone, since its log does not name it.
  explicit HaproxyParser(Duration utc_offset) : time_(utc_offset) {}
  const char* Parse(std::string_view line, LogLine& out) override;
  std::string_view name() const override { return "haproxy"; }

 private:
  LogTime time_;
};

}  // namespace tidegate::traces
