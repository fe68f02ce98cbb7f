#include "policies/base/units.h"

namespace tidegate {

std::string ToString(const PoolId& id) { return id.ns + "/" + id.name; }

}  // namespace tidegate
