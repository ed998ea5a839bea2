// Pretrains the small CLIP that comes with Espalier.
//
//   flora_clip --out share/flora-clip --threads 2
#include <ATen/Parallel.h>

#include <boost/program_options.hpp>
#include <chrono>
#include <cstdio>
#include <espalier/core/error.hpp>
#include <espalier/nn/pretrained.hpp>
#include <filesystem>
#include <iostream>

#include "examples.hpp"
#include "model_folder.hpp"
#include "pretrain.hpp"
#include "vocabulary.hpp"
#include "zero_shot.hpp"

namespace espalier::flora_clip {
namespace {

namespace po = boost::program_options;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void write_start(const Examples& examples, const PretrainOptions& options,
                 const std::filesystem::path& folder) {
  ModelSize size;
  const Vocabulary vocabulary = learn_vocabulary(examples.corpus(), 400);
  size.vocabulary = static_cast<std::int64_t>(vocabulary.tokens.size());
  size.start_id = vocabulary.start_id();
  size.end_id = vocabulary.end_id();
  write_vocabulary(vocabulary, size.max_length, folder);
  write_configuration(size, folder);
  Random random(options.seed, "init");
  write_initial_weights(size, random, folder);
}

void report_accuracy(const AdaptableEncoder& model, const Tokenizer& tokenizer) {
  std::printf("zero-shot top-1 over 40 classes: %.3f pretraining pool, %.3f benchmark pool\n",
              zero_shot_accuracy(model, tokenizer, flora::Pool::pretraining),
              zero_shot_accuracy(model, tokenizer, flora::Pool::benchmark));
  std::fflush(stdout);
}

void run(const PretrainOptions& options, const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  const Examples examples(ModelSize{}.image);
  write_start(examples, options, folder);
  const Tokenizer tokenizer = open_tokenizer(folder);
  const auto model = load_pretrained(folder);
  Parameters parameters;
  make_trainable(*model, parameters);
  std::printf("%lld parameters\n", static_cast<long long>(parameters.count()));

  const auto start = Clock::now();
  pretrain(*model, tokenizer, examples, options, parameters, [&](std::int64_t step, double loss) {
    if (step % 50 == 0) {
      std::printf("step %lld of %lld, loss %.3f, %.0f s\n", static_cast<long long>(step),
                  static_cast<long long>(options.steps), loss, seconds_since(start));
      std::fflush(stdout);
    }
    if (step % 300 == 0) report_accuracy(*model, tokenizer);
  });
  write_trained_weights(parameters, folder);
  report_accuracy(*load_pretrained(folder), tokenizer);
}

}  // namespace
}  // namespace espalier::flora_clip

int main(int argc, char** argv) try {
  using namespace espalier::flora_clip;
  PretrainOptions options;
  std::string folder;
  int threads = 2;
  po::options_description help("Pretrains a small CLIP on painted flowers");
  help.add_options()("help", "show this")("out", po::value(&folder)->required(), "folder to write")(
      "steps", po::value(&options.steps)->default_value(options.steps), "updates")(
      "batch", po::value(&options.batch)->default_value(options.batch), "pairs an update")(
      "lr", po::value(&options.lr)->default_value(options.lr), "peak learning rate")(
      "seed", po::value(&options.seed)->default_value(options.seed), "of weights and pictures")(
      "threads", po::value(&threads)->default_value(threads), "threads of LibTorch");
  po::variables_map given;
  po::store(po::parse_command_line(argc, argv, help), given);
  if (given.count("help") != 0) {
    std::cout << help;
    return 0;
  }
  po::notify(given);
  at::set_num_threads(threads);
  run(options, folder);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 2;
}
