// Structure: who stands in a pass, and who sends to whom. Made from frozen features; what the nodes
// hold are Values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <espalier/graph/csr.hpp>
#include <vector>

namespace espalier {

// How a scene stands to the training scene.
enum class Standing {
  apart,     // its graph is square and its own
  attached,  // its graph is rectangular: its samples get edges from the training scene's nodes
  inside     // it is the training scene, and others of its samples are asked
};

struct Scene {
  Standing standing = Standing::apart;
  std::vector<std::size_t> samples;  // in node order; of a scene inside the training scene none
  CsrGraph graph;                    // over their nodes, all views of them
  std::vector<std::int64_t> asked;   // places among the samples whose logits are wanted
  // For each of those the place of its sample in the list of queries that the scene was made for.
  std::vector<std::int64_t> queries;
};

}  // namespace espalier
