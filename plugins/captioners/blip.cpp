// BLIP (Li et al. 2022) from a folder in Hugging Face's layout. docs/captions.md.
#include <algorithm>
#include <espalier/core/builtin.hpp>
#include <espalier/image/transform.hpp>
#include <espalier/nn/blip.hpp>
#include <espalier/plugin/captioner.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/pretrained_encoder.hpp>
#include <espalier/text/tokenizer.hpp>
#include <iterator>

namespace {

using espalier::Caption;
using espalier::CaptionRequest;

struct BlipParams {
  espalier::ContentPath weights;
  std::string precision = "float32";
  std::string prompt = "a picture of";
  std::int64_t num_beams = 0;
  std::int64_t max_new_tokens = 0;
  std::int64_t min_new_tokens = 0;
  double repetition_penalty = 0.0;
  std::int64_t no_repeat_ngram_size = 0;
};

void bind(espalier::Schema<BlipParams>& s) {
  s.field("weights", &BlipParams::weights)
      .required()
      .doc("Folder of a BLIP for captions in Hugging Face's layout");
  s.field("precision", &BlipParams::precision)
      .choices({"float32", "bfloat16", "float16", "auto"})
      .doc("Type to compute in; auto takes bfloat16 where the machine multiplies it natively");
  s.field("prompt", &BlipParams::prompt)
      .doc("What every caption goes on from, and does not repeat; may be empty");
  s.field("num_beams", &BlipParams::num_beams)
      .range(0, 64)
      .doc("1 is greedy search, more are beams; 0 is what the folder says");
  s.field("max_new_tokens", &BlipParams::max_new_tokens)
      .range(0, 65536)
      .doc("Longest caption in tokens; 0 is what the folder says, 30 where it says nothing");
  s.field("min_new_tokens", &BlipParams::min_new_tokens)
      .range(0, 65536)
      .doc("Shortest caption in tokens; 0 is what the folder says");
  s.field("repetition_penalty", &BlipParams::repetition_penalty)
      .range(0, 1000)
      .doc("Above 1 words that were said become less likely; 0 is what the folder says");
  s.field("no_repeat_ngram_size", &BlipParams::no_repeat_ngram_size)
      .range(0, 65536)
      .doc("So many tokens in a row never come twice; 0 is what the folder says");
}

// Pictures of which the decoder reads its weights once a word.
constexpr std::int64_t at_once = 8;

class BlipCaptioner final : public espalier::Captioner {
 public:
  using Params = BlipParams;

  BlipCaptioner(const Params& params, const espalier::RunContext& context)
      : folder_(espalier::resolve_path(params.weights.text)),
        blip_(folder_, {.families = {}, .device = context.device(), .precision = params.precision}),
        transform_(espalier::Preprocessing::from_folder(folder_)),
        tokenizer_(espalier::open_tokenizer(folder_)),
        prompt_(prompt_tokens(params.prompt)),
        rules_(rules(params)) {
    check_size();
    check_lengths();
  }

  Caption caption(const CaptionRequest& request) const override {
    return captions({&request, 1}).front();
  }

  std::vector<Caption> captions(std::span<const CaptionRequest> requests) const override {
    std::vector<Caption> all;
    while (!requests.empty()) {
      const std::size_t some = std::min<std::size_t>(requests.size(), at_once);
      for (const espalier::Generated& text : tell(requests.first(some))) {
        all.push_back({decoded(text), "blip"});
      }
      requests = requests.subspan(some);
    }
    return all;
  }

 private:
  // The first token takes the place of the tokenizer's, and its end is cut, as generate() does.
  std::vector<std::int64_t> prompt_tokens(const std::string& text) const {
    std::vector<std::int64_t> ids = tokenizer_.encode(text).ids;
    ids.front() = blip_.first_token();
    ids.pop_back();
    return ids;
  }

  espalier::GenerationRules rules(const Params& params) const {
    espalier::GenerationRules rules = blip_.rules(std::ssize(prompt_));
    const auto set = [](auto& rule, auto given) {
      if (given > 0) rule = given;
    };
    set(rules.beams, params.num_beams);
    set(rules.max_new_tokens, params.max_new_tokens);
    set(rules.min_new_tokens, params.min_new_tokens);
    set(rules.repetition_penalty, params.repetition_penalty);
    set(rules.no_repeat_ngram_size, params.no_repeat_ngram_size);
    return rules;
  }

  void check_size() const {
    const std::int64_t side = blip_.image_size();
    if (transform_.width() == side && transform_.height() == side) return;
    throw espalier::Error(
        {.what = "the image processor makes pictures of another size than the "
                 "model takes",
         .where = folder_.string(),
         .expected = std::to_string(side) + " x " + std::to_string(side),
         .found = std::to_string(transform_.width()) + " x " + std::to_string(transform_.height()),
         .fix = "take preprocessor_config.json from where the weights are from"});
  }

  void check_lengths() const {
    const std::int64_t room = blip_.positions() - std::ssize(prompt_);
    if (rules_.max_new_tokens > room) {
      throw espalier::Error({.what = "captions may become longer than the model can say",
                             .where = "captioner.max_new_tokens",
                             .expected = "at most " + std::to_string(room) + " after this prompt",
                             .found = std::to_string(rules_.max_new_tokens),
                             .fix = {}});
    }
    if (rules_.min_new_tokens > rules_.max_new_tokens) {
      throw espalier::Error(
          {.what = "captions cannot be as long as they must",
           .where = "captioner.min_new_tokens",
           .expected = "at most " + std::to_string(rules_.max_new_tokens) + ", the longest",
           .found = std::to_string(rules_.min_new_tokens),
           .fix = {}});
    }
  }

  // On a GPU always of one number of pictures, the last filled up, so that none depends on others.
  std::vector<espalier::Generated> tell(std::span<const CaptionRequest> requests) const {
    const std::int64_t n = std::ssize(requests);
    const std::int64_t filled = blip_.device().is_cpu() ? n : at_once;
    const at::Tensor states = blip_.look(filled, [&](std::int64_t i) {
      const CaptionRequest& request = requests[static_cast<std::size_t>(std::min(i, n - 1))];
      return espalier::pixel_values(transform_, request.image()).to(blip_.device());
    });
    std::vector<espalier::Generated> texts = blip_.tell(states, prompt_, rules_);
    texts.resize(requests.size());
    return texts;
  }

  std::string decoded(const espalier::Generated& text) const {
    std::vector<std::int64_t> words;
    std::copy_if(text.ids.begin(), text.ids.end(), std::back_inserter(words), [&](std::int64_t id) {
      return id != rules_.end && id != blip_.first_token() && id < tokenizer_.vocabulary_size();
    });
    return tokenizer_.decode(words);
  }

  std::filesystem::path folder_;
  espalier::Blip blip_;
  espalier::ImageTransform transform_;
  espalier::Tokenizer tokenizer_;
  std::vector<std::int64_t> prompt_;
  espalier::GenerationRules rules_;
};

}  // namespace

ESPALIER_COMPONENT(captioner, "blip", 2, BlipCaptioner,
                   "Captions that a BLIP from a folder writes, without any server",
                   "text unseen:min_new_tokens")
