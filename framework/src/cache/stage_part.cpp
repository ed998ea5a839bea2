#include "cache/stage_part.hpp"

#include "tensor/seal.hpp"
#include <algorithm>
#include <cstring>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <optional>

namespace espalier {
namespace {

constexpr const char* index_name = "sample";
constexpr const char* version_name = "stage_part";
constexpr const char* version = "1";

Metadata metadata() { return {{version_name, version}}; }

std::string entry_of(const SafeTensors& file, const char* name) {
  const auto found = file.metadata().find(name);
  return found == file.metadata().end() ? "" : found->second;
}

bool is_index(const TensorView* tensor) {
  return tensor != nullptr && tensor->dtype == DType::i64 && tensor->shape.size() == 1;
}

std::optional<StagePart::Fault> fault_of(const SafeTensors& file) {
  using Fault = StagePart::Fault;
  const std::string written = entry_of(file, version_name);
  if (written.empty()) return Fault{false, "it is no part of a cache entry"};
  if (written != version) return Fault{true, "its layout is version " + written};
  if (!is_index(file.find(index_name))) return Fault{false, "it has no index of samples"};
  if (seal_holds(file)) return std::nullopt;
  return Fault{false, "its bytes have another SHA-256 than it says"};
}

std::vector<std::size_t> samples_of(const TensorView& index) {
  std::vector<std::size_t> samples;
  for (std::size_t at = 0; at < index.bytes; at += sizeof(std::int64_t)) {
    std::int64_t sample = 0;
    std::memcpy(&sample, index.data + at, sizeof sample);
    samples.push_back(static_cast<std::size_t>(sample));
  }
  return samples;
}

}  // namespace

std::variant<StagePart, StagePart::Fault> StagePart::open(const std::filesystem::path& path) try {
  require_own_file(path);
  const SafeTensors file = SafeTensors::open(path);
  if (std::optional<Fault> fault = fault_of(file)) return *std::move(fault);
  StagePart part;
  part.samples_ = samples_of(file.at(index_name));
  part.tensors_ = file.tensors();
  part.owner_ = file.keep_alive();
  return part;
} catch (const Error& error) {
  const Problem& problem = error.problems().front();
  return Fault{false, problem.found.empty() ? problem.what : problem.what + ": " + problem.found};
}

StagePart::StagePart(std::span<const std::size_t> samples, std::span<const TensorView> tensors)
    : samples_(samples.begin(), samples.end()), tensors_(tensors.begin(), tensors.end()) {
  const std::vector<std::int64_t> index(samples.begin(), samples.end());
  tensors_.push_back({.name = index_name,
                      .dtype = DType::i64,
                      .shape = {static_cast<std::int64_t>(index.size())},
                      .data = reinterpret_cast<const std::byte*>(index.data()),
                      .bytes = index.size() * sizeof(std::int64_t)});
  std::size_t size = 0;
  for (const TensorView& tensor : tensors_) size += tensor.bytes;
  const auto bytes = std::make_shared<std::vector<std::byte>>(size);
  std::byte* to = bytes->data();
  for (TensorView& tensor : tensors_) {
    if (tensor.bytes > 0) std::memcpy(to, tensor.data, tensor.bytes);
    tensor.data = to;
    to += tensor.bytes;
  }
  owner_ = bytes;
}

void StagePart::write(const std::filesystem::path& file) const {
  write_safetensors(file, tensors_, sealed(tensors_, metadata()));
}

const TensorView* StagePart::find(std::string_view name) const {
  const auto found = std::find_if(tensors_.begin(), tensors_.end(),
                                  [&](const TensorView& view) { return view.name == name; });
  return found == tensors_.end() ? nullptr : &*found;
}

const TensorView& StagePart::at(std::string_view name) const {
  if (const TensorView* view = find(name)) return *view;
  throw Error({.what = "a cache entry has no \"" + std::string(name) + "\"",
               .where = {},
               .expected = {},
               .found = {},
               .fix = "remove it: espalier cache prune"});
}

std::string StagePart::checksum() const { return seal_of(tensors_, metadata()); }

std::int64_t StagePart::count_samples(const std::filesystem::path& path) try {
  require_own_file(path);
  const SafeTensors file = SafeTensors::open(path);
  const TensorView* index = file.find(index_name);
  return is_index(index) ? index->shape[0] : 0;
} catch (const Error&) {
  return 0;
}

}  // namespace espalier
