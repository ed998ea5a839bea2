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

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

// Whether the boxes of an ISO media file, each with its size in front, fill the file to its end.
bool boxes_are_whole(const std::filesystem::path& file, std::uint64_t size) {
  constexpr int most_boxes = 1000;
  std::ifstream stream(file, std::ios::binary);
  std::uint64_t at = 0;
  for (int i = 0; i < most_boxes && at < size; ++i) {
    char head[16] = {};
    stream.seekg(static_cast<std::streamoff>(at));
    if (!stream.read(head, 8)) return false;
    std::uint64_t length = big_endian({head, 4});
    if (length == 0) return true;  // the rest of the file
    if (length == 1 && !stream.read(head + 8, 8)) return false;
    if (length == 1) length = big_endian({head + 8, 8});
    if (length < 8 || length > size - at) return false;
    at += length;
  }
  return at == size;
}

// Whether a file ends as whole files of its format do; false where only decoding can tell.
bool ends_well(ImageFormat format, const std::filesystem::path& file) {
  const Tail tail = read_tail(file);
  switch (format) {
    case ImageFormat::heic:
    case ImageFormat::avif:
      return boxes_are_whole(file, static_cast<std::uint64_t>(tail.size));
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

// Before it is opened: a pipe would be waited for.
void require_file(const std::filesystem::path& file) {
  std::error_code error;
  const auto kind = std::filesystem::status(file, error).type();
  if (kind == std::filesystem::file_type::regular) return;
  const bool folder = kind == std::filesystem::file_type::directory;
  const bool absent = kind == std::filesystem::file_type::not_found;
  const bool link = std::filesystem::is_symlink(file, error);
  throw Error({.what = folder   ? "a folder cannot be searched"
                       : absent ? (link ? "a link leads nowhere" : "a photo is not there")
                                : "a photo is no plain file",
               .where = file.string(),
               .expected = "a file",
               .found = folder ? "a link to a folder that was searched already, or no permission"
                        : absent || kind == std::filesystem::file_type::none
                            ? std::string()
                            : "a pipe, a device or a link to itself",
               .fix = "remove it"});
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
  require_file(file);
  const ImageHeader header = read_image_header(file, options);
  if (!ends_well(header.format, file)) (void)read_image(file, options);
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
    log.error("{} of {} pictures cannot be read and are left out:{}", count, files.size(), text);
  }
  return good;
}

}  // namespace espalier
