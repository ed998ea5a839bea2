#include "datasets/features/checked.hpp"

#include <algorithm>
#include <cmath>
#include <espalier/core/printable.hpp>
#include <espalier/core/words.hpp>
#include <espalier/dataset/photo_dataset.hpp>
#include <espalier/dataset/photo_folder.hpp>
#include <espalier/tensor/dtype.hpp>
#include <limits>
#include <optional>
#include <set>
#include <unordered_set>
#include <utility>

namespace espalier::given {
namespace {

constexpr std::int64_t most_classes = 1 << 20;

bool is_text(const std::string& text) {
  return is_utf8(text) && text.find('\0') == std::string::npos;
}

class Checker {
 public:
  Checker(const std::filesystem::path& file, Content content)
      : file_(file), content_(std::move(content)) {}

  Checked check(bool apart) {
    find_samples();
    if (count_ > 0) {
      compare_lengths();
      name_samples();
      name_classes();
      label_samples();
      split_samples();
    }
    problems_.throw_if_any();
    take_captions();
    take_rows(apart);
    problems_.throw_if_any();
    return std::move(out_);
  }

 private:
  void add(const std::string& part, std::string expected, std::string found, std::string fix = {}) {
    problems_.add(part_problem(file_, part, std::move(expected), std::move(found), std::move(fix)));
  }

  // What a file has instead of a part that it needs.
  void miss(const std::string& part, const std::string& expected) {
    problems_.add({.what = "a file of features has no \"" + part + "\"",
                   .where = file_.string(),
                   .expected = expected,
                   .found = content_.names.empty() ? "nothing" : joined(content_.names),
                   .fix = did_you_mean(part, content_.names)});
  }

  void find_samples() {
    if (!content_.images && !content_.texts) {
      miss("image_features", "image_features or text_features, a row of numbers a sample");
    }
    if (!content_.labels) miss("labels", "the number of its class for each sample");
    for (const auto& [name, matrix] : matrices()) {
      if (*matrix) require_shape(name, **matrix);
    }
    if (!problems_.empty()) return;
    count_ = (content_.images ? content_.images : content_.texts)->shape[0];
    if (count_ == 0) add("image_features", "a row a sample", "no rows");
  }

  [[nodiscard]] std::vector<std::pair<std::string, const std::optional<Matrix>*>> matrices() const {
    return {{"image_features", &content_.images},
            {"text_features", &content_.texts},
            {"class_features", &content_.classes}};
  }

  void require_shape(const std::string& name, const Matrix& matrix) {
    if (matrix.shape.size() == 2 && matrix.shape[1] > 0) return;
    add(name, "two dimensions, rows and numbers", shape_text(matrix.shape));
  }

  void compare_lengths() {
    const auto compare = [&](const std::string& name, std::int64_t length) {
      if (length == count_) return;
      add(name, std::to_string(count_) + " entries, one a sample", std::to_string(length));
    };
    if (content_.texts) compare("text_features", content_.texts->shape[0]);
    compare("labels", std::ssize(*content_.labels));
    if (content_.ids) compare("ids", std::ssize(*content_.ids));
    if (content_.splits) compare("splits", std::ssize(*content_.splits));
    if (content_.captions) compare("texts", std::ssize(*content_.captions));
  }

  [[nodiscard]] const std::string& id(std::size_t sample) const { return out_.samples[sample].id; }

  void name_samples() {
    out_.samples.resize(static_cast<std::size_t>(count_));
    ListProblems wrong(problems_);
    std::unordered_set<std::string_view> seen;
    for (std::size_t i = 0; i < out_.samples.size(); ++i) {
      const bool named = content_.ids && i < content_.ids->size();
      out_.samples[i].id = named ? (*content_.ids)[i] : std::to_string(i);
      const std::string where = "of sample " + std::to_string(i);
      if (id(i).empty() || !is_text(id(i))) {
        wrong.add(part_problem(file_, "ids", "a name in UTF-8", printable(id(i)) + " " + where));
      } else if (!seen.insert(id(i)).second) {
        wrong.add(part_problem(file_, "ids", "each id once", printable(id(i)) + " " + where));
      }
    }
  }

  // As many classes as something says, be it the largest label.
  void name_classes() {
    if (content_.class_names) {
      out_.class_names = *content_.class_names;
    } else {
      const auto& labels = *content_.labels;
      const std::int64_t largest =
          labels.empty() ? -1 : *std::max_element(labels.begin(), labels.end());
      const std::int64_t named = content_.classes ? content_.classes->shape[0] : largest + 1;
      for (std::int64_t c = 0; c < std::min(named, most_classes); ++c) {
        out_.class_names.push_back(std::to_string(c));
      }
    }
    check_class_names(out_.class_names, file_, problems_);
    std::set<std::string_view> seen;
    for (const std::string& name : out_.class_names) {
      if (seen.insert(name).second) continue;
      add("class_names", "each name once", printable(name));
    }
    if (!content_.classes || content_.classes->shape[0] == std::ssize(out_.class_names)) return;
    add("class_features", std::to_string(out_.class_names.size()) + " rows, one a class",
        std::to_string(content_.classes->shape[0]));
  }

  void label_samples() {
    ListProblems wrong(problems_);
    const std::int64_t classes = std::ssize(out_.class_names);
    const std::size_t labelled = std::min(content_.labels->size(), out_.samples.size());
    for (std::size_t i = 0; i < labelled; ++i) {
      const std::int64_t label = out_.samples[i].label = (*content_.labels)[i];
      if (0 <= label && label < classes) continue;
      wrong.add(part_problem(file_, "labels", "0 to " + std::to_string(classes - 1),
                             std::to_string(label) + " of \"" + printable(id(i)) + "\""));
    }
  }

  [[nodiscard]] static std::optional<Split> split_of(const std::string& word) {
    return word.empty() || word == "none" ? Split::none : split_named(word);
  }

  void split_samples() {
    {
      ListProblems wrong(problems_);
      std::size_t without = 0;
      const std::size_t words = content_.splits ? content_.splits->size() : 0;
      for (std::size_t i = 0; i < std::min(words, out_.samples.size()); ++i) {
        const std::string& word = (*content_.splits)[i];
        const std::optional<Split> split = split_of(word);
        if (!split) {
          wrong.add(part_problem(file_, "splits", "train, val or test",
                                 printable(word) + " of \"" + printable(id(i)) + "\""));
        }
        out_.samples[i].split = split.value_or(Split::train);
        without += split == Split::none ? 1 : 0;
      }
      if (without > 0 && without < words) {
        wrong.add(part_problem(file_, "splits", "train, val or test for all samples, or for none",
                               std::to_string(without) + " samples without one"));
      }
    }
    if (problems_.empty()) require_every_class();
  }

  // Somebody has to learn from it.
  void require_every_class() {
    const bool official = out_.samples[0].split != Split::none;
    std::vector<bool> learnt(out_.class_names.size());
    for (const Sample& sample : out_.samples) {
      const bool counts = !official || sample.split == Split::train;
      if (counts) learnt[static_cast<std::size_t>(sample.label)] = true;
    }
    ListProblems wrong(problems_);
    for (std::size_t c = 0; c < learnt.size(); ++c) {
      if (learnt[c]) continue;
      wrong.add(part_problem(
          file_, "labels", official ? "a sample of each class in train" : "a sample of each class",
          "none of class " + std::to_string(c) + ", \"" + printable(out_.class_names[c]) + "\""));
    }
  }

  void take_captions() {
    if (!content_.captions) return;
    ListProblems wrong(problems_);
    for (std::size_t i = 0; i < content_.captions->size(); ++i) {
      if (is_text((*content_.captions)[i])) continue;
      wrong.add(part_problem(file_, "texts", "UTF-8",
                             "other bytes in that of \"" + printable(id(i)) + "\""));
    }
    out_.captions = std::move(*content_.captions);
  }

  void take_rows(bool apart) {
    std::vector<std::string> ids;
    for (const Sample& sample : out_.samples) ids.push_back(sample.id);
    GivenFeatures& features = out_.features;
    features.images = rows("image_features", content_.images, ids);
    features.texts = rows("text_features", content_.texts, ids);
    features.classes = rows("class_features", content_.classes, out_.class_names);
    features.shared_space = !apart && features.images.width == features.texts.width;
    features.logit_scale = content_.logit_scale.value_or(features.logit_scale);
    if (!std::isfinite(features.logit_scale) || features.logit_scale <= 0) {
      add("logit_scale", "a number above 0", std::to_string(features.logit_scale));
    }
    const std::int64_t width = std::max(features.images.width, features.texts.width);
    const bool fits = features.classes.width == width;
    if (features.classes.width > 0 && (!fits || features.images.width == 0)) leave_out_classes();
  }

  void leave_out_classes() {
    out_.warnings.push_back(
        "class_features are left out: they have " + std::to_string(out_.features.classes.width) +
        " numbers each, and image features " + std::to_string(out_.features.images.width));
    out_.features.classes = {};
  }

  FeatureRows rows(const std::string& name, const std::optional<Matrix>& matrix,
                   std::span<const std::string> of) {
    if (!matrix) return {};
    out_.owners.push_back(matrix->owner);
    const FeatureRows rows{.values = matrix->values, .width = matrix->shape[1]};
    ListProblems wrong(problems_);
    for (std::size_t i = 0; i < of.size(); ++i) {
      const auto row = rows.row(i);
      if (std::ranges::all_of(row, [](float value) { return std::isfinite(value); })) continue;
      wrong.add(part_problem(file_, name, "finite numbers",
                             "NaN or infinity in the row of \"" + printable(of[i]) + "\""));
    }
    return rows;
  }

  const std::filesystem::path& file_;
  Content content_;
  std::int64_t count_ = 0;
  Checked out_;
  Problems problems_;
};

}  // namespace

Checked checked(const std::filesystem::path& file, Content content, bool apart) {
  return Checker(file, std::move(content)).check(apart);
}

}  // namespace espalier::given
