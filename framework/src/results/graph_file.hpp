// A graph in one HDF5 file, which scipy and anndata read.
//
//   /graph   anndata's encoding of a CSR matrix (csr_matrix 0.1.0): indptr, indices, data, and the
//            attribute shape. Row i holds the edges into node i, their columns the sources, their
//            data the weights. /graph/relation int8 [edges] where there is more than one relation.
//   /ids, /splits  text [nodes]; /labels  int64 [nodes], where they are known.
//   Attributes of the root: the graph's statistics.
#pragma once

#include <cstdint>
#include <espalier/core/json.hpp>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace espalier {

struct GraphFile {
  std::int64_t nodes = 0;
  std::span<const std::int64_t> indptr;
  std::span<const std::int64_t> indices;
  std::span<const float> data;
  std::span<const std::int8_t> relation;
  std::vector<std::string> ids;
  std::vector<std::string> splits;
  std::vector<std::int64_t> labels;
  Json attributes;
};

// Throws Error when the file cannot be written.
void write_graph_file(const std::filesystem::path& file, const GraphFile& graph);

}  // namespace espalier
