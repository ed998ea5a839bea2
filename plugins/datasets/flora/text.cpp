#include "datasets/flora/flora.hpp"
#include <espalier/core/error.hpp>
#include <functional>
#include <map>

namespace espalier::flora {
namespace {

using Phrases = std::map<std::string, std::string, std::less<>>;

// {n}: number of petals, {s}: their shape, {c}: colour, {r}: rows, {m}: centre, {l}: leaf, {b}:
// place.
constexpr std::string_view templates[wordings] = {
    "a flower with {n} {s} {c} petals {r}, a {m} at its centre and {l} leaves{b}.",
    "a photo of a {c} flower{b}: {n} {s} petals {r}, with a {m} in the middle and {l} leaves.",
    "{s} {c} petals, {n} of them {r}, surround a {m}. The leaves are {l}. It stands{b}.",
    "this flower{b} has {l} leaves, a {m} for a centre and {n} {s} petals {r}, all {c}.",
    "the blossom{b} is {c}. Its petals are {s}, {n} {r}, around a {m}; its leaves are {l}.",
};

constexpr std::pair<std::string_view, std::string_view> rows[] = {
    {"single", "in a single row"},
    {"double", "in each of two rows"},
    {"pinwheel", "turned like a pinwheel"},
    {"together", "together"},
};

constexpr std::pair<std::string_view, std::string_view> places[] = {
    {"meadow", " in a meadow"},      {"sky", " against the sky"}, {"soil", " over bare soil"},
    {"stone", " before grey stone"}, {"shade", " in the shade"},
};

template <std::size_t n>
std::string phrase(const std::pair<std::string_view, std::string_view> (&table)[n],
                   const std::string& word) {
  for (const auto& [key, text] : table) {
    if (key == word) return std::string(text);
  }
  return " " + word;
}

Phrases phrases(const Json& facts) {
  Problems problems;
  const auto text = [&](const char* key, const char* unsaid) -> std::string {
    if (facts.is_object() && facts.contains(key) && facts[key].is_null()) return unsaid;
    const bool known = facts.is_object() && facts.contains(key) && facts[key].is_string();
    if (known) return facts[key].get<std::string>();
    problems.add(
        {.what = std::string("the picture's facts lack \"") + key + "\"",
         .where = "",
         .expected = "a text, as dataset/flora gives it",
         .found = facts.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 200),
         .fix = "use these sentences with dataset/flora"});
    return {};
  };
  Phrases all{{"n", text("petals", "several")},
              {"s", text("petal_shape", "open")},
              {"c", text("petal_colour", "coloured")},
              {"r", phrase(rows, text("arrangement", "together"))},
              {"m", text("centre", "spot")},
              {"l", text("leaf", "green")},
              {"b", ""}};
  if (facts.is_object() && facts.contains("background") && !facts["background"].is_null()) {
    all["b"] = phrase(places, text("background", ""));
  }
  problems.throw_if_any();
  return all;
}

class FloraWording final : public Wording {
 public:
  [[nodiscard]] std::int64_t count() const override { return wordings; }
  [[nodiscard]] std::string describe(const Json& facts, std::int64_t way) const override {
    return flora::describe(facts, way);
  }
  [[nodiscard]] std::vector<std::string> alternatives(std::string_view attribute,
                                                      std::string_view value) const override {
    return flora::alternatives(attribute, value);
  }
};

}  // namespace

std::string describe(const Json& facts, std::int64_t wording) {
  ESPALIER_ASSERT(wording >= 0 && wording < wordings, "no such wording");
  const Phrases words = phrases(facts);
  std::string_view rest = templates[wording];
  std::string sentence;
  for (std::size_t open; (open = rest.find('{')) != rest.npos; rest.remove_prefix(open + 3)) {
    sentence += rest.substr(0, open);
    sentence += words.find(rest.substr(open + 1, 1))->second;
  }
  sentence += rest;
  if (const auto nowhere = sentence.find(" It stands."); nowhere != sentence.npos)
    sentence.erase(nowhere);
  if (sentence[0] >= 'a' && sentence[0] <= 'z')
    sentence[0] = static_cast<char>(sentence[0] - 'a' + 'A');
  return sentence;
}

const Wording& wording() {
  static const FloraWording words;
  return words;
}

}  // namespace espalier::flora
