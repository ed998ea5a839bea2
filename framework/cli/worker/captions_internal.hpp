// What `espalier captions` leaves to the worker. Requests are what cli/host/captions_*.cpp make.
#pragma once

#include <espalier/core/json.hpp>

namespace espalier::cli {

int review_captions(const Json& request);

}  // namespace espalier::cli
