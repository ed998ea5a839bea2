#include "train/stored_activations.hpp"

#include <ATen/TensorOperators.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>

#include "train/tower_source.hpp"
#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/nn/parameters.hpp>
#include <espalier/nn/pretrained.hpp>
#include <map>

#include "cache/cache_fixture.hpp"
#include "nn/cases.hpp"

namespace espalier {
namespace {

using Ids = std::vector<std::vector<std::int64_t>>;

class StoredActivationsTest : public CacheTest {
 protected:
  std::unique_ptr<AdaptableEncoder> encoder_ =
      load_pretrained(cases::encoder_case("clip-tiny-gelu"));
  const VisionTower& image_ = *encoder_->image();

  [[nodiscard]] std::shared_ptr<PixelSource> pixels() const {
    const std::int64_t side = image_.image_size();
    return std::make_shared<PixelSource>(
        [side](const Look& look) {
          Random random(look_id(look));
          return uniform_init({3, side, side}, 1.0, random);
        },
        2);
  }
  [[nodiscard]] std::shared_ptr<ComputedActivations> computed(std::int64_t cut) const {
    return std::make_shared<ComputedActivations>(image_, pixels(), -1, cut);
  }
  static std::vector<Look> looks() {
    std::vector<Look> list;
    for (std::size_t sample = 0; sample < 4; ++sample) {
      for (std::int64_t view = 0; view < 2; ++view) list.push_back({2 * sample, view});
    }
    return list;
  }
  static std::vector<std::string> row_ids() {
    std::vector<std::string> ids;
    for (const Look& look : looks()) ids.push_back(name_of(look));
    return ids;
  }
  static std::string name_of(const Look& look) {
    return std::to_string(look.view) + " of photo " + std::to_string(look.sample);
  }
  // In parts of three looks, each as it was computed alone.
  void fill(StageEntry& entry, const ActivationSource& source, StoredAs type) {
    const StageEntry::Claims claims(entry, row_ids());
    const std::vector<Look> all = looks();
    const std::vector<std::string> ids = row_ids();
    for (std::size_t at = 0; at < all.size(); at += 3) {
      const std::size_t count = std::min<std::size_t>(3, all.size() - at);
      add_activations(entry, std::span(ids).subspan(at, count),
                      source.at(std::span(all).subspan(at, count)), type);
    }
  }
  [[nodiscard]] std::shared_ptr<StageEntry> filled(const ActivationSource& source, StoredAs type) {
    StageEntry writing = open();
    fill(writing, source, type);
    return std::make_shared<StageEntry>(open());
  }
};

// Whether values below the cut come from the cache or are computed again, in another order and
// other batches: the same bits, and so the same features.
TEST_F(StoredActivationsTest, HaveTheBitsOfRecomputation) {
  std::vector<Look> order = looks();
  std::reverse(order.begin(), order.end());
  for (const std::int64_t cut : {0, 2, 3, 4}) {
    const auto below = computed(cut);
    const auto stored =
        std::make_shared<StoredActivations>(filled(*below, StoredAs::float32), name_of);
    EXPECT_TRUE(stored->at(order).states.equal(below->at(order).states)) << cut;
    EXPECT_FALSE(stored->at(order).valid.defined());
    const c10::AutoGradMode no_grad(false);
    const TowerSource from_cache(image_, cut, stored, 4), anew(image_, cut, below, 4);
    EXPECT_TRUE(from_cache.rows(order, {}).equal(anew.rows(order, {}))) << cut;
    std::filesystem::remove_all(cache_);
  }
}

// Half precision has 11 bits: 2^-11 of a value.
TEST_F(StoredActivationsTest, RoundStatesInHalfPrecision) {
  const auto below = computed(1);
  const StoredActivations stored(filled(*below, StoredAs::float16), name_of);
  const at::Tensor half = stored.at(looks()).states, full = below->at(looks()).states;
  EXPECT_EQ(half.scalar_type(), at::kFloat);
  EXPECT_LE(((half - full).abs() / full.abs().clamp_min(1e-3)).max().item<double>(), 0x1p-11);
  EXPECT_FALSE(half.equal(full));
}

TEST_F(StoredActivationsTest, KeepWhatTextsNeedBesideTheirStates) {
  std::map<std::size_t, Ids> ids;
  for (const Look& look : looks()) {
    ids[look.sample].push_back({1, 4, static_cast<std::int64_t>(look.sample) + 5, 3});
    if (look.view == 1) ids[look.sample].back().push_back(7);
  }
  const TextTower& clip = *encoder_->text();
  const ComputedActivations causal(clip, std::make_shared<IdSource>(clip, ids), -1, 1);
  EXPECT_TRUE(StoredActivations(filled(causal, StoredAs::float32), name_of)
                  .at(looks())
                  .pooled.equal(causal.at(looks()).pooled));
  std::filesystem::remove_all(cache_);

  const auto bert = load_pretrained(cases::encoder_case("bert-tiny"));
  const ComputedActivations padded(*bert->text(), std::make_shared<IdSource>(*bert->text(), ids),
                                   -1, 1);
  EXPECT_TRUE(StoredActivations(filled(padded, StoredAs::float32), name_of)
                  .at(looks())
                  .valid.equal(padded.at(looks()).valid));
}

TEST_F(StoredActivationsTest, RefuseAStageOfAnotherCut) {
  StageEntry entry = open();
  {
    const StageEntry::Claims claims(entry, row_ids());
    const std::vector<Look> all = looks();
    const std::vector<std::string> ids = row_ids();
    add_activations(entry, std::span(ids).first(3), computed(1)->at(std::span(all).first(3)),
                    StoredAs::float32);
    add_activations(entry, std::span(ids).subspan(3), computed(4)->at(std::span(all).subspan(3)),
                    StoredAs::float32);
  }
  const StoredActivations mixed(std::make_shared<StageEntry>(open()), name_of);
  try {
    (void)mixed.at(looks());
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("differs between its parts"));
  }
}

}  // namespace
}  // namespace espalier
