// What `espalier captions` leaves to the worker. Requests are what cli/host/captions_*.cpp make.
#pragma once

#include <espalier/core/json.hpp>

namespace espalier::cli {

int write_captions(const Json& request);
int check_caption_set(const Json& request);
int filter_caption_set(const Json& request);
int review_captions(const Json& request);

}  // namespace espalier::cli
