// Captions, a text each, parted by zero bytes: rules, names, words and what noise makes of them.
#include <cstdlib>
#include <espalier/caption/attribute_noise.hpp>
#include <espalier/caption/rules.hpp>
#include <espalier/caption/tf_idf.hpp>
#include <espalier/core/words.hpp>
#include <string>
#include <vector>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  static const std::vector<std::string> classes{"american_bulldog", "rose", "desert rose"};
  static const espalier::ClassNames names(classes);
  std::vector<std::string> texts;
  std::string rest(fuzz::text_of(data, size));
  for (std::size_t end; (end = rest.find('\0')) != rest.npos; rest.erase(0, end + 1)) {
    texts.push_back(rest.substr(0, end));
  }
  texts.push_back(rest);

  std::vector<espalier::RuledCaption> captions;
  for (const std::string& text : texts) captions.push_back({.text = text});
  const espalier::SetRules rules = espalier::broken_rules(captions, names);
  const espalier::TfIdf words(texts, 1, 100);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (rules.twin[i] >= std::ssize(texts) || rules.twin[i] == static_cast<std::ptrdiff_t>(i)) {
      std::abort();
    }
    if (!names.named(names.masked(texts[i], "x")).empty()) std::abort();
    (void)words.row(texts[i]);
    const bool valid = espalier::is_utf8(texts[i]);
    for (const auto error : {espalier::AttributeError::swap, espalier::AttributeError::drop,
                             espalier::AttributeError::insert}) {
      espalier::Random random(std::uint64_t{size});
      const std::string noisy = espalier::AttributeNoise{error, 0.5}.in_text(texts[i], random);
      if (valid && !espalier::is_utf8(noisy)) std::abort();
    }
  }
  return 0;
}
