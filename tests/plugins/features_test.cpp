// Features of one's own: what is read, and what is refused by name.
#include <gmock/gmock.h>

#include "results/feature_file.hpp"
#include <cmath>
#include <cstring>
#include <espalier/tensor/safetensors.hpp>
#include <functional>
#include <map>
#include <numeric>
#include <span>

#include "archive_support.hpp"

namespace espalier {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// Four samples of two classes; each test changes what it is about.
struct FeatureFixture {
  std::vector<float> images{1, 0, 0, 1, 0.5F, 0.5F, -1, 2};
  std::vector<float> texts;
  std::vector<float> classes{1, 0, 0, 1};
  std::vector<std::int64_t> labels{0, 1, 0, 1};
  std::map<std::string, std::string> metadata{{"ids", R"(["a", "b", "c", "d"])"},
                                              {"splits", R"(["train", "train", "val", "test"])"},
                                              {"class_names", R"(["rose", "lily"])"}};
  std::vector<std::int64_t> image_shape{4, 2};
  DType image_type = DType::f32;

  void write(const std::filesystem::path& file) const {
    std::vector<TensorView> tensors;
    const auto add = [&](const std::string& name, DType type, std::vector<std::int64_t> shape,
                         const auto& values) {
      if (values.empty()) return;
      const auto bytes = std::as_bytes(std::span(values));
      tensors.push_back({name, type, std::move(shape), bytes.data(), bytes.size()});
    };
    add("image_features", image_type, image_shape, images);
    add("text_features", DType::f32, {std::ssize(texts) / 2, 2}, texts);
    add("class_features", DType::f32, {std::ssize(classes) / 2, 2}, classes);
    add("labels", DType::i64, {std::ssize(labels)}, labels);
    write_safetensors(file, tensors, metadata);
  }
};

class GivenFeaturesTest : public testing_support::ArchiveTest {
 protected:
  GivenFeaturesTest() : ArchiveTest("features") {}

  [[nodiscard]] std::shared_ptr<Dataset> read(const FeatureFixture& made,
                                              Json params = Json::object()) const {
    made.write(root_ / "f.safetensors");
    return open("f.safetensors", std::move(params));
  }
  [[nodiscard]] std::shared_ptr<Dataset> open(const std::string& name,
                                              Json params = Json::object()) const {
    params["file"] = (root_ / name).string();
    return testing_support::make<Dataset>("features", params);
  }
  [[nodiscard]] std::string refusal(const FeatureFixture& made) const {
    return testing_support::error_of([&] { (void)read(made); });
  }
};

std::vector<float> list(const FeatureRows& rows) {
  return {rows.values.begin(), rows.values.end()};
}

TEST_F(GivenFeaturesTest, AreReadWithAllThatBelongsToThem) {
  FeatureFixture made;
  made.texts = {1, 1, 2, 2, 3, 3, 4, 4};
  made.metadata["texts"] = R"(["red", "white", "", "pink"])";
  made.metadata["logit_scale"] = "12.5";
  const auto data = read(made);
  EXPECT_THAT(listed(*data), ElementsAre("train a 0", "train b 1", "val c 0", "test d 1"));
  EXPECT_THAT(data->class_names(), ElementsAre("rose", "lily"));
  EXPECT_EQ(data->facts(1), Json({{"caption", "white"}}));
  const GivenFeatures& given = *data->features();
  EXPECT_EQ(list(given.images), made.images);
  EXPECT_EQ(list(given.texts), made.texts);
  EXPECT_EQ(list(given.classes), made.classes);
  EXPECT_THAT(given.images.row(3), ElementsAre(-1, 2));
  EXPECT_EQ(given.logit_scale, 12.5);
  EXPECT_TRUE(given.shared_space);
  EXPECT_FALSE(read(made, {{"apart", true}})->features()->shared_space);
  EXPECT_THAT(testing_support::error_of([&] { (void)data->image(0); }), HasSubstr("no picture"));
}

TEST_F(GivenFeaturesTest, NeedNothingButRowsAndLabels) {
  FeatureFixture made;
  made.metadata = {};
  made.classes = {};
  const auto data = read(made);
  EXPECT_THAT(listed(*data), ElementsAre("none 0 0", "none 1 1", "none 2 0", "none 3 1"));
  EXPECT_THAT(data->class_names(), ElementsAre("0", "1"));
  EXPECT_EQ(data->features()->logit_scale, 100);
  EXPECT_EQ(data->features()->classes.width, 0);
}

// As `espalier encode --out` writes them, in both kinds of file.
TEST_F(GivenFeaturesTest, AreReadFromHdf5) {
  const FeatureFixture made;
  write_feature_file(
      root_ / "f.h5",
      {.images = {made.images, 2},
       .classes = {made.classes, 2},
       .labels = made.labels,
       .ids = {"a", "b", "c", "ä"},
       .splits = {"none", "none", "none", "none"},
       .class_names = {"rose", "lily"},
       .attributes = {{"espalier", "1"}, {"logit_scale", 50.0}, {"features_format", 1}}});
  const auto data = open("f.h5");
  EXPECT_THAT(listed(*data), ElementsAre("none a 0", "none b 1", "none c 0", "none ä 1"));
  EXPECT_EQ(list(data->features()->images), made.images);
  EXPECT_EQ(list(data->features()->classes), made.classes);
  EXPECT_EQ(data->features()->logit_scale, 50);
}

// Half precision and its limits, by their bits; a value beyond float32 is infinite and refused.
TEST_F(GivenFeaturesTest, MayBeStoredInOtherPrecisions) {
  FeatureFixture made;
  const auto with = [&](DType type, auto values) {
    const auto bytes = std::as_bytes(std::span(values));
    std::vector<float> raw(bytes.size() / sizeof(float));
    std::memcpy(raw.data(), bytes.data(), bytes.size());
    made.images = raw;
    made.image_type = type;
    return read(made);
  };
  using Half = std::vector<std::uint16_t>;
  EXPECT_THAT(list(with(DType::f16, Half{0x3c00, 0xc000, 0x0001, 0x0400, 0x7bff, 0x8000, 0x3555, 0})
                       ->features()
                       ->images),
              ElementsAre(1, -2, 0x1p-24F, 0x1p-14F, 65504, -0.0F, 0.333251953125F, 0));
  EXPECT_THAT(
      list(with(DType::bf16, Half{0x3f80, 0xc000, 0, 0, 0, 0, 0, 0})->features()->images)[1], -2);
  EXPECT_EQ(list(with(DType::f64, std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8})->features()->images),
            (std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_THAT(testing_support::error_of([&] {
                (void)with(DType::f64, std::vector<double>{1e300, 2, 3, 4, 5, 6, 7, 8});
              }),
              HasSubstr("NaN or infinity in the row of \"a\""));
  EXPECT_THAT(testing_support::error_of([&] {
                (void)with(DType::f16, Half{0x7c00, 0, 0, 0, 0, 0, 0, 0});
              }),
              HasSubstr("NaN or infinity"));
}

TEST_F(GivenFeaturesTest, ThatDoNotFitAreRefusedByName) {
  const auto with = [&](const std::function<void(FeatureFixture&)>& change) {
    FeatureFixture made;
    change(made);
    return refusal(made);
  };
  EXPECT_THAT(with([](auto& f) { f.images[3] = NAN; }),
              AllOf(HasSubstr("\"image_features\""), HasSubstr("row of \"b\"")));
  EXPECT_THAT(with([](auto& f) { f.classes[3] = INFINITY; }),
              AllOf(HasSubstr("\"class_features\""), HasSubstr("row of \"lily\"")));
  EXPECT_THAT(with([](auto& f) { f.metadata["ids"] = R"(["a", "b", "a", "d"])"; }),
              AllOf(HasSubstr("each id once"), HasSubstr("a of sample 2")));
  EXPECT_THAT(with([](auto& f) { f.metadata["ids"] = R"(["a", "b", "c"])"; }),
              AllOf(HasSubstr("\"ids\""), HasSubstr("4 entries")));
  EXPECT_THAT(with([](auto& f) { f.metadata["ids"] = R"(["a", "", "c", "d"])"; }),
              HasSubstr("of sample 1"));
  EXPECT_THAT(with([](auto& f) { f.labels[2] = 2; }),
              AllOf(HasSubstr("0 to 1"), HasSubstr("2 of \"c\"")));
  EXPECT_THAT(with([](auto& f) { f.labels[2] = -1; }), HasSubstr("-1 of \"c\""));
  EXPECT_THAT(with([](auto& f) { f.labels.pop_back(); }), HasSubstr("\"labels\""));
  EXPECT_THAT(with([](auto& f) { f.labels = {}; }), HasSubstr("no \"labels\""));
  EXPECT_THAT(with([](auto& f) {
                f.labels = {0, 0, 1, 1};
              }),
              AllOf(HasSubstr("each class in train"), HasSubstr("\"lily\"")));
  EXPECT_THAT(with([](auto& f) { f.images = {}; }), HasSubstr("no \"image_features\""));
  EXPECT_THAT(with([](auto& f) { f.image_shape = {8}; }), HasSubstr("two dimensions"));
  EXPECT_THAT(with([](auto& f) { f.image_shape = {2, 4}; }), HasSubstr("2 entries, one a sample"));
  EXPECT_THAT(with([](auto& f) { f.image_type = DType::i32; }), HasSubstr("I32"));
  EXPECT_THAT(with([](auto& f) { f.metadata["splits"] = R"(["train", "", "val", "test"])"; }),
              HasSubstr("1 samples without one"));
  EXPECT_THAT(with([](auto& f) { f.metadata["splits"] = R"(["train", "dev", "val", "test"])"; }),
              HasSubstr("dev of \"b\""));
  EXPECT_THAT(with([](auto& f) { f.metadata["class_names"] = R"(["rose", "rose"])"; }),
              HasSubstr("each name once"));
  EXPECT_THAT(with([](auto& f) { f.metadata["class_names"] = R"(["a", "b", "c"])"; }),
              AllOf(HasSubstr("\"class_features\""), HasSubstr("3 rows")));
  EXPECT_THAT(with([](auto& f) { f.metadata["ids"] = "a, b, c, d"; }),
              AllOf(HasSubstr("no JSON"), HasSubstr("json.dumps")));
  EXPECT_THAT(with([](auto& f) { f.metadata["ids"] = R"(["a", 1, "c", "d"])"; }),
              HasSubstr("number"));
  EXPECT_THAT(with([](auto& f) { f.metadata["features_format"] = "2"; }),
              AllOf(HasSubstr("another version"), HasSubstr("features_format 2")));
  EXPECT_THAT(with([](auto& f) { f.metadata["logit_scale"] = "-1"; }), HasSubstr("above 0"));
  EXPECT_THAT(with([](auto& f) { f.metadata["logit_scale"] = "much"; }), HasSubstr("much"));
}

TEST_F(GivenFeaturesTest, AllMistakesAreSaidTogether) {
  FeatureFixture made;
  made.labels[0] = 7;
  made.metadata["ids"] = R"(["a", "b", "b", "d"])";
  made.metadata["splits"] = R"(["x", "train", "val", "test"])";
  EXPECT_THAT(refusal(made),
              AllOf(HasSubstr("7 of \"a\""), HasSubstr("each id once"), HasSubstr("x of \"a\"")));
}

TEST_F(GivenFeaturesTest, ClassFeaturesOfAnotherWidthAreLeftOut) {
  FeatureFixture made;
  made.metadata.erase("class_names");
  made.classes = {1, 0, 0, 1};
  made.images = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  made.image_shape = {4, 3};
  EXPECT_EQ(read(made)->features()->classes.width, 0);
}

TEST_F(GivenFeaturesTest, DamagedFilesAreErrors) {
  const FeatureFixture made;
  made.write(root_ / "whole.safetensors");
  write_feature_file(root_ / "whole.h5", {.images = {made.images, 2},
                                          .classes = {made.classes, 2},
                                          .labels = made.labels,
                                          .ids = {"a", "b", "c", "d"},
                                          .splits = {"train", "train", "val", "test"},
                                          .class_names = {"rose", "lily"},
                                          .attributes = {{"features_format", 1}}});
  for (const std::string name : {"whole.safetensors", "whole.h5"}) {
    const std::string whole = bytes_of(name);
    for (std::size_t i = 0; i < 60; ++i) {
      const std::size_t at = i * whole.size() / 60;
      put("cut", whole.substr(0, at));
      EXPECT_THAT(testing_support::error_of([&] { (void)open("cut"); }), HasSubstr("cut")) << at;
      std::string flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ 0x55);
      put("flipped", flipped);
      const std::string said = testing_support::error_of([&] { (void)open("flipped"); });
      EXPECT_TRUE(said.empty() || said.find("flipped") != said.npos) << said;
    }
  }
  EXPECT_THAT(testing_support::error_of([&] { (void)open("nowhere.h5"); }), HasSubstr("nowhere"));
}

// Centres of length 1: with so little noise a sample's nearest class feature is that of its class.
TEST(GaussianFeatures, LieAroundTheirClasses) {
  const Json params = {{"classes", 5},  {"per_class", 4},     {"width", 64},
                       {"noise", 0.25}, {"class_noise", 0.1}, {"seed", 3}};
  const auto data = testing_support::make<Dataset>("gaussian", params);
  const GivenFeatures& given = *data->features();
  ASSERT_EQ(data->samples().size(), 20U);
  for (std::size_t i = 0; i < 20; ++i) {
    std::vector<double> products;
    for (std::size_t c = 0; c < 5; ++c) {
      const auto row = given.images.row(i), centre = given.classes.row(c);
      products.push_back(std::inner_product(row.begin(), row.end(), centre.begin(), 0.0));
    }
    EXPECT_EQ(std::max_element(products.begin(), products.end()) - products.begin(),
              data->samples()[i].label);
    EXPECT_NEAR(products[static_cast<std::size_t>(data->samples()[i].label)], 1, 0.2);
  }
  Json other = params;
  other["seed"] = 4;
  EXPECT_NE(list(testing_support::make<Dataset>("gaussian", other)->features()->images),
            list(given.images));
}

}  // namespace
}  // namespace espalier
