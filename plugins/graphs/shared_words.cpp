// Edges between nodes whose captions share words: any builder, on words weighted by tf-idf. How
// rare a word is, is learned from the training nodes alone.
#include <ATen/ops/empty.h>

#include <espalier/plugin/component.hpp>
#include <espalier/plugin/graph.hpp>

#include <algorithm>

#include "encoders/classical/word_features.hpp"

namespace {

using espalier::GraphInput;
using espalier::WordFeatures;

struct SharedWordsParams {
  std::int64_t columns = 1024;
  std::int64_t ngrams = 1;
  espalier::ComponentRef builder{"knn"};
};

void bind(espalier::Schema<SharedWordsParams>& s) {
  s.field("columns", &SharedWordsParams::columns)
      .range(16, 65536)
      .doc("Columns that words are hashed to");
  s.field("ngrams", &SharedWordsParams::ngrams)
      .range(1, 5)
      .doc("Runs of up to so many words count as words");
  s.field("builder", &SharedWordsParams::builder)
      .kind("graph")
      .doc("Builds by the cosines of the weighted words");
}

WordFeatures fitted(const SharedWordsParams& params, const GraphInput& nodes) {
  WordFeatures words(params.columns, params.ngrams);
  const std::size_t samples = nodes.texts.size() / static_cast<std::size_t>(nodes.views);
  const std::size_t training =
      nodes.fit < 0 ? samples : std::min(samples, static_cast<std::size_t>(nodes.fit));
  words.fit(nodes.texts.first(training));
  return words;
}

GraphInput by_words(const WordFeatures& words, const GraphInput& input) {
  GraphInput read = input;
  read.features = at::empty({std::ssize(input.texts), words.width()}, at::kFloat);
  float* row = read.features.data_ptr<float>();
  for (const std::string& text : input.texts) {
    const std::vector<float> values = words.transform(text);
    row = std::copy(values.begin(), values.end(), row);
  }
  return read;
}

class SharedWordsSupport final : public espalier::GraphSupport {
 public:
  SharedWordsSupport(const espalier::GraphBuilder& builder, const SharedWordsParams& params,
                     const GraphInput& nodes)
      : words_(fitted(params, nodes)), support_(builder.support(by_words(words_, nodes))) {}

  const espalier::CsrGraph& graph() const override { return support_->graph(); }
  espalier::CsrGraph attach(const GraphInput& queries) const override {
    return support_->attach(by_words(words_, queries));
  }

 private:
  WordFeatures words_;
  std::unique_ptr<espalier::GraphSupport> support_;
};

class SharedWords final : public espalier::GraphBuilder {
 public:
  using Params = SharedWordsParams;
  SharedWords(const Params& params, const espalier::RunContext& context)
      : params_(params), builder_(context.make<espalier::GraphBuilder>(params.builder)) {}

  std::unique_ptr<espalier::GraphSupport> support(const GraphInput& nodes) const override {
    return std::make_unique<SharedWordsSupport>(*builder_, params_, nodes);
  }

 private:
  Params params_;
  std::shared_ptr<espalier::GraphBuilder> builder_;
};

}  // namespace

ESPALIER_COMPONENT(graph, "shared_words", 1, SharedWords,
                   "Joins nodes whose captions share rare words", "needs_texts wraps:builder")
