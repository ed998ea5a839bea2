// Every property of every component that is built here.
#include <espalier/testing/gtest.hpp>

namespace espalier::conformance {
namespace {

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
  given["captioner/file"] = {{"file", data + "captions.json"}};
  return given;
}

}  // namespace
}  // namespace espalier::conformance

ESPALIER_CONFORMANCE_TESTS(ESPALIER_BINARY_DIR "/plugins", inputs())
