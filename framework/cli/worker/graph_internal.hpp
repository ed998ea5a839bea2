// The parts of `espalier graph`. Requests are what cli/host/graph.cpp makes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <espalier/core/json.hpp>
#include <espalier/graph/csr.hpp>
#include <espalier/image/image.hpp>
#include <espalier/tensor/tensor.hpp>
#include <functional>
#include <string>
#include <vector>

#include "encode_internal.hpp"

namespace espalier::cli {

// What a graph is built over. What is not known is empty.
struct GraphNodes {
  at::Tensor features;             // float32 [n, d]
  at::Tensor other;                // float32 [n, e], of the captions
  std::vector<std::string> texts;  // captions
  std::vector<std::string> ids;
  std::vector<std::string> known_ids;
  std::vector<std::string> splits;
  std::vector<std::int64_t> labels;
  std::vector<std::string> class_names;
  std::function<Image(std::size_t node)> image;
};

[[nodiscard]] GraphNodes nodes_of_tensors(const Json& request);
[[nodiscard]] GraphNodes nodes_of_dataset(const Json& request, EncodeComponents& components);

// An SVG with at most `shown` of the nodes, spread evenly: thumbnails where there are pictures, and
// the edges between them, by whether they join equal labels.
[[nodiscard]] std::string graph_picture(const CsrGraph& graph, const GraphNodes& nodes,
                                        std::size_t shown, const std::string& title);

}  // namespace espalier::cli
