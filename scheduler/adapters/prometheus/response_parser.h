#pragma once

#include "traces/format/prometheus_response.h"

// Answers are read by the one parser that importing traces uses too.
namespace tidegate::adapters {

using traces::ParseResponse;
using traces::Response;
using traces::ResponseLimits;
using traces::ResponseSeries;
using traces::ResponseType;

}  // namespace tidegate::adapters
