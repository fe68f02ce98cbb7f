#pragma once

#include "scheduler/config/daemon_config.h"
#include "scheduler/config/fields.h"
#include "scheduler/config/gateway_scaler.h"
#include "scheduler/config/istio_gateway.h"

namespace tidegate::config {

// Each reads one document of its kind and reports everything that is wrong with it; the result is
// of use only where nothing was. "apiVersion" and "kind" have been checked.
IstioGateway ReadIstioGateway(const Value& document);
GatewayScaler ReadGatewayScaler(const Value& document);
// Relative paths are taken from the folder of the file.
DaemonConfig ReadDaemonConfig(const Value& document);

}  // namespace tidegate::config
