#pragma once

#include "scheduler/config/fields.h"
#include "scheduler/config/istio_gateway.h"

namespace tidegate::config {

// Reads the "metadata" of a document; what a Kubernetes server adds there is tolerated. Names and
// namespaces must be Kubernetes's: lower-case letters, digits and "-", at most 63 characters.
void ReadMetadata(Fields& document, Metadata* metadata, Location* name_at);

// True for names that Kubernetes allows; complains otherwise.
bool CheckName(const Value& value, const std::string& name);

}  // namespace tidegate::config
