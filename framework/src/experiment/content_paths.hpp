// Which parameters of a configuration count by what is at a path.
#pragma once

#include <espalier/core/content.hpp>
#include <espalier/core/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

struct HashedPath {
  std::string key;     // dotted: dataset.root
  std::string path;    // as in the configuration
  std::string digest;  // SHA-256 in hexadecimal, as in the identity
  ContentScope scope = ContentScope::all;
};

// `identity` and `config` are one section of both, or all sections (docs/identity.md). A path is
// where the identity has `sha256:...` or `sha256-of-classes:...` and the configuration another
// text.
[[nodiscard]] std::vector<HashedPath> content_paths(const Json& identity, const Json& config,
                                                    const std::string& key = {});

// What goes before the hash in the identity.
[[nodiscard]] std::string_view hash_prefix(ContentScope scope);

}  // namespace espalier
