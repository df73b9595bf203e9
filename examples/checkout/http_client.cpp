// The blocking HTTP client. It reads what our server writes: a Content-Length, never chunks.
#include "examples/checkout/http_client.hpp"
#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace checkout {
namespace {

// The value of a header field as our server writes it, or nothing.
std::string_view field(std::string_view head, std::string_view name) {
  const auto at = head.find(std::string{"\r\n"}.append(name).append(": "));
  if (at == std::string_view::npos)
    return {};
  const auto begin = at + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

template <class Number>
Number to_number(std::string_view text) {
  Number value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

} // namespace

http_client::http_client(http_client&& other) noexcept
    : patience_(other.patience_), socket_(std::exchange(other.socket_, -1)), unread_(std::move(other.unread_)) {}

bool http_client::connect(std::uint16_t port) {
  close();
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0)
    return false;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(patience_);
  timeval limit{};
  limit.tv_sec = seconds.count();
  limit.tv_usec = std::chrono::duration_cast<std::chrono::microseconds>(patience_ - seconds).count();
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0)
    return true;
  close();
  return false;
}

bool http_client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void http_client::finish_sending() { ::shutdown(socket_, SHUT_WR); }

bool http_client::read_more() {
  char bytes[4096];
  const auto count = ::recv(socket_, bytes, sizeof(bytes), 0);
  if (count <= 0)
    return false;
  unread_.append(bytes, static_cast<std::size_t>(count));
  return true;
}

std::optional<client_answer> http_client::receive() {
  std::size_t end = 0;
  while ((end = unread_.find("\r\n\r\n")) == std::string::npos)
    if (!read_more())
      return std::nullopt;
  client_answer answer;
  answer.head = unread_.substr(0, end + 2);
  answer.status = to_number<unsigned>(std::string_view{answer.head}.substr(std::min(answer.head.find(' ') + 1, end)));
  answer.is_last = field(answer.head, "Connection") == "close";
  const auto length = to_number<std::size_t>(field(answer.head, "Content-Length"));
  while (unread_.size() < end + 4 + length)
    if (!read_more())
      return std::nullopt;
  answer.body = unread_.substr(end + 4, length);
  unread_.erase(0, end + 4 + length);
  return answer;
}

std::optional<client_answer> http_client::request(std::string_view method, std::string_view target,
                                                  std::string_view body) {
  if (!send(make_request(method, target, body)))
    return std::nullopt;
  return receive();
}

bool http_client::is_closed_by_server() {
  char byte = 0;
  // Zero is the orderly end; an error is one, too, unless it is our own patience.
  const auto count = ::recv(socket_, &byte, 1, 0);
  return unread_.empty() && (count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK));
}

void http_client::close() {
  if (socket_ >= 0)
    ::close(std::exchange(socket_, -1));
  unread_.clear();
}

std::string make_request(std::string_view method, std::string_view target, std::string_view body) {
  std::string text;
  text.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: 127.0.0.1\r\n");
  if (!body.empty())
    text.append("Content-Type: application/json\r\nContent-Length: ")
        .append(std::to_string(body.size()))
        .append("\r\n");
  return text.append("\r\n").append(body);
}

} // namespace checkout
