// Which parameters of a configuration count by what is at a path.
#pragma once

#include <espalier/core/json.hpp>
#include <string>
#include <vector>

namespace espalier {

struct HashedPath {
  std::string key;     // dotted: dataset.root
  std::string path;    // as in the configuration
  std::string digest;  // SHA-256 in hexadecimal, as in the identity
};

// `identity` and `config` are one section of both, or all sections (docs/identity.md). A path is
// where the identity has `sha256:...` and the configuration another text.
[[nodiscard]] std::vector<HashedPath> content_paths(const Json& identity, const Json& config,
                                                    const std::string& key = {});

}  // namespace espalier
