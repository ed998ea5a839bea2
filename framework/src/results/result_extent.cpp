#include "results/result_extent.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <utility>

namespace espalier {
namespace {

constexpr std::int64_t numbers_bytes = 4 + 8 + 4 * 8;  // a row of /metrics without `split`

template <class T>
T take(const char*& from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  from += sizeof value;
  return value;
}

void add_row(const char* from, std::size_t split_bytes, MetricsColumns& into) {
  into.epoch.push_back(take<std::int32_t>(from));
  into.step.push_back(take<std::int64_t>(from));
  into.split.emplace_back(from, ::strnlen(from, split_bytes));
  from += split_bytes;
  into.loss.push_back(take<double>(from));
  into.top1.push_back(take<double>(from));
  into.lr.push_back(take<double>(from));
  into.wall_s.push_back(take<double>(from));
}

bool read_extent(const std::filesystem::path& file, std::int64_t offset, std::string& bytes) {
  const Descriptor open = open_own_file(file, O_RDONLY);
  const ssize_t got = ::pread(open.get(), bytes.data(), bytes.size(), offset);
  return got == static_cast<ssize_t>(bytes.size());
}

}  // namespace

Json to_json(const ResultExtent& extent) {
  return {{"bytes", extent.bytes},
          {"sha256", extent.sha256},
          {"metrics_offset", extent.metrics_offset},
          {"metrics_rows", extent.metrics_rows},
          {"metrics_row_bytes", extent.metrics_row_bytes}};
}

std::optional<ResultExtent> extent_from_json(const Json& json) {
  ResultExtent extent;
  const std::pair<const char*, std::int64_t*> members[] = {
      {"bytes", &extent.bytes},
      {"metrics_offset", &extent.metrics_offset},
      {"metrics_rows", &extent.metrics_rows},
      {"metrics_row_bytes", &extent.metrics_row_bytes}};
  for (const auto& [name, member] : members) {
    const auto it = json.is_object() ? json.find(name) : json.end();
    if (it == json.end() || !it->is_number_integer()) return std::nullopt;
    it->get_to(*member);
    if (*member < 0) return std::nullopt;
  }
  const auto digest = json.find("sha256");
  if (digest == json.end() || !digest->is_string()) return std::nullopt;
  digest->get_to(extent.sha256);
  if (extent.metrics_row_bytes < numbers_bytes || extent.metrics_offset > extent.bytes ||
      extent.metrics_rows > (extent.bytes - extent.metrics_offset) / extent.metrics_row_bytes) {
    return std::nullopt;
  }
  return extent;
}

bool has_extent(const std::filesystem::path& file, const ResultExtent& extent,
                ContentHasher& hasher) {
  require_own_file(file);
  return static_cast<std::int64_t>(std::filesystem::file_size(file)) == extent.bytes &&
         hex(hasher.digest(file)) == extent.sha256;
}

void read_metrics(const std::filesystem::path& file, const ResultExtent& extent,
                  MetricsColumns& into) {
  const auto stride = static_cast<std::size_t>(extent.metrics_row_bytes);
  std::string bytes(static_cast<std::size_t>(extent.metrics_rows) * stride, '\0');
  if (!bytes.empty() && !read_extent(file, extent.metrics_offset, bytes)) {
    throw Error({.what = "cannot read the metrics of a trial",
                 .where = file.string(),
                 .expected = std::to_string(extent.bytes) + " bytes",
                 .found = {},
                 .fix = {}});
  }
  for (std::size_t at = 0; at < bytes.size(); at += stride) {
    add_row(bytes.data() + at, stride - numbers_bytes, into);
  }
}

}  // namespace espalier
