// The trained part of a trial: a network on the nodes and a classifier behind it.
#pragma once

#include "experiment/sections.hpp"
#include "train/nodes.hpp"
#include <cstdint>
#include <espalier/nn/linear.hpp>
#include <espalier/plugin/gnn.hpp>
#include <memory>
#include <string>
#include <vector>

namespace espalier {

// Class scores from node states: x W^T + b, or scale * cosine(x, w_c) with a trained scale.
class Head {
 public:
  void init(const HeadParams& params, std::int64_t width, std::int64_t classes,
            Parameters& parameters, Random& random);
  // [n, width] to [n, classes]
  [[nodiscard]] at::Tensor operator()(const at::Tensor& states) const;

 private:
  bool cosine_ = false;
  Linear linear_;
  at::Tensor log_scale_;
};

class Model {
 public:
  // Draws the network's parameters from `init` and the head's from `head`, so that neither moves
  // the other. Names start with `gnn.` and `head.`.
  Model(std::shared_ptr<Gnn> gnn, std::string gnn_name, const HeadParams& head, std::int64_t width,
        std::int64_t views, std::int64_t classes, std::int64_t seed, Parameters& parameters);

  // Logits [samples, classes] of all samples of a square graph.
  [[nodiscard]] at::Tensor logits(const Nodes& nodes, const CsrGraph& graph,
                                  const Mode& mode) const;

  // The states of a square graph's nodes before each step, for queries to attach to: exactly what
  // the nodes have in logits() outside training.
  struct Support {
    std::vector<at::Tensor> states;
    at::Tensor logits;
  };
  [[nodiscard]] Support support(const Nodes& nodes, const CsrGraph& graph) const;
  // Logits of queries in a rectangular graph made by NodeGraphs::attach().
  [[nodiscard]] at::Tensor attached(const Support& support, const Nodes& queries,
                                    const CsrGraph& graph) const;

 private:
  [[nodiscard]] at::Tensor classify(const at::Tensor& h, const at::Tensor& x,
                                    const Mode& mode) const;

  std::shared_ptr<Gnn> gnn_;
  std::string name_;
  std::int64_t views_;
  Head head_;
};

}  // namespace espalier
