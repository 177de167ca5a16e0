// SPDX-License-Identifier: MIT
#include "sink/url.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <charconv>

namespace meterbridge::sink {
namespace {

constexpr std::uint16_t http_port = 80;
constexpr std::uint16_t https_port = 443;

bool is_plain(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || letter == '-' || letter == '.' || letter == '_' ||
         letter == '~';
}

Error wrong(const std::string& what) {
  return {Errc::invalid, what + "; an address looks like http://localhost:8086"};
}

Result<> read_port(std::string_view digits, Url& url) {
  unsigned port = 0;
  const char* const end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, port);
  if (parsed.ec != std::errc() || parsed.ptr != end || port < 1 || port > 65535)
    return wrong("\"" + sanitised(digits, 20) + "\" is no port (1 ... 65535)");
  url.port = static_cast<std::uint16_t>(port);
  return {};
}

// "host", "host:8086", "[::1]:8086".
Result<> read_authority(std::string_view text, Url& url) {
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return wrong("the bracket [ is not closed");
    url.host = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    if (!std::ranges::all_of(url.host, [](char c) { return is_plain(c) || c == ':'; }))
      return wrong("what stands in brackets is no address");
  } else {
    const auto end = std::min(text.find(':'), text.size());
    url.host = text.substr(0, end);
    text.remove_prefix(end);
    if (!std::ranges::all_of(url.host, is_plain))
      return wrong("\"" + sanitised(url.host, 80) + "\" is no host name");
  }
  if (url.host.empty()) return wrong("the host is missing");
  if (text.empty()) return {};
  if (!text.starts_with(':')) return wrong("behind the bracket ] only a port is expected");
  return read_port(text.substr(1), url);
}

}  // namespace

std::string Url::host_header() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Url> parse_url(std::string_view text) {
  Url url;
  const auto scheme = text.find("://");
  const std::string name = lower(text.substr(0, scheme));
  if (scheme == std::string_view::npos || (name != "http" && name != "https"))
    return wrong("the address must begin with http:// or https://");
  url.tls = name == "https";
  url.port = url.tls ? https_port : http_port;
  text.remove_prefix(scheme + 3);
  if (text.find_first_of("?#") != std::string_view::npos)
    return wrong(
        "an address ends before ? and #: database, bucket and token have keys of their own");
  const auto slash = std::min(text.find('/'), text.size());
  const std::string_view authority = text.substr(0, slash);
  // Before anything of it could be repeated in a message.
  if (authority.find('@') != std::string_view::npos)
    return wrong("user and password have keys of their own (username, password)");
  if (auto read = read_authority(authority, url); !read) return read.error();
  url.path = text.substr(slash);
  while (url.path.ends_with('/'))
    url.path.pop_back();
  if (!std::ranges::all_of(url.path, [](char c) { return c > ' ' && c < 0x7f; }))
    return wrong("the path may hold only printable ASCII without blanks");
  return url;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char letter : text) {
    if (is_plain(letter)) {
      out += letter;
      continue;
    }
    const auto byte = static_cast<unsigned char>(letter);
    out += '%';
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
  return out;
}

}  // namespace meterbridge::sink
