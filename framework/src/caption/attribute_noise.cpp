#include <boost/math/special_functions/beta.hpp>

#include <cctype>
#include <espalier/caption/attribute_noise.hpp>
#include <espalier/caption/attribute_words.hpp>

namespace espalier {
namespace {

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

std::string in_the_case_of(std::string_view model, std::string word) {
  if (!model.empty() && is_upper(model[0])) {
    word[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(word[0])));
  }
  return word;
}

std::string other_word(const AttributeWord& found, std::size_t choice) {
  const auto words = attribute_groups()[found.group].words;
  return std::string(words[choice + (choice >= found.word ? 1 : 0)]);
}

}  // namespace

Json AttributeNoise::in_facts(Json facts, const Wording& wording, Random& random,
                              Json& inserted) const {
  inserted = Json::object();
  for (auto& [attribute, value] : facts.items()) {
    if (!value.is_string()) continue;
    const auto others = wording.alternatives(attribute, value.get<std::string>());
    const double chance = random.uniform();
    const std::size_t choice = others.empty() ? 0 : random.below(others.size());
    if (chance >= rate) continue;
    if (error == AttributeError::drop) {
      value = nullptr;
    } else if (!others.empty()) {
      (error == AttributeError::swap ? value : inserted[attribute]) = others[choice];
    }
  }
  return facts;
}

std::string AttributeNoise::in_text(std::string_view text, Random& random) const {
  std::string result;
  std::size_t done = 0;
  for (const AttributeWord& found : attribute_words(text)) {
    const AttributeGroup& group = attribute_groups()[found.group];
    if (!group.exclusive) continue;
    const double chance = random.uniform();
    const std::size_t choice = random.below(group.words.size() - 1);
    if (chance >= rate) continue;
    const std::string_view word = text.substr(found.begin, found.end - found.begin);
    result += text.substr(done, found.begin - done);
    done = found.end;
    if (error == AttributeError::swap) {
      result += in_the_case_of(word, other_word(found, choice));
    } else if (error == AttributeError::insert) {
      result += std::string(word) + " and " + other_word(found, choice);
    } else if (done < text.size() && text[done] == ' ') {
      ++done;
    }
  }
  return result += text.substr(done);
}

double clustered_rate(double rate, double clustering, double u) {
  if (clustering <= 0 || rate <= 0 || rate >= 1) return rate;
  return boost::math::ibeta_inv(rate / clustering, (1 - rate) / clustering, u);
}

}  // namespace espalier
