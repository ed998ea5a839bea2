// BLIP (Li et al. 2022), the captioner: a ViT looks at a picture, a BERT decoder tells what it
// sees.
#pragma once

#include <espalier/core/json.hpp>
#include <espalier/nn/encoder_parity.hpp>
#include <espalier/nn/generation.hpp>
#include <espalier/nn/pretrained.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace espalier {

// A folder of BlipForConditionalGeneration in Hugging Face's layout. What is seen of a picture
// depends on that picture alone, to the last bit for a given number of threads on the CPU, and what
// is said of it on what is seen, whatever is said of others.
class Blip {
 public:
  // `families` of the options are not looked at. Throws Error with all problems of config.json and
  // generation_config.json, or with all problems of the weights.
  explicit Blip(const std::filesystem::path& folder, const PretrainedOptions& options = {});
  ~Blip();
  Blip(Blip&&) noexcept;

  [[nodiscard]] at::Device device() const;
  // Side of the pictures that it takes, in pixels.
  [[nodiscard]] std::int64_t image_size() const;
  // The most tokens of a text, the prompt and its first token included.
  [[nodiscard]] std::int64_t positions() const;
  [[nodiscard]] std::int64_t vocabulary() const;
  // The token that every text begins with.
  [[nodiscard]] std::int64_t first_token() const;
  // What `text_config` and, over it, generation_config.json say, for a prompt of so many tokens.
  // Without a maximum length, 30 new tokens.
  [[nodiscard]] GenerationRules rules(std::int64_t prompt) const;

  // States [n, patches + 1, width] of pictures [n, 3, height, width], where picture i is
  // pixels(i), asked for in any order and from several threads.
  [[nodiscard]] at::Tensor look(std::int64_t n,
                                const std::function<at::Tensor(std::int64_t)>& pixels) const;
  // A text for each picture, after the prompt, which begins with first_token(). Throws Error where
  // prompt and new tokens are more than positions().
  [[nodiscard]] std::vector<Generated> tell(const at::Tensor& states,
                                            std::span<const std::int64_t> prompt,
                                            const GenerationRules& rules) const;

  // Of `pixel_values` and `input_ids`: `hidden_states.vision.N`, `last_hidden_state.vision`,
  // `pooler_output.vision`, `hidden_states.text.N` and `logits` of each position, as
  // named_tensors.hpp says them.
  [[nodiscard]] std::map<std::string, at::Tensor> run_on_tensors(
      const std::map<std::string, at::Tensor>& inputs) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Whether config.json in the folder says that it is BLIP.
[[nodiscard]] bool is_blip_folder(const std::filesystem::path& folder);

// encoder_parity() of such a folder. Beside the names of Blip::run_on_tensors(), `greedy_ids.KIND`,
// `beam_ids.KIND` and `beam_scores.KIND`, where KIND is `prompted` (after input_ids, as generate()
// takes them) or `free`, with the settings under `generation` in expected.json. Ids must be equal,
// scores within ten times the tolerance.
[[nodiscard]] std::vector<TensorDifference> blip_parity(const std::filesystem::path& folder,
                                                        double tolerance = 1e-5);

}  // namespace espalier
