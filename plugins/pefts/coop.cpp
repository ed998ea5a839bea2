// CoOp (Zhou et al. 2022): the words in front of the class's name are learned.
//   [start][v_1 ... v_M][class][.][end], v ~ N(0, 0.02^2) or the embeddings of given words,
// the same for all classes or, class-specific (CSC), some for each. They take the place of word
// embeddings, before positions are added. Captions stay as they are.
#include <ATen/TensorOperators.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include <espalier/peft/adapter.hpp>
#include <espalier/peft/prompt_context.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::AdaptableEncoder;
using espalier::Parameters;
using espalier::Site;

struct CoOpParams : espalier::ContextParams {
  bool csc = false;
};

void bind(espalier::Schema<CoOpParams>& s) {
  bind_context(s);
  s.field("csc", &CoOpParams::csc).doc("Learn words of its own for each class");
  s.paper({{"optimizer", "sgd"},
           {"momentum", 0.9},
           {"lr", 2e-3},
           {"weight_decay", 5e-4},
           {"batch_size", 32},
           {"schedule", "cosine"}},
          "the authors' code, for 50 epochs of 1 shot, 100 of 2 and 4, 200 of 8 and 16");
}

constexpr double deviation = 0.02;

class CoOp final : public espalier::Peft {
 public:
  using Params = CoOpParams;
  CoOp(const Params& params, const espalier::RunContext&) : params_(params), place_(params) {}

  [[nodiscard]] std::string class_template() const override { return place_.class_template(); }
  void prepare(const espalier::MethodInput& input) override { place_.find(input); }

  void attach(AdaptableEncoder& encoder, Parameters& parameters,
              espalier::Random& random) override {
    const std::vector<Site*> words = encoder.sites(espalier::SiteRole::tokens, "words");
    if (words.empty()) return;
    const at::Tensor context = parameters.add("context", start(encoder, random));
    words[0]->hook_input([context, place = place_, csc = params_.csc](const at::Tensor& x,
                                                                      const espalier::Mode& mode) {
      if (mode.classes.empty()) return x;
      return place.put(x, csc ? of_classes(context, mode) : context);
    });
  }

  [[nodiscard]] espalier::Json adapter_config() const override {
    return espalier::own_adapter_config(
        "coop", {{"n_ctx", params_.n_ctx}, {"ctx_init", params_.ctx_init}, {"csc", params_.csc}});
  }

 private:
  // Words that are given are the same for all classes; at random each has its own.
  [[nodiscard]] at::Tensor start(const AdaptableEncoder& encoder, espalier::Random& random) const {
    if (!params_.csc) return place_.start(encoder, deviation, random);
    std::vector<at::Tensor> of_each;
    for (std::int64_t i = 0; i < place_.classes(); ++i) {
      of_each.push_back(place_.start(encoder, deviation, random));
    }
    return at::stack(of_each);
  }

  static at::Tensor of_classes(const at::Tensor& context, const espalier::Mode& mode) {
    const std::vector<std::int64_t> rows(mode.classes.begin(), mode.classes.end());
    return context.index_select(0, at::tensor(rows, at::kLong).to(context.device()));
  }

  Params params_;
  espalier::PromptContext place_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "coop", 1, CoOp, "Learns the words before a class's name (Zhou 2022)",
                   "needs_sites needs_features class_template class_bound:csc")
