#include <espalier/caption/attribute_words.hpp>
#include <espalier/caption/words.hpp>
#include <unordered_map>

namespace espalier {
namespace {

using Word = std::string_view;

constexpr Word colours_words[] = {
    "red",    "orange",   "yellow", "green",  "blue",    "purple",  "violet",    "pink",  "magenta",
    "white",  "black",    "grey",   "brown",  "tan",     "beige",   "cream",     "ivory", "golden",
    "silver", "lavender", "lilac",  "maroon", "crimson", "scarlet", "turquoise", "peach"};
constexpr Word numbers_words[] = {"one",   "two",   "three", "four", "five",   "six",
                                  "seven", "eight", "nine",  "ten",  "eleven", "twelve"};
constexpr Word sizes_words[] = {"tiny", "small", "large",  "huge", "long",  "short",
                                "tall", "broad", "narrow", "thin", "thick", "slender"};
constexpr Word shapes_words[] = {"round",   "oval",    "pointed",  "square",      "rectangular",
                                 "flat",    "curved",  "straight", "curled",      "triangular",
                                 "notched", "fringed", "rounded",  "cylindrical", "conical",
                                 "trumpet", "bell",    "star"};
constexpr Word textures_words[] = {"smooth",  "rough",    "fluffy", "furry",  "hairy",
                                   "silky",   "wrinkled", "shiny",  "glossy", "velvety",
                                   "waxy",    "curly",    "wiry",   "crispy", "creamy",
                                   "crumbly", "spiky",    "wavy",   "woolly", "feathery"};
constexpr Word patterns_words[] = {"striped", "spotted", "speckled", "solid",
                                   "patchy",  "mottled", "dotted",   "marbled",
                                   "veined",  "banded",  "ticked",   "brindled"};
constexpr Word shades_words[] = {"pale", "light", "bright", "vivid", "deep", "dark"};
constexpr Word parts_words[] = {
    "petal",  "petals", "stem",    "stems",  "leaf",   "leaves", "bud",    "stamen", "stamens",
    "pistil", "ear",    "ears",    "eye",    "eyes",   "nose",   "muzzle", "snout",  "tail",
    "paw",    "paws",   "fur",     "coat",   "face",   "mane",   "beak",   "wing",   "wings",
    "crust",  "sauce",  "topping", "centre", "center", "blossom"};

constexpr AttributeGroup word_groups[] = {
    {"colour", colours_words, true},   {"number", numbers_words, true},
    {"size", sizes_words, true},       {"shape", shapes_words, true},
    {"texture", textures_words, true}, {"pattern", patterns_words, true},
    {"shade", shades_words, true},     {"part", parts_words, false}};

struct Place {
  std::size_t group;
  std::size_t word;
};

std::unordered_map<Word, Place> places_of_words() {
  std::unordered_map<Word, Place> places;
  for (std::size_t g = 0; g < std::size(word_groups); ++g) {
    for (std::size_t w = 0; w < word_groups[g].words.size(); ++w) {
      places.try_emplace(word_groups[g].words[w], Place{g, w});
    }
  }
  places.try_emplace("gray", places.at("grey"));
  return places;
}

}  // namespace

std::span<const AttributeGroup> attribute_groups() { return word_groups; }

std::vector<AttributeWord> attribute_words(std::string_view text) {
  static const std::unordered_map<Word, Place> places = places_of_words();
  std::vector<AttributeWord> found;
  for (const CaptionWord& word : caption_words(text)) {
    const auto place = places.find(word.lower);
    if (place == places.end()) continue;
    found.push_back({word.begin, word.end, place->second.group, place->second.word});
  }
  return found;
}

}  // namespace espalier
