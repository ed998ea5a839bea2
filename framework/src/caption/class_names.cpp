#include <algorithm>
#include <espalier/caption/class_names.hpp>
#include <espalier/caption/words.hpp>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>
#include <espalier/core/words.hpp>
#include <set>

namespace espalier {
namespace {

using NameWords = std::vector<std::string>;

NameWords name_words(std::string_view name) {
  NameWords words;
  for (CaptionWord& word : caption_words(name)) words.push_back(std::move(word.lower));
  return words;
}

// The word and what it is in the plural.
NameWords forms(const std::string& word) {
  NameWords all{word, word + "s", word + "es"};
  if (word.size() > 1 && word.ends_with('y'))
    all.push_back(word.substr(0, word.size() - 1) + "ies");
  return all;
}

bool is_form(const std::string& found, const std::string& word) {
  const NameWords all = forms(word);
  return std::find(all.begin(), all.end(), found) != all.end();
}

[[noreturn]] void refuse_synonyms(const std::filesystem::path& file, std::string found) {
  throw Error({.what = "a file holds no names of classes",
               .where = file.string(),
               .expected = R"({"class": ["another name", ...], ...})",
               .found = std::move(found),
               .fix = {}});
}

}  // namespace

Synonyms read_synonyms(const std::filesystem::path& file) {
  const Json json = parse_json(read_file(file), file.string());
  if (!json.is_object()) refuse_synonyms(file, json.type_name());
  Synonyms synonyms;
  for (const auto& [name, others] : json.items()) {
    const bool texts = others.is_array() && std::all_of(others.begin(), others.end(),
                                                        [](auto& one) { return one.is_string(); });
    if (!texts) refuse_synonyms(file, name + ": " + others.dump().substr(0, 200));
    synonyms[name] = others.get<NameWords>();
  }
  return synonyms;
}

ClassNames::ClassNames(std::span<const std::string> names, const Synonyms& synonyms) {
  std::vector<NameWords> all;
  std::map<std::string, std::set<std::int64_t>> holders;  // of a word
  std::map<NameWords, std::int64_t> labels;
  for (const std::string& name : names) {
    const std::int64_t label = std::ssize(all);
    all.push_back(name_words(name));
    labels.emplace(all.back(), label);
    for (const std::string& word : all.back()) holders[word].insert(label);
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto label = static_cast<std::int64_t>(i);
    add(all[i], label);
    if (all[i].size() > 1 && holders[all[i].back()].size() == 1) add({all[i].back()}, label);
  }
  Problems problems;
  for (const auto& [name, others] : synonyms) {
    const auto label = labels.find(name_words(name));
    if (label == labels.end()) {
      problems.add({.what = "names are given to a class that is none",
                    .where = "synonyms",
                    .expected = did_you_mean(name, {names.begin(), names.end()}),
                    .found = name,
                    .fix = {}});
      continue;
    }
    for (const std::string& other : others) add(name_words(other), label->second);
  }
  problems.throw_if_any();
}

void ClassNames::add(const NameWords& words, std::int64_t label) {
  if (words.empty()) return;
  const Name name{.rest = {words.begin() + 1, words.end()}, .label = label};
  for (const std::string& first : words.size() == 1 ? forms(words[0]) : NameWords{words[0]}) {
    by_first_word_[first].push_back(name);
  }
}

std::vector<ClassNames::Mention> ClassNames::mentions(std::string_view text) const {
  std::vector<Mention> found;
  const std::vector<CaptionWord> words = caption_words(text);
  const auto fits = [&](const Name& name, std::size_t at) {
    if (at + name.rest.size() >= words.size()) return false;
    for (std::size_t i = 0; i < name.rest.size(); ++i) {
      const std::string& here = words[at + 1 + i].lower;
      const bool last = i + 1 == name.rest.size();
      if (here != name.rest[i] && !(last && is_form(here, name.rest[i]))) return false;
    }
    return true;
  };
  for (std::size_t at = 0; at < words.size(); ++at) {
    const auto candidates = by_first_word_.find(words[at].lower);
    if (candidates == by_first_word_.end()) continue;
    const Name* best = nullptr;
    for (const Name& name : candidates->second) {
      const bool longer = best == nullptr || name.rest.size() > best->rest.size();
      if (longer && fits(name, at)) best = &name;
    }
    if (best == nullptr) continue;
    const std::size_t last = at + best->rest.size();
    found.push_back({words[at].begin, words[last].end, best->label});
    at = last;
  }
  return found;
}

std::vector<std::int64_t> ClassNames::named(std::string_view text) const {
  std::set<std::int64_t> labels;
  for (const Mention& mention : mentions(text)) labels.insert(mention.label);
  return {labels.begin(), labels.end()};
}

std::string ClassNames::masked(std::string_view text, std::string_view word) const {
  std::string result;
  std::size_t done = 0;
  for (const Mention& mention : mentions(text)) {
    result += text.substr(done, mention.begin - done);
    result += word;
    done = mention.end;
  }
  return result += text.substr(done);
}

}  // namespace espalier
