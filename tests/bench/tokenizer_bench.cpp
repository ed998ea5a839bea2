// Texts a second on one thread, in one batch of the 246 shorter texts of the tokenizer cases.
//
// The peer, on the same machine: CLIPTokenizerFast and BertTokenizerFast of Transformers, called
// with a list of texts, truncation and padding, TOKENIZERS_PARALLELISM=false. docs/tokenizers.md.
#include <benchmark/benchmark.h>

#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>
#include <espalier/text/tokenizer.hpp>
#include <filesystem>

namespace {

const std::filesystem::path data = std::filesystem::path(ESPALIER_SOURCE_DIR) / "tests/data";

std::vector<std::string> short_texts() {
  const auto file = data / "tokenizers/clip.json";
  const espalier::Json cases = espalier::parse_json(espalier::read_file(file), file.string());
  std::vector<std::string> texts;
  for (const espalier::Json& one : cases["cases"]) {
    const auto text = one["text"].get<std::string>();
    if (text.size() < 200) texts.push_back(text);
  }
  return texts;
}

// The first batch meets every word for the first time.
void first_batch(benchmark::State& state, const char* folder,
                 const std::vector<std::string>& texts) {
  for (auto _ : state) {
    state.PauseTiming();
    const espalier::Tokenizer tokenizer = espalier::open_tokenizer(data / folder);
    state.ResumeTiming();
    benchmark::DoNotOptimize(tokenizer.encode_batch(texts));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(texts.size()));
}

void later_batch(benchmark::State& state, const char* folder,
                 const std::vector<std::string>& texts) {
  const espalier::Tokenizer tokenizer = espalier::open_tokenizer(data / folder);
  for (auto _ : state) benchmark::DoNotOptimize(tokenizer.encode_batch(texts));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(texts.size()));
}

BENCHMARK_CAPTURE(first_batch, clip_texts, "tokenizers/clip", short_texts());
BENCHMARK_CAPTURE(first_batch, bert_texts, "encoders/bert-tiny", short_texts());
BENCHMARK_CAPTURE(later_batch, clip_texts, "tokenizers/clip", short_texts());
BENCHMARK_CAPTURE(later_batch, bert_texts, "encoders/bert-tiny", short_texts());

}  // namespace
