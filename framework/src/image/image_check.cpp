#include <espalier/image/image_check.hpp>

#include <spdlog/logger.h>

#include <algorithm>
#include <fstream>

namespace espalier {
namespace {

constexpr std::size_t most_named = 20;
constexpr std::streamoff tail_size = 4096;

// The last bytes of a file and how many there are in all.
struct Tail {
  std::string bytes;
  std::streamoff size = 0;
};

Tail read_tail(const std::filesystem::path& file) {
  Tail tail;
  std::ifstream stream(file, std::ios::binary | std::ios::ate);
  tail.size = std::max<std::streamoff>(stream.tellg(), 0);
  const std::streamoff length = std::min(tail.size, tail_size);
  stream.seekg(tail.size - length);
  tail.bytes.resize(static_cast<std::size_t>(length));
  stream.read(tail.bytes.data(), length);
  return tail;
}

// Whether a file ends as whole files of its format do.
bool ends_well(ImageFormat format, const Tail& tail) {
  switch (format) {
    case ImageFormat::jpeg:
      return tail.bytes.find("\xff\xd9") != std::string::npos;
    case ImageFormat::png:
      return tail.bytes.find("IEND") != std::string::npos;
    case ImageFormat::gif:
      return tail.bytes.ends_with(std::string_view("\0;", 2));
    default:
      return false;
  }
}

Problem remainder(std::size_t count) {
  return {.what = std::to_string(count) + " more files cannot be read",
          .where = "",
          .expected = "",
          .found = "",
          .fix = ""};
}

}  // namespace

void check_image(const std::filesystem::path& file, const DecodeOptions& options) {
  const ImageHeader header = read_image_header(file, options);
  if (!ends_well(header.format, read_tail(file))) (void)read_image(file, options);
}

std::vector<bool> check_images(std::span<const std::filesystem::path> files, Unreadable policy,
                               spdlog::logger& log, Problems& problems) {
  std::vector<bool> good(files.size(), true);
  std::vector<Problem> bad;
  for (std::size_t i = 0; i < files.size(); ++i) {
    try {
      check_image(files[i]);
    } catch (const Error& error) {
      good[i] = false;
      bad.push_back(error.problems().front());
    }
  }
  const std::size_t count = bad.size();
  if (count > most_named) {
    bad.resize(most_named);
    bad.push_back(remainder(count - most_named));
  }
  std::string text;
  for (Problem& problem : bad) {
    text += "\n  " + problem.where + ": " + problem.what;
    if (policy == Unreadable::stop) problems.add(std::move(problem));
  }
  if (count > 0 && policy == Unreadable::skip) {
    log.warn("{} of {} pictures cannot be read and are left out:{}", count, files.size(), text);
  }
  return good;
}

}  // namespace espalier
