#include "decode_internal.hpp"

namespace espalier {
namespace {

// Reads numbers out of bytes that may end anywhere; what is not there is 0.
class ByteReader {
 public:
  ByteReader(std::string_view bytes, bool big_endian) : bytes_(bytes), big_(big_endian) {}

  [[nodiscard]] std::uint64_t number(std::size_t at, std::size_t size) const {
    if (at > bytes_.size() || size > bytes_.size() - at) return 0;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t place = big_ ? i : size - 1 - i;
      value = value << 8 | static_cast<unsigned char>(bytes_[at + place]);
    }
    return value;
  }

 private:
  std::string_view bytes_;
  bool big_;
};

std::string_view part(std::string_view bytes, std::size_t at, std::size_t size) {
  return at <= bytes.size() ? bytes.substr(at, size) : std::string_view();
}

// Calls visit(marker, payload) for each segment before the first scan, until it returns true; gives
// the place behind the last segment.
template <class Visit>
std::size_t walk_jpeg(std::string_view bytes, Visit&& visit) {
  const ByteReader reader(bytes, true);
  std::size_t at = 2;
  while (at + 4 <= bytes.size()) {
    if (reader.number(at, 1) != 0xff) return bytes.npos;
    const auto marker = static_cast<int>(reader.number(at + 1, 1));
    if (marker == 0xff) {
      ++at;
      continue;
    }
    const auto length = static_cast<std::size_t>(reader.number(at + 2, 2));
    if (length < 2) return bytes.npos;
    const bool stop = visit(marker, part(bytes, at + 4, length - 2));
    at += 2 + length;
    if (stop) return at;
  }
  return bytes.npos;
}

std::string_view jpeg_exif(std::string_view bytes) {
  std::string_view found;
  walk_jpeg(bytes, [&](int marker, std::string_view payload) {
    if (marker == 0xe1 && payload.starts_with(std::string_view("Exif\0\0", 6))) {
      found = payload.substr(6);
    }
    return marker == 0xda || !found.empty();
  });
  return found;
}

std::string_view png_exif(std::string_view bytes) {
  const ByteReader reader(bytes, true);
  for (std::size_t at = 8; at + 12 <= bytes.size();) {
    const auto length = static_cast<std::size_t>(reader.number(at, 4));
    if (part(bytes, at + 4, 4) == "eXIf") return part(bytes, at + 8, length);
    at += 12 + length;
  }
  return {};
}

std::string_view webp_exif(std::string_view bytes) {
  const ByteReader reader(bytes, false);
  for (std::size_t at = 12; at + 8 <= bytes.size();) {
    const auto length = static_cast<std::size_t>(reader.number(at + 4, 4));
    if (part(bytes, at, 4) == "EXIF") {
      const std::string_view payload = part(bytes, at + 8, length);
      const bool headed = payload.starts_with(std::string_view("Exif\0\0", 6));
      return headed ? payload.substr(6) : payload;
    }
    at += 8 + length + length % 2;
  }
  return {};
}

// Tag 0x0112 of the first directory of a TIFF block.
int tiff_orientation(std::string_view tiff) {
  if (!tiff.starts_with("II") && !tiff.starts_with("MM")) return 1;
  const ByteReader reader(tiff, tiff[0] == 'M');
  const auto directory = static_cast<std::size_t>(reader.number(4, 4));
  const auto entries = static_cast<std::size_t>(reader.number(directory, 2));
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + 12 * i;
    if (reader.number(entry, 2) != 0x0112) continue;
    const auto value = static_cast<int>(reader.number(entry + 8, 2));
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

}  // namespace

int exif_orientation(ImageFormat format, std::string_view bytes) {
  switch (format) {
    case ImageFormat::jpeg:
      return tiff_orientation(jpeg_exif(bytes));
    case ImageFormat::png:
      return tiff_orientation(png_exif(bytes));
    case ImageFormat::webp:
      return tiff_orientation(webp_exif(bytes));
    default:  // the others have none, or their decoders turn the picture themselves
      return 1;
  }
}

std::size_t jpeg_scan_start(std::string_view bytes) {
  return walk_jpeg(bytes, [](int marker, std::string_view) { return marker == 0xda; });
}

}  // namespace espalier
