#include "caption_check.hpp"

#include "train/caption_quality.hpp"
#include <algorithm>
#include <espalier/caption/caption_file.hpp>
#include <espalier/core/builtin.hpp>
#include <espalier/core/error.hpp>
#include <espalier/plugin/encoder.hpp>
#include <espalier/text/tokenizer.hpp>
#include <limits>
#include <unordered_map>
#include <utility>

namespace espalier::cli {
namespace {

constexpr std::size_t pictures_compared = 64;
constexpr std::string_view clip_prefix = "A photo depicts ";  // of CLIPScore

CaptionEnd end_of(Answer answer) {
  if (answer == Answer::ok) return CaptionEnd::whole;
  if (answer == Answer::truncated) return CaptionEnd::truncated;
  if (answer == Answer::refused) return CaptionEnd::refused;
  return answer == Answer::thinking_leak ? CaptionEnd::thinking : CaptionEnd::none;
}

Synonyms synonyms_of(const Json& request) {
  const std::string file = request.at("synonyms");
  return file.empty() ? Synonyms() : read_synonyms(file);
}

[[noreturn]] void refuse_set(const Json& request, std::string what, std::string expected,
                             std::string found) {
  throw Error({.what = std::move(what),
               .where = request.at("set").get<std::string>(),
               .expected = std::move(expected),
               .found = std::move(found),
               .fix = "dataset.use and dataset.root say what the set is for"});
}

// Counts by the tokenizer in the folder of the encoder's weights, where there is one.
std::optional<Tokenizer> tokenizer_of(const Json& encoder, std::string& folder) {
  if (!encoder.is_object() || !encoder.contains("weights")) return std::nullopt;
  try {
    folder = encoder.at("weights").get<std::string>();
    return open_tokenizer(resolve_path(folder));
  } catch (const Error&) {
    folder.clear();
    return std::nullopt;
  }
}

}  // namespace

CaptionCheck::CaptionCheck(const Json& request)
    : components_(request),
      set_(read_captions(request.at("set").get<std::string>())),
      dataset_(components_.make<Dataset>(request.at("dataset"))),
      names_(dataset_->class_names(), synonyms_of(request)) {
  match();
  if (records.empty()) {
    refuse_set(request, "the set has no caption for any picture of the dataset",
               "ids such as " + dataset_->samples().at(0).id,
               unknown_.empty() ? "an empty set" : "ids such as " + unknown_[0]);
  }
  compare_pictures();
  apply_rules(request);
  if (request.at("encoder").is_object()) score(request.at("encoder"));
}

void CaptionCheck::match() {
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < dataset_->samples().size(); ++i) {
    places.emplace(dataset_->samples()[i].id, i);
  }
  for (const CaptionRecord& record : set_.records()) {
    const auto place = places.find(record.id);
    if (place == places.end()) {
      unknown_.push_back(record.id);
      continue;
    }
    records.push_back(&record);
    samples.push_back(place->second);
    labels.push_back(dataset_->samples()[place->second].label);
    texts.push_back(has_text(record.caption.answer) ? record.caption.text : std::string());
  }
  missing_ = places.size() - records.size();
}

void CaptionCheck::compare_pictures() const {
  const std::size_t step = std::max<std::size_t>(1, records.size() / pictures_compared);
  for (std::size_t i = 0; i < records.size(); i += step) {
    if (records[i]->image.empty()) continue;
    if (records[i]->image == picture_hash(dataset_->image(samples[i]))) continue;
    throw Error({.what = "captions are for other pictures than the dataset has under their ids",
                 .where = records[i]->id,
                 .expected = "pixels with the hash " + records[i]->image,
                 .found = "others",
                 .fix = "write the captions anew for these pictures"});
  }
}

void CaptionCheck::apply_rules(const Json& request) {
  const std::optional<Tokenizer> tokenizer = tokenizer_of(request.at("encoder"), tokenizer_);
  const CountTokens tokens = [&](const std::string& text) {
    return tokenizer ? tokenizer->encode(text).full_length : least_tokens(text);
  };
  std::vector<RuledCaption> ruled;
  for (std::size_t i = 0; i < records.size(); ++i) {
    ruled.push_back({.text = texts[i], .end = end_of(records[i]->caption.answer)});
  }
  SetRules rules = broken_rules(ruled, names_, tokens);
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (records[i]->caption.answer == Answer::dropped) rules.broken[i] = {};  // on purpose
  }
  broken = std::move(rules.broken);
  twins = std::move(rules.twin);
}

std::vector<std::vector<std::string>> CaptionCheck::samples_with(const Json& files) const {
  std::vector<std::vector<std::string>> all;
  for (const std::string& text : texts) all.push_back({text});
  for (const Json& file : files) {
    const CaptionSet other = read_captions(file.get<std::string>());
    for (std::size_t i = 0; i < all.size(); ++i) {
      const CaptionRecord* record = other.find(records[i]->id);
      if (record != nullptr) all[i].push_back(record->caption.text);
    }
  }
  return all;
}

void CaptionCheck::score(const Json& section) {
  const auto encoder = components_.make<Encoder>(section);
  scores.assign(records.size(), std::numeric_limits<double>::quiet_NaN());
  std::vector<std::size_t> with_text, pictures;
  std::vector<std::string> prefixed;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (texts[i].empty()) continue;
    with_text.push_back(i);
    pictures.push_back(samples[i]);
    prefixed.push_back(std::string(clip_prefix) + texts[i]);
  }
  if (with_text.empty()) return;
  const at::Tensor images = image_rows(*encoder, *dataset_, pictures);
  const at::Tensor rows = encoder->encode_texts(prefixed).cpu();
  const at::Tensor found = clip_scores(images, rows);
  for (std::size_t i = 0; i < with_text.size(); ++i) {
    scores[with_text[i]] = found[static_cast<std::int64_t>(i)].item<double>();
  }
}

}  // namespace espalier::cli
