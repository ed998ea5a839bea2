// Scores outside training, with the parameters as they are.
#pragma once

#include "train/network.hpp"
#include "train/protocol.hpp"
#include "train/state_bank.hpp"
#include "train/values.hpp"
#include <espalier/plugin/peft.hpp>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace espalier {

// Good for one state of the parameters: what scenes share is computed once. The references must
// outlive it.
class Evaluation {
 public:
  // The bank gets the training scene's features, where those are trained.
  Evaluation(const Network& network, const Sources& sources, const Protocol& protocol,
             StateBank& bank)
      : network_(network),
        sources_(sources),
        protocol_(protocol),
        training_(protocol.training()),
        bank_(bank) {}

  // What the training scene says, where that is known with these parameters; asked of nobody then.
  void know(Network::Support training) { support_ = std::move(training); }

  // Logits [training samples, classes].
  [[nodiscard]] at::Tensor training();
  // Logits [queries, classes] from the scenes that the protocol made for so many queries. Where a
  // query sees none of the others its bits are the same whoever is asked with it, and in whatever
  // order: it is computed in a block of a size that the queries do not change, where the network
  // promises that rows do not meet and a trial of it agrees, and by itself elsewhere.
  [[nodiscard]] at::Tensor answers(std::span<const Scene> scenes, std::int64_t queries);
  // The same with all queries of a scene in one product, which may round them by who else is there.
  [[nodiscard]] at::Tensor answers_together(std::span<const Scene> scenes, std::int64_t queries);
  // What the head is given of queries with these labels, and makes of it.
  [[nodiscard]] JudgedFeatures judged(std::span<const Scene> scenes,
                                      const std::vector<std::int64_t>& labels);

 private:
  using Part = at::Tensor Scores::*;

  const Network::Support& support();
  Scores scores(const Scene& scene);
  const at::Tensor& classes();
  [[nodiscard]] bool trained() const;
  [[nodiscard]] Values values_of_queries(std::span<const std::size_t> samples);
  // Of queries that see none of the others: of one, and of as many as a block has.
  [[nodiscard]] Scores one(const Scene& scene, std::int64_t place);
  [[nodiscard]] Scores block(const Scene& scene, std::span<const std::int64_t> places);
  [[nodiscard]] bool blocks_hold(std::int64_t size);
  [[nodiscard]] std::int64_t block_size();
  // That part of what is said of the asked.
  at::Tensor together(const Scene& scene, Part part);
  at::Tensor one_by_one(const Scene& scene, Part part);
  at::Tensor apart_from_others(const Scene& scene, Part part);
  // Of all queries.
  at::Tensor gathered(std::span<const Scene> scenes, std::int64_t queries, Part part,
                      at::Tensor (Evaluation::*asked)(const Scene&, Part));

  const Network& network_;
  const Sources& sources_;
  const Protocol& protocol_;
  const Scene& training_;
  StateBank& bank_;
  std::optional<Network::Support> support_;
  std::optional<std::int64_t> block_size_;
  at::Tensor classes_;
};

}  // namespace espalier
