// The two forms of `espalier encode`. Requests are what cli/host/encode.cpp makes.
#pragma once

#include <espalier/core/json.hpp>

namespace espalier::cli {

void encode_tensors(const Json& request);
void encode_dataset(const Json& request);

}  // namespace espalier::cli
