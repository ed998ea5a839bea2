// What `captions check` and `captions filter` look at: a set beside the pictures that it is for.
#pragma once

#include <cstdint>
#include <espalier/caption/caption_set.hpp>
#include <espalier/caption/rules.hpp>
#include <espalier/plugin/dataset.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "encode_internal.hpp"

namespace espalier::cli {

class CaptionCheck {
 public:
  // Of a request with `set`, `dataset`, `synonyms`, `encoder` or null, `device`, `plugins`. Throws
  // Error where the set is of other pictures.
  explicit CaptionCheck(const Json& request);

  // Records of pictures that the dataset has, in the order of the set; all vectors follow them.
  std::vector<const CaptionRecord*> records;
  std::vector<std::size_t> samples;  // positions in the dataset
  std::vector<std::string> texts;    // empty where the answer has none
  std::vector<std::int64_t> labels;
  std::vector<RuleSet> broken;
  std::vector<std::ptrdiff_t> twins;
  std::vector<double> scores;  // CLIPScore, NaN without a text; empty without an encoder

  // The texts of each picture: that of the set, and those that further files of captions have.
  [[nodiscard]] std::vector<std::vector<std::string>> samples_with(const Json& files) const;

  [[nodiscard]] const CaptionSet& set() const { return set_; }
  [[nodiscard]] const Dataset& dataset() const { return *dataset_; }
  [[nodiscard]] const ClassNames& names() const { return names_; }
  [[nodiscard]] std::size_t missing() const { return missing_; }                      // pictures
  [[nodiscard]] const std::vector<std::string>& unknown() const { return unknown_; }  // ids
  // What counts tokens: a folder, or nothing where words stand for them.
  [[nodiscard]] const std::string& tokenizer() const { return tokenizer_; }

 private:
  void match();
  void compare_pictures() const;
  void apply_rules(const Json& request);
  void score(const Json& encoder);

  EncodeComponents components_;
  CaptionSet set_;
  std::shared_ptr<Dataset> dataset_;
  ClassNames names_;
  std::string tokenizer_;
  std::size_t missing_ = 0;
  std::vector<std::string> unknown_;
};

}  // namespace espalier::cli
