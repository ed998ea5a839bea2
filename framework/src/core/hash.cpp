#include <espalier/core/failure.hpp>
#include <espalier/core/hash.hpp>

#include <openssl/evp.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <vector>

namespace espalier {
namespace {

EVP_MD_CTX* as_context(void* context) { return static_cast<EVP_MD_CTX*>(context); }

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  ESPALIER_ASSERT(context_ != nullptr, "OpenSSL gave no digest context");
  EVP_DigestInit_ex(as_context(context_), EVP_sha256(), nullptr);
}

Sha256::~Sha256() { EVP_MD_CTX_free(as_context(context_)); }

void Sha256::update(std::string_view bytes) {
  EVP_DigestUpdate(as_context(context_), bytes.data(), bytes.size());
}

Digest Sha256::finish() {
  Digest digest{};
  EVP_DigestFinal_ex(as_context(context_), digest.data(), nullptr);
  EVP_DigestInit_ex(as_context(context_), EVP_sha256(), nullptr);
  return digest;
}

Digest sha256(std::string_view bytes) {
  Digest digest{};
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  return digest;
}

std::string hex(const Digest& digest) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * digest.size());
  for (const std::uint8_t byte : digest) {
    text.push_back(digits[byte >> 4]);
    text.push_back(digits[byte & 15]);
  }
  return text;
}

Digest sha256_file(const std::filesystem::path& file) {
  const Descriptor in = open_input(file);
  std::vector<char> block(1u << 20);
  Sha256 hash;
  for (;;) {
    const ssize_t got = ::read(in.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      throw Error({.what = "cannot read a file",
                   .where = file.string(),
                   .expected = {},
                   .found = system_error(errno),
                   .fix = {}});
    }
    if (got == 0) return hash.finish();
    hash.update({block.data(), static_cast<std::size_t>(got)});
  }
}

}  // namespace espalier
