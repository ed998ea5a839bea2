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

constexpr std::string_view place = "{}";

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
    const std::size_t first = text.find(place);
    if (first == std::string::npos) {
      wrong("a prompt template has no {}", text);
    } else if (text.find(place, first + place.size()) != std::string::npos) {
      wrong("a prompt template has {} twice", text);
    }
  }
  problems.throw_if_any();
}

std::string filled(std::string text, std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return text.replace(text.find(place), place.size(), name);
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
