#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <espalier/core/error.hpp>
#include <espalier/core/process.hpp>
#include <espalier/plugin/captioner.hpp>
#include <espalier/plugin/dataset.hpp>
#include <espalier/plugin/loader_context.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "experiment/sections.hpp"
#include "run/protocol.hpp"
#include "run/worker.hpp"
#include "train/class_features.hpp"
#include "train/split.hpp"

#include "../said_sink.hpp"
#include "described_catalog.hpp"
#include "fit_method.hpp"
#include "inspect_method.hpp"
#include "verbs.hpp"

namespace espalier::cli {
namespace {

// Opens each dataset once, and keeps the encoder that was asked about last.
class Inspection {
 public:
  explicit Inspection(Loader& loader)
      : loader_(loader), log_("inspect", said_), context_(loader_, log_) {}

  Json answer(const Json& question) try {
    const auto asked = question.at("do").get<std::string>();
    if (asked == "cuts") return cuts(question);
    if (asked == "fit") return fit(question);
    const Json& section = question.at("dataset");
    const auto& [opened, warnings] = dataset(section);
    const Dataset& data = *opened;
    if (asked == "facts") return {{"capabilities", capabilities(data)}, {"warnings", warnings}};
    if (asked == "protocol") {
      return sizes(
          split_dataset(data, parsed<ProtocolParams>(question.at(asked)), context_.seed()));
    }
    if (asked == "captioner") {
      const auto captioner = loader_.make<Captioner>(question.at(asked), context_);
      check_captions(*captioner, data, context_.seed());
      return Json::object();
    }
    (void)class_prompts(parsed<HeadParams>(question.at(asked)), section.at("use"), data);
    return Json::object();
  } catch (const Error& error) {
    Json problems = Json::array();
    for (const Problem& problem : error.problems()) problems.push_back(to_json(problem));
    return {{"problems", std::move(problems)}};
  }

 private:
  struct Opened {
    std::shared_ptr<Dataset> dataset;
    std::vector<std::string> warnings;
  };

  const Opened& dataset(const Json& section) {
    Opened& known = datasets_[section.dump()];
    if (known.dataset) return known;
    (void)said_->take();
    known.dataset = loader_.make<Dataset>(section, context_);
    known.warnings = said_by("dataset", section);
    return known;
  }

  // Since the last call.
  std::vector<std::string> said_by(const std::string& kind, const Json& section) {
    const std::string name = kind + "/" + section.at("use").get<std::string>() + ": ";
    const SaidSink::Said said = said_->take();
    std::vector<std::string> all;
    for (const auto& list : {said.errors, said.warnings}) {
      for (const std::string& text : list) all.push_back(name + text);
    }
    return all;
  }

  // None of a method that needs features before it attaches.
  Json cuts(const Json& question) {
    const Json& peft = question.at("peft");
    if (loader_.catalog().has("peft", peft, "needs_features")) return {{"cuts", Json::array()}};
    Encoder& on = encoder(question.at("encoder"));
    (void)said_->take();
    const auto make = [this](const Json& section) { return loader_.make<Peft>(section, context_); };
    Json found = cuts_of_method(question, on, make, context_.seed());
    found["warnings"] = said_by("peft", peft);
    return found;
  }

  // Nothing is known of a method that needs features and does not learn in texts alone.
  Json fit(const Json& question) {
    const Json& peft = question.at("peft");
    const auto has = [&](const char* what) { return loader_.catalog().has("peft", peft, what); };
    if (has("needs_features") && !has("class_template")) {
      return {{"smallest", nullptr}, {"found", nullptr}};
    }
    std::vector<std::string> names;
    if (has("class_template")) names = dataset(question.at("dataset")).dataset->class_names();
    const auto make = [this](const Json& section) { return loader_.make<Peft>(section, context_); };
    return fit_method(question, encoder(question.at("encoder")), make, names, context_.seed());
  }

  // Methods of one sweep mostly share theirs, and a second one may not fit into memory.
  Encoder& encoder(const Json& section) {
    if (!encoder_ || encoder_section_ != section) {
      encoder_.reset();
      encoder_ = loader_.make<Encoder>(section, context_);
      encoder_section_ = section;
    }
    return *encoder_;
  }

  template <class Params>
  static Params parsed(const Json& section) {
    return schema_of<Params>().parse(section);
  }

  static Json sizes(const DataSplit& split) {
    return {{"train", split.train.samples.size()},
            {"val", split.val.samples.size()},
            {"others",
             split.val.samples.size() + split.test.samples.size() + split.new_test.samples.size()}};
  }

  static std::vector<std::string> capabilities(const Dataset& dataset) {
    std::vector<std::string> found;
    const auto add = [&](const char* name, bool holds) {
      if (holds) found.emplace_back(name);
    };
    const auto some = [&](Split split) {
      return std::ranges::any_of(dataset.samples(),
                                 [&](const Sample& sample) { return sample.split == split; });
    };
    add("official_val", some(Split::val));
    add("official_test", some(Split::test));
    const GivenFeatures* const given = dataset.features();
    if (given == nullptr) return found;
    add("image_features", given->images.width > 0);
    add("text_features", given->texts.width > 0);
    add("class_features", given->classes.width > 0);
    add("shared_features", given->shared_space);
    return found;
  }

  Loader& loader_;
  std::shared_ptr<SaidSink> said_ = std::make_shared<SaidSink>();
  spdlog::logger log_;
  LoaderContext context_;
  std::map<std::string, Opened> datasets_;
  Json encoder_section_;
  std::shared_ptr<Encoder> encoder_;
};

}  // namespace

int inspect(const std::vector<std::string>& arguments) {
  if (!arguments.empty() && arguments[0] == "--help") {
    std::puts(
        "usage: espalier-worker inspect [PLUGIN_FOLDER...]\n\n"
        "Opens datasets and encoders for espalier plan: reads questions from its standard input, "
        "one JSON\n"
        "object a line, and answers in the same way.\n\n"
        "  echo '{\"do\": \"facts\", \"dataset\": {\"use\": \"flora\", ...}}' | espalier-worker "
        "inspect");
    return 0;
  }
  const int out = begin_worker();
  const Catalog catalog = described_catalog(arguments);
  Loader loader(catalog);
  Inspection inspection(loader);
  LineReader lines;
  do {
    while (const auto line = lines.next()) {
      write_message(out, inspection.answer(parse_json(*line, "a question")));
    }
  } while (lines.fill(STDIN_FILENO));
  return 0;
}

}  // namespace espalier::cli
