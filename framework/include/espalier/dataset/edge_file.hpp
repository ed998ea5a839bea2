// Lists of edges between samples, as people write them: a taxonomy, citations, purchases.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

struct NamedEdge {
  std::string source;
  std::string target;
  double weight = 1;
  std::int64_t line = 0;  // where it stands, from 1
};

// A row an edge: `source,target` or `source,target,weight`; a first row of these names is passed
// over. Throws Error that names `origin` and the lines of up to ten rows with another number of
// fields, an empty id, or a weight that is no number of at least 0.
[[nodiscard]] std::vector<NamedEdge> parse_edge_list(std::string_view text, std::string_view origin,
                                                     char delimiter = ',');

}  // namespace espalier
