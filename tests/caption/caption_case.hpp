// Captions and what Python says of them: tools/parity/make_caption_case.py.
#pragma once

#include <espalier/caption/class_names.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>
#include <string>
#include <vector>

namespace espalier::testing_support {

struct CaptionCase {
  Json json = parse_json(read_file(ESPALIER_SOURCE_DIR "/tests/data/captions/check.json"), "case");
  std::vector<std::string> texts = json.at("texts");
  std::vector<std::int64_t> labels = json.at("labels");
  std::vector<std::string> classes = json.at("classes");
  ClassNames names{classes, json.at("synonyms").get<Synonyms>()};
};

}  // namespace espalier::testing_support
