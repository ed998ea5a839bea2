#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <chrono>
#include <espalier/core/error.hpp>
#include <espalier/nn/named_tensors.hpp>
#include <espalier/nn/pretrained.hpp>
#include <espalier/nn/safetensors_tensor.hpp>
#include <iostream>

#include "encode_internal.hpp"
#include "verbs.hpp"

namespace espalier::cli {

void encode_tensors(const Json& request) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  const auto encoder = load_pretrained(request.at("weights").get<std::string>(),
                                       {.families = request.at("families"),
                                        .device = request.at("device"),
                                        .precision = request.at("precision")});
  const NamedTensors inputs = read_named_tensors(request.at("tensors").get<std::string>());
  const auto loaded = Clock::now();
  const NamedTensors outputs = run_on_tensors(*encoder, inputs, request.at("hidden_states"));
  const auto done = Clock::now();
  write_tensors(request.at("out").get<std::string>(), {outputs.begin(), outputs.end()});
  const auto seconds = [](auto span) { return std::chrono::duration<double>(span).count(); };
  std::cerr << outputs.size() << " tensors; " << seconds(loaded - begin) << " s to load, "
            << seconds(done - loaded) << " s to compute\n";
}

int encode(const std::vector<std::string>& arguments) {
  if (arguments.size() != 1 || arguments[0] == "--help") {
    std::cout << "usage: espalier-worker encode REQUEST\n\nespalier encode makes the request, a "
                 "JSON object.\n\nexample:\n  espalier encode --help\n";
    return arguments.size() == 1 ? 0 : 2;
  }
  const Json request = parse_json(arguments[0], "request");
  const c10::AutoGradMode without_gradients(false);
  at::set_num_threads(request.at("threads").get<int>());
  if (request.contains("tensors")) {
    encode_tensors(request);
  } else if (request.contains("texts")) {
    encode_texts(request);
  } else {
    encode_dataset(request);
  }
  return 0;
}

}  // namespace espalier::cli
