// Each threat to a page on the own machine, by a socket that says what no browser would.
#include "review/review_server.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <thread>

#include "review_set.hpp"

namespace espalier {
namespace {

using namespace std::chrono_literals;
using review_tests::items_of;
using review_tests::plain_texts;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Clock = std::chrono::steady_clock;

class Socket {
 public:
  explicit Socket(int port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{.tv_sec = 12, .tv_usec = 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }

  void send(const std::string& bytes) const {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t count =
          ::send(fd_.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return;
      sent += static_cast<std::size_t>(count);
    }
  }
  // Until the other end closes.
  [[nodiscard]] std::string read() const {
    std::string all;
    char bytes[4096];
    for (;;) {
      const ssize_t count = ::recv(fd_.get(), bytes, sizeof bytes, 0);
      if (count <= 0) return all;
      all.append(bytes, static_cast<std::size_t>(count));
    }
  }

 private:
  Descriptor fd_;
};

class ServedReview : public review_tests::DecisionFolder {
 protected:
  ServedReview()
      : review_(items_of(plain_texts(5), {0, 0, 1, 1, 1}), 0.0),
        server_(review_, page(), "anna"),
        thread_([this] { server_.run(); }) {}
  ~ServedReview() override {
    server_.stop();
    thread_.join();
  }

  ReviewPage page() {
    return {.name = "set",
            .classes = {"rose", "lily"},
            .photo = [](std::size_t item) -> ReviewPhoto {
              if (item == 3) throw Error({"secret failure", "/home/secret/path", {}, {}, {}});
              if (item == 4) throw std::runtime_error("/home/secret/other");
              return {"JPEG" + std::to_string(item), "image/jpeg"};
            },
            .decisions = folder_};
  }

  [[nodiscard]] std::string host() const { return "127.0.0.1:" + std::to_string(server_.port()); }
  [[nodiscard]] std::string secret() const {
    return "X-Espalier-Token: " + server_.token() + "\r\n";
  }
  [[nodiscard]] std::string origin() const { return "Origin: http://" + host() + "\r\n"; }

  [[nodiscard]] std::string raw(const std::string& bytes) const {
    const Socket socket(server_.port());
    socket.send(bytes);
    return socket.read();
  }
  [[nodiscard]] std::string get(const std::string& path, const std::string& headers) const {
    return raw("GET " + path + " HTTP/1.1\r\nHost: " + host() + "\r\nConnection: close\r\n" +
               headers + "\r\n");
  }
  [[nodiscard]] std::string post(const std::string& path, const std::string& body,
                                 const std::string& headers) const {
    return raw("POST " + path + " HTTP/1.1\r\nHost: " + host() + "\r\nConnection: close\r\n" +
               "Content-Length: " + std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body);
  }
  [[nodiscard]] std::string decide(Json changes = Json::object()) const {
    Json body = {{"index", 1},          {"caption", caption_hash(review_.items()[1].text)},
                 {"verdict", "accept"}, {"reasons", Json::array()},
                 {"ms", 100},           {"queue", "audit"}};
    body.update(changes);
    return body.dump();
  }
  [[nodiscard]] std::string json_type() const { return "Content-Type: application/json\r\n"; }
  [[nodiscard]] std::size_t decisions() const { return decisions_of(folder_, "anna").size(); }

  Review review_;
  ReviewServer server_;
  std::thread thread_;
};

TEST_F(ServedReview, GivesThePageToAnyoneHereAndTheRestToWhoHasTheToken) {
  EXPECT_THAT(get("/", ""), AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("<title>")));
  for (const char* path : {"/api/about", "/api/item/0", "/api/photo/0", "/api/queue/audit/0"}) {
    EXPECT_THAT(get(path, ""), StartsWith("HTTP/1.1 403")) << path;
    EXPECT_THAT(get(path, "X-Espalier-Token: " + std::string(32, '0') + "\r\n"),
                StartsWith("HTTP/1.1 403"));
    EXPECT_THAT(get(path, secret() + secret()), StartsWith("HTTP/1.1 403"));
    EXPECT_THAT(get(path, secret()), StartsWith("HTTP/1.1 200")) << path;
  }
  EXPECT_THAT(get("/api/item/0?X-Espalier-Token=" + server_.token(), ""),
              StartsWith("HTTP/1.1 403"));
  EXPECT_EQ(server_.token().size(), 32u);
  EXPECT_EQ(server_.link(), "http://" + host() + "/#" + server_.token());
}

TEST_F(ServedReview, SaysWhatABrowserMayDoWithIt) {
  for (const std::string& answer : {get("/", ""), get("/api/photo/0", secret())}) {
    for (const char* header :
         {"Content-Security-Policy: default-src 'none';", "frame-ancestors 'none'",
          "X-Content-Type-Options: nosniff", "Referrer-Policy: no-referrer",
          "Cache-Control: no-store", "Cross-Origin-Resource-Policy: same-origin"}) {
      EXPECT_THAT(answer, HasSubstr(header));
    }
    EXPECT_THAT(answer, Not(HasSubstr("Access-Control-Allow")));
  }
  EXPECT_THAT(get("/api/photo/0", secret()), HasSubstr("Content-Type: image/jpeg"));
}

TEST_F(ServedReview, IsServedUnderItsOwnHostAlone) {
  const auto asked_as = [&](const std::string& hosts) {
    return raw("GET /api/about HTTP/1.1\r\n" + hosts + "Connection: close\r\n" + secret() + "\r\n");
  };
  const std::string port = ":" + std::to_string(server_.port());
  EXPECT_THAT(asked_as("Host: localhost" + port + "\r\n"), StartsWith("HTTP/1.1 200"));
  for (const std::string& host :
       {"evil.example" + port, std::string("127.0.0.1"), "127.0.0.1" + port + ".evil.example",
        std::string("127.0.0.1:1"), "LOCALHOST.evil" + port, std::string("")}) {
    EXPECT_THAT(asked_as("Host: " + host + "\r\n"), StartsWith("HTTP/1.1 421")) << host;
  }
  EXPECT_THAT(asked_as(""), StartsWith("HTTP/1.1 421"));
  EXPECT_THAT(asked_as("Host: 127.0.0.1" + port + "\r\nHost: evil.example\r\n"),
              StartsWith("HTTP/1.1 421"));
}

TEST_F(ServedReview, IsChangedByItsOwnPageAlone) {
  const std::string body = decide();
  const std::string good = secret() + origin() + json_type();
  EXPECT_THAT(post("/api/decide", body, origin() + json_type()), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(post("/api/decide", body, secret() + json_type()), StartsWith("HTTP/1.1 403"));
  for (const char* other : {"Origin: http://evil.example\r\n", "Origin: null\r\n",
                            "Origin: http://127.0.0.1:1\r\n", "Origin: https://127.0.0.1\r\n"}) {
    EXPECT_THAT(post("/api/decide", body, secret() + other + json_type()),
                StartsWith("HTTP/1.1 403"))
        << other;
  }
  EXPECT_THAT(post("/api/decide", body, secret() + origin() + "Content-Type: text/plain\r\n"),
              StartsWith("HTTP/1.1 415"));
  EXPECT_THAT(get("/api/decide", secret()), StartsWith("HTTP/1.1 404"));
  for (const char* method : {"PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"}) {
    EXPECT_THAT(raw(std::string(method) + " /api/undo HTTP/1.1\r\nHost: " + host() +
                    "\r\nConnection: close\r\n" + good + "\r\n"),
                StartsWith("HTTP/1.1 405"))
        << method;
  }
  EXPECT_EQ(decisions(), 0u);
  EXPECT_THAT(post("/api/decide", body, good), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(decisions(), 1u);
  EXPECT_THAT(post("/api/undo", "{}", good), HasSubstr("\"index\":1"));
  EXPECT_EQ(decisions(), 0u);
  EXPECT_THAT(post("/api/undo", "{}", good), HasSubstr("\"index\":-1"));
}

TEST_F(ServedReview, HasNoOtherFiles) {
  for (const char* path :
       {"/../review_server_test.cpp", "/%2e%2e/%2e%2e/etc/passwd", "/page.js/../../page.html",
        "//etc/passwd", "/review/page.html", "/api/photo/../../etc/passwd", "/api/photo/%2e%2e",
        "/api/photo/roses%2f0.jpg", "/api/photo/-1", "/api/photo/5", "/api/photo/999999999",
        "/api/item/5", "/api/queue/nonsense/0", "/api/queue/audit", "/page.html%00.js"}) {
    EXPECT_THAT(get(path, secret()),
                AllOf(Not(StartsWith("HTTP/1.1 200")), Not(HasSubstr("root:"))))
        << path;
  }
}

TEST_F(ServedReview, TakesNoLargeRequests) {
  const std::string good = secret() + origin() + json_type();
  EXPECT_THAT(post("/api/decide", std::string(70000, 'x'), good), StartsWith("HTTP/1.1 413"));
  const std::string begin = "POST /api/decide HTTP/1.1\r\nHost: " + host() + "\r\n" + good;
  EXPECT_THAT(raw(begin + "Content-Length: 99999999999999999999\r\n\r\n"),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(raw(begin + "Content-Length: -5\r\n\r\n"), StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(raw(begin + "\r\n"), StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(raw(begin + "Transfer-Encoding: chunked\r\n\r\n20000\r\n" +
                  std::string(0x20000, 'x') + "\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 411"));
  EXPECT_THAT(raw("GET /api/about HTTP/1.1\r\nHost: " + host() + "\r\n" + secret() +
                  "Content-Length: 5\r\n\r\nhello"),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(get("/" + std::string(20000, 'a'), secret()), Not(StartsWith("HTTP/1.1 200")));
  EXPECT_THAT(get("/", "X-Long: " + std::string(100000, 'a') + "\r\n"),
              Not(StartsWith("HTTP/1.1 200")));
  EXPECT_EQ(decisions(), 0u);
  EXPECT_THAT(get("/api/about", secret()), StartsWith("HTTP/1.1 200"));
}

TEST_F(ServedReview, TakesNoRestOfARefusedRequestForAnother) {
  const std::string hidden = "POST /api/undo HTTP/1.1\r\nHost: " + host() + "\r\n" + secret() +
                             origin() + json_type() + "Content-Length: 2\r\n\r\n{}";
  ASSERT_THAT(post("/api/decide", decide(), secret() + origin() + json_type()),
              StartsWith("HTTP/1.1 200"));
  const std::string answer =
      raw("POST /api/decide HTTP/1.1\r\nHost: " + host() +
          "\r\nContent-Length: " + std::to_string(hidden.size()) + "\r\n\r\n" + hidden);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 403"));
  EXPECT_EQ(answer.find("HTTP/1.1", 5), std::string::npos) << answer;
  EXPECT_EQ(decisions(), 1u);
}

TEST_F(ServedReview, RefusesWhatIsNoDecision) {
  const std::string good = secret() + origin() + json_type();
  for (const Json& changes :
       {Json{{"index", 5}}, Json{{"index", -1}}, Json{{"index", "1"}}, Json{{"caption", "abc"}},
        Json{{"verdict", "maybe"}}, Json{{"verdict", "edit"}}, Json{{"queue", "mine"}},
        Json{{"verdict", "edit"}, {"text", ""}}, Json{{"reasons", "x"}},
        Json{{"verdict", "edit"}, {"text", std::string(9000, 'x')}},
        Json{{"verdict", "edit"}, {"text", std::string("a\0b", 3)}},
        Json{{"reasons", {std::string(200, 'x')}}}}) {
    EXPECT_THAT(post("/api/decide", decide(changes), good), StartsWith("HTTP/1.1 400"))
        << changes.dump();
  }
  for (const char* body : {"", "[]", "{", "null", "\xff\xfe"}) {
    EXPECT_THAT(post("/api/decide", body, good), StartsWith("HTTP/1.1 400")) << body;
  }
  EXPECT_EQ(decisions(), 0u);
}

TEST_F(ServedReview, TellsNothingOfTheMachineInItsErrors) {
  for (const char* path : {"/api/photo/3", "/api/photo/4"}) {
    const std::string answer = get(path, secret());
    EXPECT_THAT(answer, Not(StartsWith("HTTP/1.1 200")));
    EXPECT_THAT(answer, AllOf(Not(HasSubstr("/home")), Not(HasSubstr("EXCEPTION_WHAT"))));
  }
}

TEST_F(ServedReview, AnswersWhileOthersKeepTheirConnectionsIdleOrSlow) {
  std::vector<Socket> idle;
  for (int i = 0; i < 40; ++i) {
    idle.emplace_back(server_.port());
    if (i % 2 == 0) idle.back().send("GET / HTTP/1.1\r\nHost: ");
  }
  const auto begin = Clock::now();
  EXPECT_THAT(get("/api/about", secret()), StartsWith("HTTP/1.1 200"));
  EXPECT_LT(Clock::now() - begin, 3s);
}

TEST_F(ServedReview, ListensOnThisMachineAlone) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(server_.port()));
  ASSERT_EQ(::inet_pton(AF_INET, "127.0.0.2", &address.sin_addr), 1);
  const Descriptor fd(::socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_NE(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
}

TEST_F(ServedReview, IsSmallAndLoadsNothingFromElsewhere) {
  std::size_t bytes = 0;
  for (const char* path : {"/", "/page.css", "/page.js"}) {
    const std::string answer = get(path, "");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
    const std::string body = answer.substr(answer.find("\r\n\r\n"));
    bytes += body.size();
    EXPECT_THAT(body, AllOf(Not(HasSubstr("http:")), Not(HasSubstr("https:")),
                            Not(HasSubstr("innerHTML")), Not(HasSubstr("style="))));
  }
  EXPECT_LT(bytes, 100000u);
}

}  // namespace
}  // namespace espalier
