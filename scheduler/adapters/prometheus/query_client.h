#pragma once

#include "policies/base/expected.h"
#include "scheduler/config/daemon_config.h"
#include "traces/import/range_reader.h"
#include "traces/net/http_client.h"

namespace tidegate::adapters {

// A client of the Prometheus that the settings name. Reads TLS files, asks nothing yet. kInvalid
// where the settings can't work.
Expected<net::HttpClient> MakePrometheusClient(const config::PrometheusConfig& config);

// The same for histories; the settings' timeout holds for each piece.
Expected<traces::RangeReader> MakeRangeReader(const config::PrometheusConfig& config);

}  // namespace tidegate::adapters
