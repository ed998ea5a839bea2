#include "review/review_server.hpp"

#include <atomic>
#include <chrono>
#include <httplib.h>
#include <sys/random.h>
#include <thread>

#include "review/review_desk.hpp"
#include <array>
#include <charconv>
#include <espalier/core/builtin.hpp>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <utility>

namespace espalier {
namespace {

using httplib::Request;
using httplib::Response;
using Handled = httplib::Server::HandlerResponse;

// A browser keeps six connections; the others are somebody's who keeps his idle.
constexpr std::size_t handler_threads = 64;
constexpr std::size_t largest_request = 64 << 10;
constexpr int seconds_idle = 1, seconds_slow = 5;

const httplib::Headers safe_headers = {
    {"Content-Security-Policy",
     "default-src 'none'; img-src blob:; script-src 'self'; style-src 'self'; connect-src 'self'; "
     "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cache-Control", "no-store"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"}};

struct PageFile {
  const char* path;
  const char* name;
  const char* type;
};
constexpr PageFile page_files[] = {{"/", "page.html", "text/html; charset=utf-8"},
                                   {"/page.css", "page.css", "text/css; charset=utf-8"},
                                   {"/page.js", "page.js", "text/javascript; charset=utf-8"}};

std::string random_token() {
  std::array<unsigned char, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw Error({"no random numbers can be had for the page's token", {}, {}, {}, {}});
  }
  std::string text;
  for (const unsigned char byte : bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    text += {digits[byte >> 4], digits[byte & 15]};
  }
  return text;
}

// In a time that says nothing of where they differ.
bool same_secret(std::string_view a, std::string_view b) {
  unsigned char different = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    different |= static_cast<unsigned char>(a[i] ^ b[i]);
  }
  return different == 0;
}

// What was not read of a request would be taken for the next.
Handled refuse(Response& response, int status, const std::string& why) {
  response.status = status;
  response.set_header("Connection", "close");
  response.set_content(why + "\n", "text/plain; charset=utf-8");
  return Handled::Handled;
}

std::int64_t number_in(const std::string& digits) {
  std::int64_t number = -1;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

void send_json(Response& response, const Json& json) {
  response.set_content(json.dump(-1, ' ', false, Json::error_handler_t::replace),
                       "application/json");
}

}  // namespace

struct ReviewServer::State {
  ReviewPage page;
  ReviewDesk desk;
  std::string token = random_token();
  int port = 0;
  httplib::Server server;
  // Of run(), which a stop() before it must end as well.
  std::atomic<bool> begun = false;
  std::atomic<bool> ended = false;
  std::atomic<bool> stopped = false;

  State(const Review& review, ReviewPage about, std::string reviewer)
      : page(std::move(about)), desk(review, page.decisions, std::move(reviewer)) {}

  void set_up() {
    server.new_task_queue = [] { return new httplib::ThreadPool(handler_threads); };
    server.set_keep_alive_timeout(seconds_idle);
    server.set_read_timeout(seconds_slow);
    server.set_write_timeout(seconds_slow);
    server.set_payload_max_length(largest_request);
    server.set_default_headers(safe_headers);
    server.set_tcp_nodelay(true);
    server.set_pre_routing_handler(
        [this](const Request& request, Response& response) { return guard(request, response); });
    server.set_exception_handler([](const Request&, Response& response, std::exception_ptr error) {
      answer_failure(response, std::move(error));
    });
    add_page();
    add_questions();
    add_changes();
  }

  // Whether a request goes further.
  Handled guard(const Request& request, Response& response) const {
    const std::string at = ":" + std::to_string(port);
    const std::string host = request.get_header_value("Host");
    if (request.get_header_value_count("Host") != 1 ||
        (host != "127.0.0.1" + at && host != "localhost" + at)) {
      return refuse(response, 421, "this is not the host that you asked for");
    }
    const bool changes = request.method == "POST";
    if (!changes && request.method != "GET") return refuse(response, 405, "GET and POST alone");
    if (request.has_header("Transfer-Encoding")) return refuse(response, 411, "say the length");
    const std::string length = request.get_header_value("Content-Length");
    if (request.get_header_value_count("Content-Length") > 1 || (!changes && !length.empty()) ||
        (changes && (number_in(length) < 0 ||
                     number_in(length) > static_cast<std::int64_t>(largest_request)))) {
      return refuse(response, 413, "a request is longer than it may be");
    }
    if (!request.path.starts_with("/api/")) return Handled::Unhandled;
    if (request.get_header_value_count("X-Espalier-Token") != 1 ||
        !same_secret(request.get_header_value("X-Espalier-Token"), token)) {
      return refuse(response, 403, "open the whole link that espalier printed");
    }
    if (!changes) return Handled::Unhandled;
    if (request.get_header_value("Origin") != "http://" + host) {
      return refuse(response, 403, "changes come from the page alone");
    }
    if (request.get_header_value("Content-Type") != "application/json") {
      return refuse(response, 415, "application/json");
    }
    return Handled::Unhandled;
  }

  static void answer_failure(Response& response, std::exception_ptr error) {
    response.status = 500;
    std::string why = "something went wrong; the terminal says more";
    try {
      std::rethrow_exception(std::move(error));
    } catch (const StorageError& failure) {
      response.status = 507;
      why = failure.problems().front().what + ": " + failure.problems().front().found;
    } catch (const Error& failure) {
      response.status = 400;
      why = failure.problems().front().what;
    } catch (...) {
    }
    response.set_content(why + "\n", "text/plain; charset=utf-8");
  }

  void add_page() {
    for (const PageFile& file : page_files) {
      const std::string bytes =
          read_file(resolve_path("builtin:review") / file.name, std::size_t{1} << 20);
      server.Get(file.path, [bytes, type = file.type](const Request&, Response& response) {
        response.set_content(bytes, type);
      });
    }
  }

  void add_questions() {
    server.Get("/api/about", [this](const Request&, Response& response) {
      send_json(response,
                {{"name", page.name}, {"reviewer", desk.reviewer()}, {"classes", page.classes}});
    });
    server.Get(R"(/api/queue/([a-z_]{1,20})/(\d{1,9}))",
               [this](const Request& request, Response& response) {
                 const auto queue = review_queue_named(request.matches[1].str());
                 if (!queue)
                   return static_cast<void>(refuse(response, 404, "there is no such queue"));
                 send_json(response, desk.queue(*queue, number_in(request.matches[2])));
               });
    server.Get(R"(/api/item/(\d{1,9}))", [this](const Request& request, Response& response) {
      const Json item = desk.item(static_cast<std::size_t>(number_in(request.matches[1])));
      if (item.is_null()) return static_cast<void>(refuse(response, 404, "no such caption"));
      send_json(response, item);
    });
    server.Get(R"(/api/photo/(\d{1,9}))", [this](const Request& request, Response& response) {
      const auto index = static_cast<std::size_t>(number_in(request.matches[1]));
      if (desk.item(index).is_null()) {
        return static_cast<void>(refuse(response, 404, "no such picture"));
      }
      const ReviewPhoto photo = page.photo(index);
      response.set_content(photo.bytes, photo.type.c_str());
    });
  }

  void add_changes() {
    server.Post("/api/decide", [this](const Request& request, Response& response) {
      send_json(response, desk.decide(request.body));
    });
    server.Post("/api/undo",
                [this](const Request&, Response& response) { send_json(response, desk.undo()); });
  }
};

ReviewServer::ReviewServer(const Review& review, ReviewPage page, std::string reviewer, int port)
    : state_(std::make_unique<State>(review, std::move(page), std::move(reviewer))) {
  state_->set_up();
  const std::string host = "127.0.0.1";
  if (port == 0) {
    state_->port = state_->server.bind_to_any_port(host);
  } else {
    state_->port = state_->server.bind_to_port(host, port) ? port : -1;
  }
  if (state_->port > 0) return;
  throw Error({.what = "the page cannot be served",
               .where = "127.0.0.1:" + std::to_string(port),
               .expected = "a free port",
               .found = "one in use",
               .fix = "leave out --port"});
}

ReviewServer::~ReviewServer() { state_->server.stop(); }

int ReviewServer::port() const noexcept { return state_->port; }
const std::string& ReviewServer::token() const noexcept { return state_->token; }
std::string ReviewServer::link() const {
  return "http://127.0.0.1:" + std::to_string(state_->port) + "/#" + state_->token;
}
void ReviewServer::run() {
  state_->begun = true;
  if (!state_->stopped) static_cast<void>(state_->server.listen_after_bind());
  state_->ended = true;
}
void ReviewServer::stop() {
  state_->stopped = true;
  while (state_->begun && !state_->ended && !state_->server.is_running()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  state_->server.stop();
}
std::size_t ReviewServer::made() const noexcept { return state_->desk.made(); }

}  // namespace espalier
