#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones_like.h>

#include <atomic>
#include <espalier/plugin/gnn_states.hpp>
#include <numeric>
#include <set>
#include <span>

#include "matter_internal.hpp"
#include "network_internal.hpp"
#include "properties_internal.hpp"
#include "toys_internal.hpp"

namespace espalier::conformance {
namespace {

constexpr std::int64_t state_width = 8;
constexpr std::int64_t node_count = 14;
// Sums over neighbours may be taken in another order: float32 rounding.
constexpr double state_tolerance = 1e-5;

struct Toy {
  at::Tensor x;
  CsrGraph graph;
};

// Labels of the first nodes, by turns; the others have none.
at::Tensor labels(std::int64_t labelled, std::int64_t n) {
  at::Tensor all = at::arange(n, at::kLong).remainder(toy_classes);
  all.slice(0, labelled).fill_(-1);
  return all;
}

Toy toy(std::int64_t n = node_count, double degree = 3) {
  Random random(std::uint64_t{21});
  Toy made{normal_tensor({n, state_width}, random), {}};
  made.graph = random_graph(n, degree, random);
  made.graph.label = labels(n, n);
  return made;
}

std::vector<std::int64_t> in_order(std::int64_t n) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(n));
  std::iota(numbers.begin(), numbers.end(), std::int64_t{0});
  return numbers;
}

std::vector<std::uint64_t> ids_of(const std::vector<std::int64_t>& order) {
  return {order.begin(), order.end()};
}

Mode training_mode(std::span<const std::uint64_t> ids) {
  return {.training = true, .dropout = {.key = 4, .rows = ids}};
}

Network disturbed(const Subject& subject) {
  Network network(subject, state_width);
  network.disturb();
  return network;
}

void sound_parameters(const Subject& subject) {
  const Network network(subject, state_width);
  std::set<std::string> names;
  for (const auto& [name, tensor] : network.parameters().entries()) {
    expect(names.insert(name).second, "two parameters are called \"" + name + "\"");
    expect(tensor.scalar_type() == at::kFloat, "\"" + name + "\" is not float32");
    expect(tensor.is_leaf() && tensor.requires_grad(), "\"" + name + "\" is no trainable leaf");
    expect(finite(tensor), "\"" + name + "\" is not finite");
  }
}

void repeatable_initialisation(const Subject& subject) {
  const Network first(subject, state_width, 1);
  const Network second(subject, state_width, 1);
  const auto& a = first.parameters().entries();
  const auto& b = second.parameters().entries();
  expect(a.size() == b.size(), "two initialisations have different parameters");
  for (std::size_t i = 0; i < a.size(); ++i) {
    expect(a[i].first == b[i].first && same_bits(a[i].second, b[i].second),
           "\"" + a[i].first + "\" differs with the same seed");
  }
}

void sound_outputs(const Subject& subject) {
  const Network network = disturbed(subject);
  for (const std::int64_t n : {0, 1, 2, 14}) {
    for (const double degree : {0.0, 3.0}) {
      const Toy made = toy(n, degree);
      const at::Tensor y = network.forward(made.x, made.graph);
      const std::string what =
          std::to_string(n) + " nodes, " + std::to_string(made.graph.edges()) + " edges: ";
      expect(y.sizes() == at::IntArrayRef({n, network.gnn().out_width()}),
             what + "the shape is " + shape_of(y));
      expect(y.scalar_type() == at::kFloat, what + "the result is not float32");
      expect(finite(y), what + "the result is not finite");
    }
  }
}

void repeatable_states(const Subject& subject) {
  const Network network = disturbed(subject);
  const Toy made = toy();
  expect(same_bits(network.forward(made.x, made.graph), network.forward(made.x, made.graph)),
         "a second call gives other bits");
  const auto ids = ids_of(in_order(node_count));
  const auto training = [&] { return network.forward(made.x, made.graph, training_mode(ids)); };
  expect(same_bits(training(), training()),
         "training with the same random numbers gives other bits");
}

void input_as_declared(const Subject& subject) {
  const Network network = disturbed(subject);
  if (network.gnn().reads_input()) return;
  const Toy made = toy();
  const GnnStates states = run_gnn(network.gnn(), made.x, made.graph, {});
  const at::Tensor y = network.gnn().readout(states.layers.back(), {}, {});
  expect(same_bits(y, states.output), "readout() gives something else without the input");
}

void network_trains_as_it_says(const Subject& subject) {
  const Network network = disturbed(subject);
  const Toy made = toy();
  const auto ids = ids_of(in_order(node_count));
  std::atomic<bool> drawn = false;
  Mode mode = training_mode(ids);
  mode.dropout.drawn = &drawn;
  const bool same =
      same_bits(network.forward(made.x, made.graph), network.forward(made.x, made.graph, mode));
  expect_drawn_if_other(same, drawn);
}

void equivariant_states(const Subject& subject) {
  const Network network = disturbed(subject);
  const Toy made = toy();
  Random random(std::uint64_t{5});
  const auto order = random_order(node_count, random);
  const at::Tensor index = index_tensor(order);
  const auto expect_moved = [&](const Mode& there, const Mode& here, const std::string& when) {
    const at::Tensor moved =
        network.forward(made.x.index_select(0, index), reorder(made.graph, order), there);
    const at::Tensor still = network.forward(made.x, made.graph, here).index_select(0, index);
    expect(close(moved, still, state_tolerance), "nodes in another order give other states" + when);
  };
  expect_moved({}, {}, "");
  const auto here = ids_of(in_order(node_count)), there = ids_of(order);
  expect_moved(training_mode(there), training_mode(here), " in training");
}

void edges_as_declared(const Subject& subject) {
  const Network network = disturbed(subject);
  const Toy made = toy();
  CsrGraph none = empty_graph(node_count, node_count);
  none.label = made.graph.label;
  const bool same =
      close(network.forward(made.x, made.graph), network.forward(made.x, none), state_tolerance);
  expect(same != subject.has("graph"), same ? "`graph` is declared and edges change nothing"
                                            : "edges matter and `graph` is not declared");
}

void weights_as_declared(const Subject& subject) {
  const Network network = disturbed(subject);
  const Toy made = toy();
  CsrGraph plain = made.graph;
  plain.weight = at::ones_like(plain.weight);
  const bool same =
      close(network.forward(made.x, made.graph), network.forward(made.x, plain), state_tolerance);
  expect(same != subject.has("edge_weight"),
         same ? "`edge_weight` is declared and weights change nothing"
              : "weights matter and `edge_weight` is not declared");
}

void identity_as_declared(const Subject& subject) {
  if (!subject.has("identity_at_init")) throw Skip("`identity_at_init` is not declared");
  const Network network(subject, state_width);
  const Toy made = toy();
  expect(at::equal(network.forward(made.x, made.graph), made.x),
         "`identity_at_init` is declared and the untrained network changes its input");
}

void right_gradients(const Subject& subject) {
  if (subject.has("scores")) throw Skip("`scores` is declared, so nothing is trained");
  Network network = disturbed(subject);
  const Toy made = toy();
  check_gradients(network, made.x, made.graph);
}

// A node without outgoing edges changes no other, so attaching it must give what the whole graph
// gives.
void attaching_equals_the_whole(const Subject& subject) {
  if (!subject.has("bipartite")) throw Skip("`bipartite` is not declared");
  const Network network = disturbed(subject);
  const Toy made = toy(node_count, 4);
  const std::int64_t support = node_count - 3;
  std::vector<Edge> among;
  std::vector<Edge> inward;
  std::vector<Edge> all;
  for (Edge edge : edges_of(made.graph)) {
    if (edge.source >= support) continue;
    all.push_back(edge);
    if (edge.target < support) {
      among.push_back(edge);
    } else {
      edge.target -= support;
      inward.push_back(edge);
    }
  }
  const auto graph = [&](std::int64_t targets, std::int64_t sources, std::vector<Edge> edges) {
    CsrGraph one = graph_from_edges(targets, sources, std::move(edges), true);
    one.label = labels(support, sources);
    return one;
  };
  const at::Tensor whole = network.forward(made.x, graph(node_count, node_count, all));
  const at::Tensor attached =
      network.attach(made.x.slice(0, 0, support), graph(support, support, among),
                     made.x.slice(0, support), graph(node_count - support, support, inward));
  expect(close(attached, whole.slice(0, support), state_tolerance),
         "attached nodes have other states than in the whole graph");
}

void leaves_inputs_alone(const Subject& subject) {
  const Network network = disturbed(subject);
  const Toy made = toy();
  const at::Tensor x = made.x.clone();
  const at::Tensor weight = made.graph.weight.clone();
  (void)network.forward(made.x, made.graph);
  expect(at::equal(x, made.x), "it changes the node states that it is given");
  expect(at::equal(weight, made.graph.weight), "it changes the weights of the graph");
}

Behaviour watched_gnn(const Subject& subject) {
  Behaviour seen;
  Network network(subject, state_width);
  seen.add(network.gnn().out_width());
  seen.add(network.gnn().depth());
  for (const auto& [name, tensor] : network.parameters().entries()) {
    seen.add(name);
    seen.add(tensor);
  }
  network.disturb();
  const Toy made = toy();
  const auto ids = ids_of(in_order(node_count));
  seen.add(network.forward(made.x, made.graph));
  seen.add(network.forward(made.x, made.graph, training_mode(ids)));
  return seen;
}

}  // namespace

std::vector<Property> gnn_properties() {
  return {
      {"sound_parameters", "Parameters are distinct, finite, trainable float32", true,
       sound_parameters},
      {"repeatable_initialisation", "The same seed gives the same parameters", true,
       repeatable_initialisation},
      {"sound_outputs", "States are finite and of the declared width on any graph", true,
       sound_outputs},
      {"repeatable", "The same inputs and random numbers give the same bits", true,
       repeatable_states},
      {"training_differs_by_draws_alone",
       "In training it computes as outside, but for what it draws from the mode", true,
       network_trains_as_it_says},
      {"permutation_equivariance", "Nodes in another order have the same states", true,
       equivariant_states},
      {"edges_as_declared", "Edges matter exactly if `graph` is declared", true, edges_as_declared},
      {"weights_as_declared", "Weights matter exactly if `edge_weight` is declared", true,
       weights_as_declared},
      {"identity_as_declared", "Where `identity_at_init` is declared, it begins as the identity",
       true, identity_as_declared},
      {"input_as_declared", "Where reads_input() says no, readout() does without the input", true,
       input_as_declared},
      {"right_gradients", "Gradients equal difference quotients", true, right_gradients},
      {"attaching_equals_the_whole",
       "A node attached to others has the state that it has in the whole graph", true,
       attaching_equals_the_whole},
      {"leaves_inputs_alone", "Inputs are not written to", true, leaves_inputs_alone},
      parameters_matter(watched_gnn),
  };
}

}  // namespace espalier::conformance
