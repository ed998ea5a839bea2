#include <algorithm>
#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>
#include <espalier/core/schema.hpp>
#include <espalier/dataset/prompts.hpp>
#include <espalier/dataset/split_file.hpp>
#include <map>

namespace espalier {
namespace {

struct TemplateSet {
  std::string_view name;
  std::vector<std::string> templates;
};

std::vector<TemplateSet> published() {
  return {{"simple", {"a photo of a {}."}},
          {"oxford_pets", {"a photo of a {}, a type of pet."}},
          {"flowers102", {"a photo of a {}, a type of flower."}},
          {"food101", {"a photo of {}, a type of food."}},
          {"general",
           {"itap of a {}.", "a bad photo of the {}.", "a origami {}.", "a photo of the large {}.",
            "a {} in a video game.", "art of the {}.", "a photo of the small {}."}}};
}

constexpr std::string_view placeholder = "{}";

void check_templates(std::span<const std::string> templates) {
  Problems problems;
  const auto wrong = [&](std::string what, const std::string& found) {
    problems.add({.what = std::move(what),
                  .where = "prompt templates",
                  .expected = "a text with {} where the class name goes, such as a photo of a {}.",
                  .found = found,
                  .fix = {}});
  };
  if (templates.empty()) wrong("no prompt template", {});
  for (const std::string& text : templates) {
    const std::size_t first = text.find(placeholder);
    if (first == std::string::npos) {
      wrong("a prompt template has no {}", text);
    } else if (text.find(placeholder, first + placeholder.size()) != std::string::npos) {
      wrong("a prompt template has {} twice", text);
    }
  }
  problems.throw_if_any();
}

std::string with_spaces(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

std::string filled(std::string text, const std::string& name) {
  return text.replace(text.find(placeholder), placeholder.size(), with_spaces(name));
}

// A template cut at its two places.
struct PhraseTemplate {
  std::string before, between, after;
  bool class_first = true;

  [[nodiscard]] std::string fill(const std::string& name, const std::string& phrase) const {
    return before + (class_first ? name : phrase) + between + (class_first ? phrase : name) + after;
  }
};

PhraseTemplate phrase_template(const std::string& text) {
  constexpr std::string_view of_class = "{class}", of_phrase = "{phrase}";
  const auto once = [&](std::string_view word) {
    const std::size_t at = text.find(word);
    return at != text.npos && text.find(word, at + 1) == text.npos;
  };
  if (!once(of_class) || !once(of_phrase)) {
    throw Error({.what = "a template of phrases lacks a place, or has one twice",
                 .where = "prompt templates",
                 .expected = "{class} and {phrase} once each, as in \"a photo of a {class}, which "
                             "has {phrase}.\"",
                 .found = text,
                 .fix = {}});
  }
  const bool class_first = text.find(of_class) < text.find(of_phrase);
  const std::string_view first = class_first ? of_class : of_phrase;
  const std::string_view second = class_first ? of_phrase : of_class;
  const std::size_t one = text.find(first), end = one + first.size(), two = text.find(second);
  return {.before = text.substr(0, one),
          .between = text.substr(end, two - end),
          .after = text.substr(two + second.size()),
          .class_first = class_first};
}

std::vector<std::string> sentences_in(const Json& value) {
  std::vector<std::string> sentences;
  for (const Json& sentence : value.is_array() ? value : Json::array({value})) {
    if (!sentence.is_string()) return {};
    if (!sentence.get_ref<const std::string&>().empty()) sentences.push_back(sentence);
  }
  return sentences;
}

using Descriptions = std::map<std::string, std::vector<std::string>>;

void check_described(const std::filesystem::path& file, std::span<const std::string> class_names,
                     const ClassTexts& texts, const Descriptions& known) {
  std::vector<std::string> known_names;
  for (const auto& [name, sentences] : known) known_names.push_back(name);
  Problems problems;
  {
    ListProblems missing(problems);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (!texts[i].empty()) continue;
      const std::string name = class_name_from(class_names[i]);
      const auto near = nearest_name(name, known_names);
      missing.add({.what = "class \"" + class_names[i] + "\" has no description",
                   .where = file.string(),
                   .expected = R"({"class name": ["a sentence", ...]})",
                   .found = known.contains(name) ? "no sentences under this name"
                            : near               ? "\"" + *near + "\""
                                                 : "",
                   .fix = {}});
    }
  }
  problems.throw_if_any();
}

}  // namespace

std::vector<std::string> prompt_templates(std::string_view name) {
  for (const TemplateSet& set : published()) {
    if (set.name == name) return set.templates;
  }
  return {};
}

std::vector<std::string> prompt_template_names() {
  std::vector<std::string> names;
  for (const TemplateSet& set : published()) names.emplace_back(set.name);
  return names;
}

ClassTexts class_texts(std::span<const std::string> class_names,
                       std::span<const std::string> templates) {
  check_templates(templates);
  ClassTexts texts;
  for (const std::string& name : class_names) {
    texts.emplace_back();
    for (const std::string& text : templates) texts.back().push_back(filled(text, name));
  }
  return texts;
}

ClassTexts read_class_phrases(const std::filesystem::path& file,
                              std::span<const std::string> class_names, const std::string& text) {
  const PhraseTemplate form = phrase_template(text);
  ClassTexts texts = read_class_texts(file, class_names);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string name = with_spaces(class_names[i]);
    for (std::string& phrase : texts[i]) phrase = form.fill(name, phrase);
  }
  return texts;
}

ClassTexts read_class_texts(const std::filesystem::path& file,
                            std::span<const std::string> class_names) {
  const Json json = parse_json(read_file(file), file.string());
  const Json root = json.is_object() ? json : Json::object();
  Descriptions known;
  for (const auto& [name, value] : root.items()) known[class_name_from(name)] = sentences_in(value);
  ClassTexts texts;
  for (const std::string& name : class_names) {
    const auto entry = known.find(class_name_from(name));
    texts.push_back(entry == known.end() ? std::vector<std::string>() : entry->second);
  }
  check_described(file, class_names, texts, known);
  return texts;
}

}  // namespace espalier
