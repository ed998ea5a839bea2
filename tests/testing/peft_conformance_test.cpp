#include <espalier/testing/conformance.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/ones_like.h>
#include <gmock/gmock.h>

#include <espalier/nn/dropout.hpp>
#include <espalier/plugin/peft.hpp>
#include <map>

#include "testing/toy_component.hpp"

// Methods that are right but for one thing, and the property that must notice.
namespace espalier::broken_pefts {
namespace {

using conformance::Finding;
using conformance::State;
using testing_support::expect_violation;
using testing_support::find;

// Low-rank maps with dropout on the queries of the second layer of each tower. Each subclass spoils
// one thing.
class Right : public Peft {
 public:
  void attach(AdaptableEncoder& encoder, Parameters& parameters, Random& random) override {
    for (Site* site : encoder.sites(SiteRole::linear, "q")) {
      if (site->layer == 1) adapt(*site, parameters, random);
    }
  }
  void merge(AdaptableEncoder&) override {
    for (const Adapted& one : adapted_) {
      one.site->unhook();
      one.site->weight = one.site->weight + at::matmul(one.b, one.a).detach();
    }
  }

 protected:
  struct Adapted {
    Site* site;
    at::Tensor a, b;
  };
  virtual void adapt(Site& site, Parameters& parameters, Random& random) {
    const Adapted one{.site = &site,
                      .a = parameters.add(site.name + ".a", linear_init({2, 16}, random)),
                      .b = parameters.add(site.name + ".b", linear_init({16, 2}, random))};
    adapted_.push_back(one);
    site.hook_output([this, one](const at::Tensor& x, const at::Tensor& y, const Mode& mode) {
      return changed(one, x, y, mode);
    });
  }
  virtual at::Tensor changed(const Adapted& one, const at::Tensor& x, const at::Tensor& y,
                             const Mode& mode) {
    const at::Tensor dropped = dropout(x.to(at::kFloat), 0.2, mode, one.site->name);
    return y + at::linear(at::linear(dropped, one.a), one.b).to(y.scalar_type());
  }

  std::vector<Adapted> adapted_;
};

class KeepsItsInput : public Right {
  at::Tensor changed(const Adapted& one, const at::Tensor& x, const at::Tensor& y,
                     const Mode& mode) override {
    last_ = x.narrow(0, 0, 1);
    return Right::changed(one, x, y, mode);
  }
  at::Tensor last_;
};

class WritesToItsOutput : public Right {
  at::Tensor changed(const Adapted& one, const at::Tensor& x, const at::Tensor& y,
                     const Mode&) override {
    at::Tensor sum = y.detach();
    sum.add_(at::linear(at::linear(x, one.a), one.b).detach());
    return y;
  }
};

class HooksASiteTwice : public Right {
  void adapt(Site& site, Parameters& parameters, Random& random) override {
    Right::adapt(site, parameters, random);
    site.hook_output([](const at::Tensor&, const at::Tensor& y, const Mode&) { return y; });
  }
};

class CountsItsCalls : public Right {
  at::Tensor changed(const Adapted& one, const at::Tensor& x, const at::Tensor& y,
                     const Mode& mode) override {
    return Right::changed(one, x, y, mode) * (1 + 0.01 * ++calls_);
  }
  double calls_ = 0;
};

class DrawsOnItsOwn : public Right {
  at::Tensor changed(const Adapted& one, const at::Tensor& x, const at::Tensor& y,
                     const Mode& mode) override {
    if (!mode.training) return Right::changed(one, x, y, mode);
    return y + at::linear(at::linear(x, one.a), one.b) * (random_.uniform() < 0.5 ? 0.0 : 2.0);
  }
  Random random_{std::uint64_t{5}};
};

class IsLouderInTraining : public Right {
  at::Tensor changed(const Adapted& one, const at::Tensor& x, const at::Tensor& y,
                     const Mode& mode) override {
    return y + at::linear(at::linear(x, one.a), one.b) * (mode.training ? 1.1 : 1.0);
  }
};

// What the pass without a tape computed carries no gradient in the replay.
class KeepsAProduct : public Right {
  at::Tensor changed(const Adapted& one, const at::Tensor& x, const at::Tensor& y,
                     const Mode& mode) override {
    if (!mode.training) return Right::changed(one, x, y, mode);
    at::Tensor& product = products_[one.site];
    if (!product.defined()) product = at::matmul(one.b, one.a);
    return y + at::linear(x, product);
  }
  std::map<const Site*, at::Tensor> products_;
};

class ForgetsAParameter : public Right {
  void attach(AdaptableEncoder& encoder, Parameters& parameters, Random& random) override {
    Right::attach(encoder, parameters, random);
    parameters.add("unused", at::ones({3}));
  }
};

class StaysHookedWhenMerged : public Right {
  void merge(AdaptableEncoder&) override {}
};

class MergesTooMuch : public Right {
  void merge(AdaptableEncoder& encoder) override {
    Right::merge(encoder);
    adapted_.front().site->weight = adapted_.front().site->weight * 1.01;
  }
};

// What it adds depends on the seed and is not among the parameters.
class HidesAState : public Right {
  void adapt(Site& site, Parameters& parameters, Random& random) override {
    hidden_ = random.uniform();
    Right::adapt(site, parameters, random);
  }
  at::Tensor changed(const Adapted& one, const at::Tensor& x, const at::Tensor& y,
                     const Mode& mode) override {
    return Right::changed(one, x, y, mode) * (1 + hidden_);
  }
  double hidden_ = 0;
};

// A weight on the features beside the scores, from what it was prepared with, and a pull on it.
class RightAtTheLogits : public Peft {
 public:
  void prepare(const MethodInput& input) override { start_ = input.classes; }
  void attach(AdaptableEncoder& encoder, Parameters& parameters, Random&) override {
    weight_ = parameters.add("weight", start_);
    encoder.site("logits").hook_output(
        [this](const at::Tensor& x, const at::Tensor& y, const Mode&) { return changed(x, y); });
  }
  at::Tensor penalty() const override { return weight_.square().sum(); }

 protected:
  virtual at::Tensor changed(const at::Tensor& x, const at::Tensor& y) {
    return y + at::linear(x, weight_);
  }
  at::Tensor start_;
  at::Tensor weight_;
};

class WritesToTheScores : public RightAtTheLogits {
  at::Tensor changed(const at::Tensor& x, const at::Tensor& y) override {
    y.detach().add_(at::linear(x, weight_).detach());
    return y;
  }
};

class TunesInSecret : public RightAtTheLogits {
  void conclude(const JudgedFeatures& val) override {
    factor_ = static_cast<double>(val.labels.numel());
  }
  at::Tensor changed(const at::Tensor& x, const at::Tensor& y) override {
    return RightAtTheLogits::changed(x, y) * factor_;
  }
  double factor_ = 1;
};

class TrainsWhenConcluding : public RightAtTheLogits {
  void conclude(const JudgedFeatures&) override { weight_.detach().add_(1); }
};

class HasAListOfFacts : public RightAtTheLogits {
  Json facts() const override { return {{"tried", {1, 2, 3}}}; }
};

// Right on pictures alone.
class MergesTooMuchOfTexts : public Right {
  void merge(AdaptableEncoder& encoder) override {
    Right::merge(encoder);
    if (encoder.image() == nullptr) adapted_.front().site->weight *= 1.01;
  }
};

class MergesInPlace : public Right {
  void merge(AdaptableEncoder&) override {
    for (const Adapted& one : adapted_) {
      one.site->unhook();
      one.site->weight.add_(at::matmul(one.b, one.a));
    }
  }
};

class NeedsPicturesInSecret : public Right {
  void attach(AdaptableEncoder& encoder, Parameters& parameters, Random& random) override {
    if (encoder.image() != nullptr) Right::attach(encoder, parameters, random);
  }
};

class TrainsInTheEncodersPrecision : public Right {
  void adapt(Site& site, Parameters& parameters, Random&) override {
    const at::Tensor w = parameters.add(site.name, site.weight);
    site.hook_output([w](const at::Tensor& x, const at::Tensor& y, const Mode&) {
      return y + at::linear(x, w);
    });
  }
};

class RefusesHalfPrecision : public Right {
 public:
  std::string fix;
  void adapt(Site& site, Parameters& parameters, Random& random) override {
    if (site.weight.scalar_type() == at::kBFloat16) {
      throw Error({.what = "no", .where = {}, .expected = {}, .found = {}, .fix = fix});
    }
    Right::adapt(site, parameters, random);
  }
};
class RefusesItWithAWayOut : public RefusesHalfPrecision {
 public:
  RefusesItWithAWayOut() { fix = "encoder.precision=float32"; }
};

// A row sees the mean of all.
class LooksAtTheWholePass : public Right {
  at::Tensor changed(const Adapted& one, const at::Tensor& x, const at::Tensor& y,
                     const Mode& mode) override {
    return Right::changed(one, x - x.mean(0, true), y, mode);
  }
};

// A position sees the mean of all.
class MixesPositions : public Right {
  at::Tensor changed(const Adapted& one, const at::Tensor& x, const at::Tensor& y,
                     const Mode& mode) override {
    return Right::changed(one, x - x.mean(1, true), y, mode);
  }
};

class StaysHookedWhenJoined : public Right {
 public:
  void join(AdaptableEncoder& encoder, const SampleGraph&, const LookAtNodes& look) override {
    encoder.sites(SiteRole::linear, "q")
        .front()
        ->hook_output([](const at::Tensor&, const at::Tensor& y, const Mode&) { return y; });
    look();
  }
};

class ChangesWhatItLooksAt : public Right {
 public:
  void join(AdaptableEncoder& encoder, const SampleGraph&, const LookAtNodes& look) override {
    Site& site = *encoder.sites(SiteRole::linear, "q").front();
    site.hook_output([](const at::Tensor&, const at::Tensor& y, const Mode&) { return y * 2; });
    look();
    site.unhook();
  }
};

const std::vector<std::string> all_of_peft = {"mergeable", "needs_sites"};

TEST(PeftConformance, HoldsForARightMethod) {
  for (const conformance::Property& property : conformance::properties("peft")) {
    const Finding finding = find<Right>(property.name, all_of_peft);
    EXPECT_NE(finding.state, State::violated) << property.name << ": " << finding.message;
  }
}

TEST(PeftConformance, NoticesWhatIsWrongWithAHook) {
  expect_violation<KeepsItsInput>("keeps_no_tensor", all_of_peft,
                                  "keeps a tensor of a finished pass");
  expect_violation<WritesToItsOutput>("takes_part_in_training", all_of_peft, "in place");
  expect_violation<HooksASiteTwice>("takes_part_in_training", all_of_peft, "hooked twice");
  const std::string passes = "passes_have_the_gradients_of_one_tape";
  expect_violation<CountsItsCalls>(passes, all_of_peft, "");
  expect_violation<DrawsOnItsOwn>(passes, all_of_peft, "");
  expect_violation<KeepsAProduct>(passes, all_of_peft, "");
  const std::string draws = "training_differs_by_draws_alone";
  expect_violation<IsLouderInTraining>(draws, all_of_peft, "draws nothing");
}

TEST(PeftConformance, LooksAtClassScoresAndAtWhatIsPreparedForThem) {
  const std::vector<std::string> prepared = {"needs_class_texts", "needs_features", "needs_sites"};
  for (const conformance::Property& property : conformance::properties("peft")) {
    const Finding finding = find<RightAtTheLogits>(property.name, prepared);
    EXPECT_NE(finding.state, State::violated) << property.name << ": " << finding.message;
  }
  expect_violation<WritesToTheScores>("takes_part_in_training", prepared, "in place");
  const std::string concludes = "only_the_tuned_conclude";
  expect_violation<TunesInSecret>(concludes, prepared, "`tuned` is not declared");
  expect_violation<TrainsWhenConcluding>(concludes, {"needs_features", "needs_sites", "tuned"},
                                         "changes the parameter");
  expect_violation<HasAListOfFacts>("facts_are_flat", prepared, "tried");
}

TEST(PeftConformance, NoticesWhatIsWrongWithParametersAndMerging) {
  expect_violation<ForgetsAParameter>("every_parameter_gets_a_gradient", all_of_peft, "unused");
  expect_violation<HidesAState>("restored_parameters_make_the_same_features", all_of_peft,
                                "another seed");
  expect_violation<StaysHookedWhenMerged>("merging_keeps_features", all_of_peft, "still hooked");
  expect_violation<MergesTooMuch>("merging_keeps_features", all_of_peft, "changes the features");
}

TEST(PeftConformance, LooksAtEveryModelThatHasWhatAMethodDeclares) {
  expect_violation<MergesTooMuchOfTexts>("merging_keeps_features", all_of_peft,
                                         "on a BERT: merge() changes the features");
  std::vector<std::string> on_pictures = all_of_peft;
  on_pictures.emplace_back("needs_image");
  EXPECT_EQ(find<MergesTooMuchOfTexts>("merging_keeps_features", on_pictures).state, State::holds);
}

TEST(PeftConformance, SaysOnWhichModelsAMethodIsNotLookedAt) {
  const auto said = [](const char* property, const char* capability) {
    std::vector<std::string> capabilities = all_of_peft;
    capabilities.emplace_back(capability);
    return find<Right>(property, capabilities);
  };
  EXPECT_EQ(said("attaches_to_vit", "on_linear").state, State::holds);
  const Finding without = find<Right>("attaches_to_perceptron", all_of_peft);
  EXPECT_EQ(without.state, State::skipped);
  EXPECT_EQ(without.message, "it attaches to nothing there");
  const Finding declared = said("attaches_to_perceptron", "on_norm");
  EXPECT_EQ(declared.state, State::skipped);
  EXPECT_EQ(declared.message, "it needs norm sites, and a perceptron has none");
}

TEST(PeftConformance, HoldsAMethodToWhereItSaysThatItAttaches) {
  std::vector<std::string> capabilities = all_of_peft;
  capabilities.emplace_back("on_linear");
  expect_violation<NeedsPicturesInSecret>("attaches_to_bert", capabilities,
                                          "on a BERT: it attaches to nothing there");
  expect_violation<Right>("attaches_to_perceptron", capabilities, "attaches to nothing there");
  capabilities.back() = "needs_image";
  expect_violation<Right>("attaches_to_bert", capabilities,
                          "it attaches to a BERT, although it needs an image tower");
}

TEST(PeftConformance, NoticesRowsAndPositionsThatMeetAndWhatIsWrongWithAGraph) {
  expect_violation<LooksAtTheWholePass>("rows_do_not_meet", all_of_peft, "who else is in it");
  expect_violation<MixesPositions>("positions_do_not_meet", all_of_peft, "mixes positions");
  const std::vector<std::string> on_a_graph = {"graph", "needs_image", "needs_sites"};
  const std::string looks = "looks_without_a_trace";
  expect_violation<StaysHookedWhenJoined>(looks, on_a_graph, "still hooked after join()");
  expect_violation<ChangesWhatItLooksAt>(looks, on_a_graph, "change what it sees");
  expect_violation<Right>("messages_as_declared", on_a_graph, "edges change nothing");
}

TEST(PeftConformance, NoticesWhatIsWrongWithPrecisionAndWithUndoing) {
  expect_violation<TrainsInTheEncodersPrecision>("works_in_half_precision", all_of_peft,
                                                 "is not float32");
  expect_violation<RefusesHalfPrecision>("works_in_half_precision", all_of_peft, "no");
  EXPECT_EQ(find<RefusesItWithAWayOut>("works_in_half_precision", all_of_peft).state,
            State::skipped);
  expect_violation<MergesInPlace>("reset_undoes_a_merge", all_of_peft, "after merge() and reset()");
}

}  // namespace
}  // namespace espalier::broken_pefts
