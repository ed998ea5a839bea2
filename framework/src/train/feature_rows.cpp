#include <ATen/ops/cat.h>

#include <cstring>
#include <espalier/core/error.hpp>
#include <utility>

#include "feature_rows_internal.hpp"

namespace espalier {
namespace {

using Ids = std::span<const std::string>;

TensorView tensor_view(std::string name, DType dtype, std::vector<std::int64_t> shape,
                       const void* data) {
  const std::size_t bytes = byte_count(dtype, shape).value();
  return {std::move(name), dtype, std::move(shape), static_cast<const std::byte*>(data), bytes};
}

template <class Number>
Number number_at(const TensorView& numbers, std::size_t index) {
  Number value{};
  std::memcpy(&value, numbers.data + index * sizeof value, sizeof value);
  return value;
}

void require(bool fits, const std::string& what) {
  if (fits) return;
  throw Error({.what = "a cache entry cannot be used: " + what,
               .where = {},
               .expected = {},
               .found = {},
               .fix = "espalier cache prune --older 0 removes what is there"});
}

bool is_list(const TensorView* view, DType dtype, std::size_t length) {
  return view != nullptr && view->dtype == dtype && view->shape.size() == 1 &&
         view->shape[0] == static_cast<std::int64_t>(length);
}

// One row a sample.
const TensorView& rows_in(const StagePart& part) {
  const TensorView& rows = part.at("rows");
  require(rows.dtype == DType::f32 && rows.shape.size() == 2 &&
              rows.shape[0] == static_cast<std::int64_t>(part.ids().size()),
          "its rows have another shape or type");
  return rows;
}

}  // namespace

void add_rows(StageEntry& entry, Ids ids, const std::vector<at::Tensor>& rows,
              const EncoderFacts& facts) {
  const at::Tensor all = at::cat(rows).contiguous();
  const TensorView views[] = {tensor_view("rows", DType::f32, all.sizes().vec(), all.data_ptr()),
                              tensor_view("encoder_parameters", DType::i64, {1}, &facts.parameters),
                              tensor_view("logit_scale", DType::f64, {1}, &facts.logit_scale)};
  entry.add(ids, views);
}

void add_texts(StageEntry& entry, Ids ids, const std::vector<std::string>& texts) {
  entry.add(ids, PackedTexts(texts).views("text"));
}

FeatureTable stored_rows(std::shared_ptr<const StageEntry> entry, Ids ids) {
  const std::int64_t width = rows_in(*entry->find(ids.front()).part).shape[1];
  const std::size_t bytes = static_cast<std::size_t>(width) * sizeof(float);
  std::vector<const std::byte*> places;
  places.reserve(ids.size());
  for (const std::string& id : ids) {
    const StageEntry::Place place = entry->find(id);
    const TensorView& rows = rows_in(*place.part);
    require(rows.shape[1] == width, "its parts have rows of different widths");
    places.push_back(rows.data + place.row * bytes);
  }
  return {std::move(entry), std::move(places), width};
}

EncoderFacts facts_at(const StagePart& part) {
  EncoderFacts facts;
  const TensorView* parameters = part.find("encoder_parameters");
  const TensorView* scale = part.find("logit_scale");
  if (is_list(parameters, DType::i64, 1)) {
    facts.parameters = number_at<std::int64_t>(*parameters, 0);
  }
  if (is_list(scale, DType::f64, 1)) facts.logit_scale = number_at<double>(*scale, 0);
  return facts;
}

std::string text_at(const StagePart& part, std::size_t row) {
  return packed_text(part.at("text_end"), part.at("text_bytes"), row);
}

std::int64_t size_of(const at::Tensor& rows) { return static_cast<std::int64_t>(rows.nbytes()); }

std::int64_t size_of(const std::vector<std::string>& texts) {
  std::size_t bytes = texts.size() * sizeof(std::int64_t);
  for (const std::string& text : texts) bytes += text.size();
  return static_cast<std::int64_t>(bytes);
}

}  // namespace espalier
