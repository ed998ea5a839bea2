#include <algorithm>
#include <espalier/core/builtin.hpp>
#include <espalier/core/process.hpp>
#include <filesystem>
#include <iostream>

#include "plugins_internal.hpp"
#include "settings.hpp"
#include "start_worker.hpp"
#include "verbs.hpp"

namespace espalier::cli {
namespace {

namespace po = boost::program_options;
using Words = std::vector<std::string>;

po::options_description encode_options() {
  po::options_description options("options");
  auto add = options.add_options();
  add("tensors", po::value<std::string>()->value_name("FILE"),
      "safetensors with pixel_values, input_ids, attention_mask, token_type_ids");
  add("texts", po::value<std::string>()->value_name("FILE"), "a text a line, to be encoded");
  add("hidden-states", "with --tensors: what enters each layer as well");
  add("out", po::value<std::string>()->value_name("FILE"),
      ".safetensors or, but for tensors, .h5; nothing is written without it");
  add("template",
      po::value<Words>()
          ->default_value({"a photo of a {}."}, "'a photo of a {}.'")
          ->value_name("TEXT"),
      "the text of a class, {} its name; several are averaged");
  add("device", po::value<std::string>()->default_value("cpu")->value_name("cpu|cuda|auto"),
      "where to compute");
  add("threads", po::value<int>()->default_value(usable_cores())->value_name("N"),
      "threads to compute with");
  add("plugins", po::value<Words>()->default_value({}, "")->value_name("DIR"),
      "a folder with more plugins; may be repeated");
  add("help", "show this");
  return options;
}

void print_encode_help(const po::options_description& options) {
  std::cout
      << "usage: espalier encode encoder.weights=DIR --tensors FILE --out FILE [--hidden-states]\n"
         "       espalier encode encoder.use=NAME encoder.KEY=VALUE... dataset.use=NAME\n"
         "                       dataset.KEY=VALUE... [--out FILE]\n"
         "       espalier encode encoder.use=NAME encoder.KEY=VALUE... --texts FILE [--out "
         "FILE]\n\n"
         "Runs an encoder. The first form puts tensors straight through a Hugging Face model's\n"
         "towers, to compare with other programs. The second writes the features of a dataset's\n"
         "pictures, their labels and names, and the features of its class names where the encoder\n"
         "takes texts. The third writes the features of texts.\n"
         "`espalier plugins show encoder/clip` lists the settings of an encoder.\n\n"
      << options
      << "\nexamples:\n  espalier encode encoder.use=clip encoder.weights=clip-vit-base-patch16 "
         "\\\n"
         "    dataset.use=flowers102 dataset.root=flowers-102 --out flowers.h5\n"
         "  espalier encode encoder.use=clip encoder.weights=clip-vit-base-patch16 \\\n"
         "    --texts captions.txt --out captions.h5\n"
         "  espalier encode encoder.weights=clip-vit-base-patch16 --tensors in.safetensors \\\n"
         "    --out out.safetensors\n";
}

void require(bool holds, std::string what, std::string expected, std::string found = {}) {
  if (holds) return;
  throw Error({.what = std::move(what),
               .where = "command line",
               .expected = std::move(expected),
               .found = std::move(found),
               .fix = "espalier encode --help shows examples"});
}

Json tensor_request(const po::variables_map& given, const Words& settings) {
  const auto encoder = read_settings("encoder", settings);
  const bool known = std::all_of(encoder.begin(), encoder.end(), [](const auto& setting) {
    return setting.first == "weights" || setting.first == "precision" || setting.first == "use";
  });
  require(encoder.contains("weights") && known, "--tensors needs a model's folder",
          "encoder.weights=DIR, with it encoder.use and encoder.precision");
  require(given.count("out") > 0, "--tensors needs a file to write", "--out FILE.safetensors");
  Json request = {{"tensors", given["tensors"].as<std::string>()},
                  {"weights", resolve_path(encoder.at("weights")).string()},
                  {"hidden_states", given.count("hidden-states") > 0}};
  request["families"] = encoder.contains("use") ? Json{encoder.at("use")} : Json::array();
  request["precision"] = encoder.contains("precision") ? encoder.at("precision") : "float32";
  return request;
}

Catalog described_catalog(const Words& folders) {
  Catalog catalog = Catalog::installed(folders);
  catalog.describe(worker_program());
  return catalog;
}

Json component_request(const po::variables_map& given, const Words& settings) {
  Words of_encoder, of_dataset;
  for (const std::string& word : settings) {
    const bool dataset = word.starts_with("dataset.") || word.starts_with("dataset=");
    (dataset ? of_dataset : of_encoder).push_back(word);
  }
  const bool texts = given.count("texts") > 0;
  require(of_dataset.empty() == texts && !of_encoder.empty(),
          "encode needs an encoder and one thing to encode",
          "encoder.use=... with dataset.use=... or with --texts, or encoder.weights=... with "
          "--tensors");
  const auto& folders = given["plugins"].as<Words>();
  const Catalog catalog = described_catalog(folders);
  const Json encoder = resolve_settings("encoder", read_settings("encoder", of_encoder), catalog);
  if (texts) {
    require(!catalog.has("encoder", encoder, "fitted"),
            "this encoder learns from training texts before it encodes any",
            "an encoder with trained weights", "encoder/" + encoder.at("use").get<std::string>());
    return {
        {"encoder", encoder}, {"texts", given["texts"].as<std::string>()}, {"plugins", folders}};
  }
  return {{"encoder", encoder},
          {"dataset", resolve_settings("dataset", read_settings("dataset", of_dataset), catalog)},
          {"templates", given["template"].as<Words>()},
          {"template_given", !given["template"].defaulted()},
          {"plugins", folders}};
}

void check_out(const std::string& out, bool tensors) {
  const std::string end = std::filesystem::path(out).extension();
  require(end == ".safetensors" || (!tensors && end == ".h5"),
          "--out has an ending that says "
          "nothing",
          tensors ? "FILE.safetensors" : "FILE.h5 or FILE.safetensors");
  const std::filesystem::path folder = std::filesystem::absolute(out).parent_path();
  require(std::filesystem::is_directory(folder), "the folder of --out is not there",
          "an existing folder", folder.string());
}

}  // namespace

int encode(const std::vector<std::string>& arguments) {
  const po::options_description options = encode_options();
  po::options_description all;
  all.add(options).add_options()("word", po::value<Words>()->default_value({}, ""));
  const auto given =
      parse_options(arguments, all, po::positional_options_description().add("word", -1));
  if (given.count("help") > 0) return print_encode_help(options), 0;
  const bool tensors = given.count("tensors") > 0;
  const auto& settings = given["word"].as<Words>();
  const int threads = given["threads"].as<int>();
  require(threads >= 1 && threads <= 1024, "--threads has a wrong value", "1 to 1024");
  Json request = tensors ? tensor_request(given, settings) : component_request(given, settings);
  request["device"] = given["device"].as<std::string>();
  request["threads"] = threads;
  request["out"] = given.count("out") > 0 ? given["out"].as<std::string>() : "";
  if (given.count("out") > 0) check_out(request["out"], tensors);
  become_worker({"encode", request.dump()});
}

}  // namespace espalier::cli
