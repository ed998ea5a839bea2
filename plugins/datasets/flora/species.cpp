#include "datasets/flora/flora.hpp"
#include <algorithm>
#include <array>
#include <espalier/core/error.hpp>
#include <span>
#include <utility>

namespace espalier::flora {
namespace {

using Words = std::span<const std::string_view>;

constexpr std::string_view widths[] = {"broad", "narrow"};
constexpr std::string_view tips[] = {"rounded", "notched", "pointed", "fringed"};
constexpr std::string_view hues[] = {"red", "orange", "yellow", "pink", "purple", "blue"};
constexpr std::string_view shades[] = {"pale", "vivid", "deep"};
constexpr std::string_view arrangements[] = {"single", "double", "pinwheel"};
constexpr std::string_view forms[] = {"button", "star", "tuft"};
constexpr std::string_view centre_colour_words[] = {"yellow", "brown", "green", "white"};
constexpr std::string_view leaves[] = {"oval", "lance-shaped", "heart-shaped", "toothed"};
constexpr std::string_view backgrounds[] = {"meadow", "sky", "soil", "stone", "shade"};
constexpr std::string_view count_words[] = {"four", "five", "six", "eight", "twelve"};
constexpr std::int64_t counts[] = {4, 5, 6, 8, 12};

constexpr std::string_view genus_stems[] = {"brook", "cinder",  "dew",  "elder", "fair",  "glen",
                                            "hazel", "kestrel", "lark", "moss",  "north", "pearl",
                                            "quill", "river",   "vale", "willow"};
constexpr std::string_view genus_endings[][4] = {{"bell", "wort", "cup", "mint"},
                                                 {"bloom", "weed", "crown", "foot"}};

// What the species of a genus may differ in.
enum Trait : std::size_t { petals, shape, colour, arrangement, form, eye, leaf, trait_count };
using Values = std::array<std::size_t, trait_count>;
constexpr Values choices = {5, 4, 9, 3, 3, 4, 4};

// Of all pairs of two words every other one belongs to a pool, so that each word is in both.
Width width_of(Pool pool, std::size_t tip) {
  return (tip + (pool == Pool::benchmark ? 1 : 0)) % 2 == 0 ? Width::broad : Width::narrow;
}

std::pair<Shade, Hue> colour_of(Pool pool, std::size_t number) {
  const std::size_t pair = 2 * number + (pool == Pool::benchmark ? 0 : 1);
  return {static_cast<Shade>(pair % 3), static_cast<Hue>(pair / 3)};
}

std::string word_pair(std::string_view first, std::string_view second) {
  return std::string(first) + " " + std::string(second);
}

std::string shape_text(Width width, Tip tip) {
  return word_pair(widths[static_cast<std::size_t>(width)], tips[static_cast<std::size_t>(tip)]);
}

std::string colour_text(Shade shade, Hue hue) {
  return word_pair(shades[static_cast<std::size_t>(shade)], hues[static_cast<std::size_t>(hue)]);
}

// How a trait sounds in the name of a species.
std::string epithet(Pool pool, Trait trait, std::size_t value) {
  switch (trait) {
    case petals:
      return std::string(count_words[value]) + "-petalled";
    case shape:
      return std::string(tips[value]);
    case colour: {
      const auto [shade, hue] = colour_of(pool, value);
      return colour_text(shade, hue);
    }
    case arrangement:
      return std::string(arrangements[value]);
    case form:
      return std::string(forms[value]) + "-eyed";
    case eye:
      return std::string(centre_colour_words[value]) + "-eyed";
    default:
      return std::string(leaves[value]) + "-leaved";
  }
}

Species make_species(Pool pool, const Values& values, std::string name) {
  const auto [shade, hue] = colour_of(pool, values[colour]);
  return {.name = std::move(name),
          .petals = counts[values[petals]],
          .width = width_of(pool, values[shape]),
          .tip = static_cast<Tip>(values[shape]),
          .hue = hue,
          .shade = shade,
          .arrangement = static_cast<Arrangement>(values[arrangement]),
          .centre_form = static_cast<CentreForm>(values[form]),
          .centre_colour = static_cast<CentreColour>(values[eye]),
          .leaf = static_cast<Leaf>(values[leaf])};
}

struct Genus {
  Values first{};
  std::array<Trait, 2> varied{};
  std::array<std::size_t, 2> other{};  // the second value of each varied trait

  [[nodiscard]] Values values(std::size_t species) const {
    Values result = first;
    for (std::size_t i = 0; i < 2; ++i) {
      if (species >> i & 1u) result[varied[i]] = other[i];
    }
    return result;
  }
};

Genus draw_genus(Random& random) {
  Genus genus;
  for (std::size_t trait = 0; trait < trait_count; ++trait) {
    genus.first[trait] = random.below(choices[trait]);
  }
  const std::size_t a = random.below(trait_count);
  const std::size_t b = (a + 1 + random.below(trait_count - 1)) % trait_count;
  genus.varied = {static_cast<Trait>(std::min(a, b)), static_cast<Trait>(std::max(a, b))};
  for (std::size_t i = 0; i < 2; ++i) {
    const Trait trait = genus.varied[i];
    genus.other[i] = (genus.first[trait] + 1 + random.below(choices[trait] - 1)) % choices[trait];
  }
  return genus;
}

// Species of different genera differ in two traits or more.
bool is_apart(const Genus& genus, const std::vector<Values>& earlier) {
  for (std::size_t i = 0; i < 4; ++i) {
    const Values mine = genus.values(i);
    for (const Values& theirs : earlier) {
      std::size_t differing = 0;
      for (std::size_t t = 0; t < trait_count; ++t) differing += mine[t] != theirs[t];
      if (differing < 2) return false;
    }
  }
  return true;
}

std::string species_name(Pool pool, std::size_t genus_number, const Genus& genus,
                         const Values& values) {
  std::string name;
  for (const Trait trait : genus.varied) name += epithet(pool, trait, values[trait]) + " ";
  const std::size_t round = genus_number / std::size(genus_stems);
  name += genus_stems[genus_number % std::size(genus_stems)];
  name += genus_endings[static_cast<std::size_t>(pool)][(genus_number + round) % 4];
  return name;
}

std::vector<std::string> others(Words words, std::string_view value) {
  if (std::find(words.begin(), words.end(), value) == words.end()) return {};
  std::vector<std::string> result;
  for (const std::string_view word : words) {
    if (word != value) result.emplace_back(word);
  }
  return result;
}

std::vector<std::string> others(const std::vector<std::string>& words, std::string_view value) {
  const std::vector<std::string_view> views(words.begin(), words.end());
  return others(Words(views), value);
}

std::vector<std::string> shapes(Pool pool) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < choices[shape]; ++i) {
    all.push_back(shape_text(width_of(pool, i), static_cast<Tip>(i)));
  }
  return all;
}

std::vector<std::string> colours(Pool pool) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < choices[colour]; ++i) {
    const auto [shade, hue] = colour_of(pool, i);
    all.push_back(colour_text(shade, hue));
  }
  return all;
}

std::vector<std::string> centres() {
  std::vector<std::string> all;
  for (const std::string_view c : centre_colour_words) {
    for (const std::string_view f : forms) all.push_back(word_pair(c, f));
  }
  return all;
}

}  // namespace

std::vector<Species> species(Pool pool, std::int64_t count) {
  ESPALIER_ASSERT(count >= 0 && count <= max_species, "more species than there are");
  Random random(1, pool == Pool::benchmark ? "flora:benchmark" : "flora:pretraining");
  std::vector<Values> taken;
  std::vector<Species> all;
  for (std::size_t number = 0; std::ssize(all) < count; ++number) {
    Genus genus = draw_genus(random);
    while (!is_apart(genus, taken)) genus = draw_genus(random);
    for (std::size_t i = 0; i < 4; ++i) {
      const Values values = genus.values(i);
      taken.push_back(values);
      if (std::ssize(all) == count) continue;
      all.push_back(make_species(pool, values, species_name(pool, number, genus, values)));
    }
  }
  return all;
}

Json facts(const Species& s) {
  const auto count = std::find(std::begin(counts), std::end(counts), s.petals) - std::begin(counts);
  return {{"petals", count_words[count]},
          {"petal_shape", shape_text(s.width, s.tip)},
          {"petal_colour", colour_text(s.shade, s.hue)},
          {"arrangement", arrangements[static_cast<std::size_t>(s.arrangement)]},
          {"centre", word_pair(centre_colour_words[static_cast<std::size_t>(s.centre_colour)],
                               forms[static_cast<std::size_t>(s.centre_form)])},
          {"leaf", leaves[static_cast<std::size_t>(s.leaf)]}};
}

std::string_view name(Background background) {
  return backgrounds[static_cast<std::size_t>(background)];
}

std::vector<std::string> alternatives(std::string_view attribute, std::string_view value) {
  if (attribute == "petals") return others(Words(count_words), value);
  if (attribute == "arrangement") return others(Words(arrangements), value);
  if (attribute == "leaf") return others(Words(leaves), value);
  if (attribute == "background") return others(Words(backgrounds), value);
  if (attribute == "centre") return others(centres(), value);
  const auto both = attribute == "petal_shape"    ? shapes
                    : attribute == "petal_colour" ? colours
                                                  : nullptr;
  if (both == nullptr) return {};
  const auto first = others(both(Pool::benchmark), value);
  return first.empty() ? others(both(Pool::pretraining), value) : first;
}

}  // namespace espalier::flora
