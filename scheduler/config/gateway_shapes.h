#pragma once

#include <span>

#include "scheduler/config/shape.h"

namespace tidegate::config {

// Fields of IstioGateway's spec that we accept without acting on them.
// Those that belong to the replica's template: a change of one replaces the replicas.
std::span<const Shape> TemplateShapes();
// The others.
std::span<const Shape> OtherShapes();

}  // namespace tidegate::config
