#include "http.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <espalier/core/error.hpp>
#include <mutex>

namespace espalier::openai {
namespace {

constexpr long connect_seconds = 20;
constexpr std::size_t largest_header = 8 << 10;
constexpr std::size_t most_headers = 100;

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, FreeUrl>;

Url parsed(const std::string& text) {
  Url url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) return nullptr;
  return url;
}

std::string part(const Url& url, CURLUPart which) {
  char* text = nullptr;
  if (curl_url_get(url.get(), which, &text, 0) != CURLUE_OK) return {};
  std::string copy = text;
  curl_free(text);
  return copy;
}

bool is_loopback(const std::string& url) {
  const Url parts = parsed(url);
  if (!parts) return false;
  const std::string host = part(parts, CURLUPART_HOST);
  return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

void initialise_curl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

// What a transfer fills.
struct Arriving {
  HttpAnswer* answer;
  const HttpRequest* request;
  bool too_large = false;
};

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* into) {
  auto& arriving = *static_cast<Arriving*>(into);
  std::string& body = arriving.answer->body;
  arriving.too_large = size * count > largest_answer - body.size();
  if (arriving.too_large) return 0;
  body.append(data, size * count);
  return size * count;
}

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* into) {
  auto& headers = static_cast<Arriving*>(into)->answer->headers;
  const std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) headers.clear();  // of `100 Continue` before
  const std::size_t colon = line.find(':');
  if (colon == line.npos || line.size() > largest_header || headers.size() >= most_headers)
    return line.size();
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : static_cast<char>(c);
  });
  const std::size_t first = line.find_first_not_of(" \t", colon + 1);
  const std::size_t last = line.find_last_not_of(" \t\r\n");
  headers[name] = first <= last ? line.substr(first, last - first + 1) : "";
  return line.size();
}

int look_up(void* of, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Arriving*>(of)->request->stopped() ? 1 : 0;
}

// libcurl's words, but for a limit that a person sets.
std::string reason_of(CURL* curl, CURLcode code) {
  if (code != CURLE_OPERATION_TIMEDOUT) return curl_easy_strerror(code);
  double seconds = 0;
  curl_easy_getinfo(curl, CURLINFO_TOTAL_TIME, &seconds);
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "no answer within %.*f s", seconds < 10 ? 1 : 0, seconds);
  return text.data();
}

HttpFailure failure_of(CURLcode code, const Arriving& arriving) {
  if (arriving.too_large) return HttpFailure::too_large;
  switch (code) {
    case CURLE_OK:
      return HttpFailure::none;
    case CURLE_ABORTED_BY_CALLBACK:
      return HttpFailure::stopped;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
      return HttpFailure::unreachable;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return HttpFailure::untrusted;
    case CURLE_OPERATION_TIMEDOUT:
      return HttpFailure::timed_out;
    default:
      return HttpFailure::broken;
  }
}

}  // namespace

std::string checked_url(const std::string& url) {
  const Url parts = parsed(url);
  const std::string scheme = parts ? part(parts, CURLUPART_SCHEME) : "";
  const bool plain =
      parts && part(parts, CURLUPART_USER).empty() && part(parts, CURLUPART_PASSWORD).empty() &&
      part(parts, CURLUPART_QUERY).empty() && part(parts, CURLUPART_FRAGMENT).empty();
  if ((scheme == "http" || scheme == "https") && plain) {
    return url.substr(0, url.find_last_not_of('/') + 1);
  }
  throw Error(
      {.what = "the address of the server cannot be used",
       .where = "captioner.base_url",
       .expected = "http://HOST:PORT/v1 or https://HOST/v1, without a name, password or `?`",
       .found = plain ? url : "",  // what was given may be a secret
       .fix = "a key belongs into an environment variable, which captioner.key_env names"});
}

struct HttpClient::Handle {
  Handle(const std::string& key, std::string ca) : curl(curl_easy_init()), ca_file(std::move(ca)) {
    ESPALIER_ASSERT(curl != nullptr, "libcurl has no memory for a handle");
    add_header("Content-Type: application/json");
    add_header("Accept: application/json");
    add_header("Expect:");
    if (!key.empty()) add_header("Authorization: Bearer " + key);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
  }

  void add_header(const std::string& line) { headers = curl_slist_append(headers, line.c_str()); }

  template <class Value>
  void set(CURLoption option, Value value) {
    curl_easy_setopt(curl, option, value);
  }

  void set_all(const HttpRequest& request, Arriving& arriving) {
    curl_easy_reset(curl);  // the connection stays
    set(CURLOPT_URL, request.url.c_str());
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_HTTPHEADER, headers);
    set(CURLOPT_USERAGENT, "espalier");
    if (is_loopback(request.url)) set(CURLOPT_PROXY, "");
    if (!ca_file.empty()) set(CURLOPT_CAINFO, ca_file.c_str());
    set(CURLOPT_CONNECTTIMEOUT, connect_seconds);
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout * 1000));
    set(CURLOPT_WRITEFUNCTION, take_body);
    set(CURLOPT_WRITEDATA, static_cast<void*>(&arriving));
    set(CURLOPT_HEADERFUNCTION, take_header);
    set(CURLOPT_HEADERDATA, static_cast<void*>(&arriving));
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, look_up);
    set(CURLOPT_XFERINFODATA, static_cast<void*>(&arriving));
    if (request.body.empty()) return;
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDS, request.body.data());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }

  CURL* curl;
  curl_slist* headers = nullptr;
  std::string ca_file;
};

HttpClient::HttpClient(const std::string& key, const std::string& ca_file) {
  initialise_curl();
  const bool sendable =
      std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (!sendable) {
    throw Error({.what = "the key holds a blank, a line break or what is not ASCII",
                 .where = "captioner.key_env",
                 .expected = "an environment variable with nothing but the key",
                 .found = {},
                 .fix = {}});
  }
  handle_ = std::make_unique<Handle>(key, ca_file);
}

HttpClient::~HttpClient() = default;

HttpAnswer HttpClient::send(const HttpRequest& request) {
  HttpAnswer answer;
  Arriving arriving{.answer = &answer, .request = &request};
  handle_->set_all(request, arriving);
  const CURLcode code = curl_easy_perform(handle_->curl);
  answer.failure = failure_of(code, arriving);
  if (answer.failure != HttpFailure::none) answer.reason = reason_of(handle_->curl, code);
  curl_easy_getinfo(handle_->curl, CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

}  // namespace espalier::openai
