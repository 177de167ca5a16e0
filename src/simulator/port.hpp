// SPDX-License-Identifier: MIT
// The meter's end of a link: a pseudo-terminal under a name, or a listening TCP socket.
#pragma once

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace meterbridge::simulator {

// Clients come and go; the port stays until close().
class Port {
 public:
  virtual ~Port() = default;
  // Error: no_device, in words (the path is taken, the address is not ours).
  virtual Result<> open() = 0;
  // At least one byte, across clients; empty once the port was closed.
  virtual boost::asio::awaitable<Bytes> read() = 0;
  // Takes what fits at once and returns how many bytes that were; 0 when nobody is there or nobody
  // reads.
  virtual std::size_t offer(ByteView bytes) = 0;
  // Is a client there? What is sent while nobody is there is lost, as on a wire.
  [[nodiscard]] virtual bool attended() = 0;
  // Throws the client out. A pseudo-terminal is away for `away` (an adapter pulled out and put in
  // again).
  virtual boost::asio::awaitable<void> hang_up(Milliseconds away) = 0;
  // For good: gives up the name. read() then comes to its end. Also done by the destructor.
  virtual void close() noexcept = 0;
  [[nodiscard]] virtual std::string name() const = 0;  // "/tmp/ttyA", "127.0.0.1:8899"

  // The speed that the client has set; nothing where there is none.
  [[nodiscard]] virtual std::optional<std::uint32_t> baud() const { return std::nullopt; }

  // It takes whole messages (post) instead of a stream of bytes (offer).
  [[nodiscard]] virtual bool carries_messages() const { return false; }

  // `topic`: its last levels, see protocol::Post.
  virtual void post(const std::string& /*topic*/, ByteView /*payload*/) {}
};

// A broker, as far as a simulated meter needs one.
struct Publisher {
  Publisher() = default;
  std::string name;  // "127.0.0.1:1883"
  std::function<bool()> ready;
  std::function<void(std::string topic, std::string payload)> publish;
};

// `path` becomes a symbolic link to the pseudo-terminal. A link that is there already is replaced
// only when it leads to a pseudo-terminal or nowhere; anything else is left alone and is an error.
std::unique_ptr<Port> make_pty_port(boost::asio::any_io_executor executor, std::string path);
// Port 0 lets the system choose. One client at a time; a new one takes the place of the old one.
std::unique_ptr<Port> make_tcp_port(boost::asio::any_io_executor executor, std::string host,
                                    std::uint16_t port);
// Publishes on the topics of a filter; `meter` stands where the filter leaves the name open.
std::unique_ptr<Port> make_topic_port(boost::asio::any_io_executor executor, std::string filter,
                                      std::string meter, Publisher publisher);
// A topic that the filter lets through and that ends with `levels` where the filter leaves them
// open: ("shellies/+/#", "em1", "emeter/0/power") -> "shellies/em1/emeter/0/power".
std::string topic_of(std::string_view filter, std::string_view meter, std::string_view levels);

}  // namespace meterbridge::simulator
