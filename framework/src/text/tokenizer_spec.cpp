#include <espalier/text/sentence_modules.hpp>

#include "tokenizer_internal.hpp"

namespace espalier::tokenizer {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void no_tokenizer(const fs::path& folder) {
  const bool sentencepiece =
      fs::exists(folder / "spiece.model") || fs::exists(folder / "sentencepiece.bpe.model");
  throw Error({.what = "no tokenizer that can be read in a folder",
               .where = folder.string(),
               .expected = "tokenizer.json, vocab.json with merges.txt, or vocab.txt",
               .found = !fs::exists(folder) ? "no such folder"
                        : sentencepiece     ? "a SentencePiece model"
                                            : "none of them",
               .fix = "name the model's whole folder, as it was downloaded"});
}

// Models pad their embeddings to round numbers: to multiples of 8, 64 or 128.
constexpr double most_padding = 127;

void check_size(const Settings& settings, const Spec& spec, FolderProblems& problems) {
  const auto embedded = settings.model.find("vocab_size");
  if (embedded == settings.model.end() || !embedded->is_number_integer()) return;
  const double tokens = static_cast<double>(spec.vocabulary.size());
  const double places = embedded->get<double>();
  if (tokens <= places && tokens + most_padding >= places) return;
  problems.add({.what = tokens > places ? "a vocabulary has tokens that the model does not embed"
                                        : "a vocabulary is cut off",
                .where = settings.folder.string(),
                .expected = embedded->dump() + " tokens, as config.json says (`vocab_size`)",
                .found = std::to_string(spec.vocabulary.size()),
                .fix = "take config.json and the tokenizer's files from the same model"});
}

// True where they are one file, tokenizer.json.
bool read_files(const fs::path& folder, Spec& spec, FolderProblems& problems) {
  if (fs::exists(folder / "tokenizer.json")) {
    problems.collect([&] { read_tokenizer_json(folder / "tokenizer.json", spec, problems); });
    return true;
  }
  if (fs::exists(folder / "vocab.json") || fs::exists(folder / "merges.txt")) {
    read_clip_files(folder, spec, problems);
  } else if (fs::exists(folder / "vocab.txt")) {
    read_bert_files(folder, spec, problems);
  } else {
    no_tokenizer(folder);
  }
  return false;
}

}  // namespace

Spec read_spec(const fs::path& root) {
  const fs::path folder = model_folder(root);
  FolderProblems problems;
  Spec spec;
  spec.origin = folder;
  const bool from_json = read_files(folder, spec, problems);
  const Settings settings = read_settings(folder, problems);
  apply_settings(settings, from_json, spec, problems);
  if (spec.vocabulary.size() == 0) problems.throw_if_any();
  set_specials(settings, from_json, spec, problems);
  check_size(settings, spec, problems);
  problems.throw_if_any();
  return spec;
}

}  // namespace espalier::tokenizer
