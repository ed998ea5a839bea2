// Every property of every component that is built here.
#include <espalier/testing/gtest.hpp>

namespace espalier::conformance {
namespace {

// Methods whose usual sizes are more than the maps of the suite's encoder have, 16 wide.
void give_sizes_that_fit(Given& given) {
  given["peft/c3a"] = {{"block_size", 4}};
  given["peft/fourierft"] = {{"n_frequency", 50}};
  given["peft/gralora"] = {{"r", 4}};
  given["peft/hira"] = {{"r", 4}};
  given["peft/miss"] = {{"r", 8}};
  given["peft/oft"] = {{"oft_block_size", 8}};
  given["peft/peanut"] = {{"r", 4}};
  given["peft/psoft"] = {{"r", 4}};
  given["peft/randlora"] = {{"r", 4}};
  given["peft/road"] = {{"group_size", 8}};
  given["peft/shira"] = {{"r", 2}};
  given["peft/supertuning"] = {{"sparsity", 0.9}};
  given["peft/vblora"] = {{"vector_length", 4}, {"num_vectors", 8}};
  given["peft/waveft"] = {{"n_frequency", 40}};
}

// Small inputs for the components that cannot do without.
Given inputs() {
  const std::string data = ESPALIER_SOURCE_DIR "/tests/data/";
  const auto model = [&](const char* name) { return Json{{"weights", data + "encoders/" + name}}; };
  const auto side = [&](const char* use, const char* name) {
    Json section = model(name);
    section["use"] = use;
    return section;
  };
  Given given = {
      {"encoder/clip", model("clip-tiny-gelu")},
      {"encoder/siglip", model("siglip-tiny")},
      {"encoder/vit", model("vit-tiny")},
      {"encoder/dinov2", model("dinov2-tiny")},
      {"encoder/bert", model("bert-tiny")},
      {"encoder/torchscript",
       {{"weights", data + "encoders/channels.pt"}, {"trusted", true}, {"size", 16}}},
      {"encoder/dual", {{"image", side("vit", "vit-tiny")}, {"text", side("bert", "bert-tiny")}}}};
  for (const char* name : {"image_folder", "manifest", "oxford_pets", "flowers102", "food101"}) {
    given[std::string("dataset/") + name] = {{"root", data + "datasets/" + name}};
  }
  given["dataset/features"] = {{"file", data + "datasets/features.safetensors"}};
  given["peft/stack"] = {
      {"methods", Json::array({{{"use", "lora"}}, {{"use", "bitfit"}, {"towers", "text"}}})}};
  given["peft/hf"] = {{"path", data + "peft/toy-adapter"}};
  given["graph/edge_list"] = {{"file", data + "edges.csv"}};
  given["captioner/file"] = {{"file", data + "captions.json"}};
  given["captioner/noisy"] = {{"of", "attributes"}};
  given["captioner/masked"] = {{"of", "attributes"}};
  given["captioner/blip"] = {{"weights", data + "captioners/blip-tiny"}, {"max_new_tokens", 8}};
  give_sizes_that_fit(given);
  return given;
}

}  // namespace
}  // namespace espalier::conformance

ESPALIER_CONFORMANCE_TESTS(ESPALIER_BINARY_DIR "/plugins", inputs())
