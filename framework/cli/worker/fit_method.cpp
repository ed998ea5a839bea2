#include "fit_method.hpp"

#include <algorithm>
#include <cstdlib>
#include <espalier/core/error.hpp>
#include <espalier/dataset/prompts.hpp>
#include <espalier/nn/adaptable.hpp>
#include <optional>
#include <span>

#include "train/adapted_encoder.hpp"
#include "train/sample_graph.hpp"

namespace espalier::cli {
namespace {

struct Size {
  std::int64_t value = 0;
  std::int64_t trainable = 0;
};

Json to_json(const std::optional<Size>& size) {
  if (!size) return nullptr;
  return {{"value", size->value}, {"trainable", size->trainable}};
}

class Counter {
 public:
  Counter(const Json& question, Encoder& encoder, const MakeMethod& make,
          const std::vector<std::string>& class_names, std::int64_t seed)
      : question_(question),
        encoder_(encoder),
        make_(make),
        class_names_(class_names),
        seed_(seed) {}

  // None where the method refuses the value.
  std::optional<Size> operator()(std::int64_t value) const try {
    Json section = question_.at("peft");
    const auto key = question_.at("key").get<std::string>();
    if (!key.empty()) section[key] = value;
    const LoneSamples nobody;
    const std::shared_ptr<Peft> method = make_(section);
    AdaptableEncoder& model = *encoder_.adaptable();
    model.reset();
    prepare(*method);
    const auto part = model.part({.images = looks_at("image"),
                                  .texts = looks_at("text"),
                                  .classes = looks_at("class_vectors")});
    method->join(*part, nobody, [] { return true; });
    Parameters parameters;
    (void)attach_method(*method, "peft", *part, seed_, parameters);
    return Size{.value = value, .trainable = parameters.count()};
  } catch (const Error&) {
    return std::nullopt;
  }

 private:
  [[nodiscard]] bool looks_at(const std::string& what) const {
    const auto towers = question_.at("towers").get<std::vector<std::string>>();
    return std::ranges::count(towers, what) > 0;
  }

  void prepare(Peft& method) const {
    const std::string own = method.class_template();
    if (own.empty()) return;
    MethodInput input;
    for (const auto& texts : class_texts(class_names_, std::vector{own})) {
      input.class_tokens.push_back(encoder_.tokens(texts));
    }
    input.tokens = [this](const std::string& text) {
      return encoder_.tokens(std::span(&text, 1)).at(0);
    };
    method.prepare(input);
  }

  const Json& question_;
  Encoder& encoder_;
  const MakeMethod& make_;
  const std::vector<std::string>& class_names_;
  std::int64_t seed_;
};

// Values in the order of what they train, of which some are refused.
class Search {
 public:
  Search(const Counter& count, std::int64_t most) : count_(count), most_(most) {}

  void over(const std::vector<std::int64_t>& values) {
    constexpr int patience = 3;  // values that are refused behind one that is not
    int refused = 0;
    std::vector<std::int64_t> beyond;  // behind the last that fits
    for (const std::int64_t value : values) {
      const std::optional<Size> size = count_(value);
      if (!smallest_) smallest_ = size;
      const bool fits = size && size->trainable <= most_;
      if (fits) {
        take(*size);
        beyond.clear();
        refused = 0;
        continue;
      }
      if (found_) beyond.push_back(value);
      if (size || (smallest_ && ++refused == patience)) break;
    }
    if (found_ && !beyond.empty()) between(found_->value, beyond.front());
  }

  [[nodiscard]] Json answer() const {
    return {{"smallest", to_json(smallest_)}, {"found", to_json(found_)}};
  }

 private:
  // Of values that train as much, the first.
  void take(const Size& size) {
    if (!found_ || size.trainable > found_->trainable) found_ = size;
  }

  void between(std::int64_t good, std::int64_t bad) {
    while (std::abs(good - bad) > 1) {
      const std::int64_t middle = good + (bad - good) / 2;
      const std::optional<Size> size = count_(middle);
      const bool fits = size && size->trainable <= most_;
      if (fits) take(*size);
      (fits ? good : bad) = middle;
    }
  }

  const Counter& count_;
  std::int64_t most_;
  std::optional<Size> smallest_;
  std::optional<Size> found_;
};

}  // namespace

Json fit_method(const Json& question, Encoder& encoder, const MakeMethod& make,
                const std::vector<std::string>& class_names, std::int64_t seed) {
  if (encoder.adaptable() == nullptr) return {{"smallest", nullptr}, {"found", nullptr}};
  const Counter count(question, encoder, make, class_names, seed);
  Search search(count, question.at("trainable").get<std::int64_t>());
  const bool sized = !question.at("key").get_ref<const std::string&>().empty();
  search.over(sized ? question.at("values").get<std::vector<std::int64_t>>()
                    : std::vector<std::int64_t>{0});
  encoder.adaptable()->reset();
  return search.answer();
}

}  // namespace espalier::cli
