// The HDF5 library that is loaded.
#pragma once

#include <string>

namespace espalier {

[[nodiscard]] std::string hdf5_version();

}  // namespace espalier
