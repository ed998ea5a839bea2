#include <algorithm>
#include <atomic>
#include <cmath>
#include <espalier/plugin/dataset.hpp>
#include <set>
#include <thread>

#include "properties_internal.hpp"

namespace espalier::conformance {
namespace {

constexpr std::size_t images_looked_at = 16;

// Evenly spread over the dataset.
std::vector<std::size_t> some_samples(const Dataset& dataset) {
  const std::size_t size = dataset.samples().size();
  const std::size_t count = std::min(size, images_looked_at);
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < count; ++i) indices.push_back(i * size / count);
  return indices;
}

void sound_classes(const Subject& subject) {
  const auto dataset = subject.make<Dataset>();
  const auto& names = dataset->class_names();
  expect(!names.empty(), "it has no classes");
  const std::set<std::string> distinct(names.begin(), names.end());
  expect(distinct.size() == names.size(), "two classes have one name");
  expect(!distinct.contains(""), "a class has no name");
  std::set<std::int64_t> used;
  for (const Sample& sample : dataset->samples()) used.insert(sample.label);
  expect(used.size() == names.size(), "some class has no samples");
}

void sound_samples(const Subject& subject) {
  const auto dataset = subject.make<Dataset>();
  const auto classes = static_cast<std::int64_t>(dataset->class_names().size());
  expect(!dataset->samples().empty(), "it has no samples");
  std::set<std::string> ids;
  std::size_t without_split = 0;
  for (const Sample& sample : dataset->samples()) {
    expect(!sample.id.empty(), "a sample has no id");
    expect(ids.insert(sample.id).second, "two samples have the id \"" + sample.id + "\"");
    expect(0 <= sample.label && sample.label < classes,
           "\"" + sample.id + "\" has label " + std::to_string(sample.label));
    if (sample.split == Split::none) ++without_split;
  }
  expect(without_split == 0 || without_split == dataset->samples().size(),
         "some samples have a split and some have none");
}

void expect_rows(const FeatureRows& rows, std::size_t count, const std::string& what) {
  if (rows.width == 0) return;
  expect(rows.values.size() == count * static_cast<std::size_t>(rows.width),
         what + " features have another number of rows");
  expect(std::ranges::all_of(rows.values, [](float value) { return std::isfinite(value); }),
         what + " features are not finite");
}

void sound_rows(const Subject& subject) {
  const auto dataset = subject.make<Dataset>();
  const GivenFeatures* const given = dataset->features();
  expect(subject.has("features") == (given != nullptr), "`features` and features() disagree");
  if (given == nullptr) return;
  expect(given->images.width > 0 || given->texts.width > 0, "no sample has features");
  expect_rows(given->images, dataset->samples().size(), "image");
  expect_rows(given->texts, dataset->samples().size(), "text");
  expect_rows(given->classes, dataset->class_names().size(), "class");
  expect(!given->shared_space || given->images.width == given->texts.width,
         "images and texts share a space and have two widths");
}

bool same_features(const Dataset& a, const Dataset& b) {
  const auto equal = [](const FeatureRows& x, const FeatureRows& y) {
    return x.width == y.width && std::ranges::equal(x.values, y.values);
  };
  const GivenFeatures* const x = a.features();
  const GivenFeatures* const y = b.features();
  if (x == nullptr || y == nullptr) return x == y;
  return equal(x->images, y->images) && equal(x->texts, y->texts) && equal(x->classes, y->classes);
}

// Of a dataset that has features in their place there are none.
void sound_images(const Subject& subject) {
  if (subject.has("features")) return;
  const auto dataset = subject.make<Dataset>();
  for (const std::size_t index : some_samples(*dataset)) {
    const Image image = dataset->image(index);
    const std::string id = "\"" + dataset->samples()[index].id + "\"";
    expect(image.width > 0 && image.height > 0, id + " has no pixels");
    expect(image.rgb.size() == static_cast<std::size_t>(3 * image.width * image.height),
           id + " has a number of bytes that does not fit its size");
  }
}

bool same_sample(const Sample& a, const Sample& b) {
  return a.id == b.id && a.label == b.label && a.split == b.split;
}

void follows_from_parameters(const Subject& subject) {
  const auto first = subject.make<Dataset>(1);
  const auto second = subject.make<Dataset>(2);
  expect(first->class_names() == second->class_names(), "class names differ from seed to seed");
  expect(std::equal(first->samples().begin(), first->samples().end(), second->samples().begin(),
                    second->samples().end(), same_sample),
         "samples differ from seed to seed");
  expect(same_features(*first, *second), "features differ from seed to seed");
  for (const std::size_t index : some_samples(*first)) {
    expect(subject.has("features") || first->image(index) == second->image(index),
           "the image \"" + first->samples()[index].id + "\" differs from seed to seed");
    expect(first->facts(index) == second->facts(index), "facts differ from seed to seed");
  }
}

void thread_safe_images(const Subject& subject) {
  if (subject.has("features")) return;
  const auto dataset = subject.make<Dataset>();
  const auto indices = some_samples(*dataset);
  std::vector<Image> expected;
  for (const std::size_t index : indices) expected.push_back(dataset->image(index));
  std::atomic<bool> equal = true;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (std::size_t i = 0; i < indices.size(); ++i) {
        if (dataset->image(indices[i]) != expected[i]) equal = false;
      }
    });
  }
  threads.clear();
  expect(equal, "an image differs when several threads ask for it");
}

void declared_facts(const Subject& subject) {
  const auto dataset = subject.make<Dataset>();
  for (const std::size_t index : some_samples(*dataset)) {
    const Json facts = dataset->facts(index);
    if (subject.has("attributes")) {
      expect(facts.is_object() && !facts.empty(), "`attributes` is declared and there are none");
    }
    if (subject.has("captions")) {
      expect(facts.is_object() && facts.contains("caption") && facts["caption"].is_string(),
             "`captions` is declared and there is none");
    }
    const bool declared = subject.has("attributes") || subject.has("captions");
    expect(declared || facts.is_null(), "it has facts that no capability declares");
  }
}

bool is_sentence(const std::string& text) { return !text.empty() && is_plain_text(text); }

void sound_words(const Subject& subject) {
  const auto dataset = subject.make<Dataset>();
  for (std::size_t label = 0; label < dataset->class_names().size(); ++label) {
    for (const std::string& text : dataset->class_texts(static_cast<std::int64_t>(label))) {
      expect(is_sentence(text), "a sentence about \"" + dataset->class_names()[label] +
                                    "\" is empty, holds a NUL or is not UTF-8");
    }
  }
  const Wording* words = dataset->wording();
  if (words == nullptr) return;
  expect(subject.has("attributes"), "it has a wording and `attributes` is not declared");
  expect(words->count() >= 1, "its wording has no way to say anything");
  const Json facts = dataset->facts(0);
  for (std::int64_t way = 0; way < words->count(); ++way) {
    expect(is_sentence(words->describe(facts, way)),
           "a description is empty, holds a NUL or is not UTF-8");
  }
  for (const auto& [attribute, value] : facts.items()) {
    if (!value.is_string()) continue;
    const auto own = value.get<std::string>();
    for (const std::string& other : words->alternatives(attribute, own)) {
      expect(other != own, "\"" + attribute + "\" has its own value as an alternative");
    }
  }
}

}  // namespace

std::vector<Property> dataset_properties() {
  return {
      {"sound_classes", "Classes have distinct names and samples", true, sound_classes},
      {"sound_samples", "Samples have distinct ids, labels in range, and all or no splits", true,
       sound_samples},
      {"sound_images", "Images are decoded and complete", true, sound_images},
      {"sound_features", "Features have a row for each sample and class, and are finite", true,
       sound_rows},
      {"follows_from_parameters", "The data depends on the parameters and on no seed", true,
       follows_from_parameters},
      {"thread_safe", "Images are the same when several threads ask", true, thread_safe_images},
      {"declared_facts", "Facts are there where a capability says so, and only there", true,
       declared_facts},
      {"sound_words", "Facts and classes can be said in words", true, sound_words},
  };
}

}  // namespace espalier::conformance
