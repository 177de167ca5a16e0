// SPDX-License-Identifier: MIT
// A server inside the test's loop that speaks just enough MQTT to misbehave on purpose.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

namespace meterbridge::mqtt {

class OldServer {
 public:
  enum class Manner {
    refuses_mqtt5,      // CONNACK 1 of MQTT 3.1.1, as a broker of 2015 answers
    overlooks_mqtt5,    // CONNACK 0 of MQTT 3.1.1 whatever it was asked
    hangs_up_on_mqtt5,  // says nothing at all
    talks_http,
    drops,       // hangs up at every 97th message, three times, without acknowledging it
    throws_out,  // accepts, then DISCONNECT with reason 142
  };

  OldServer(boost::asio::io_context& loop, Manner manner)
      : manner_(manner), acceptor_(loop, {boost::asio::ip::address_v4::loopback(), 0}) {
    accept();
  }

  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  std::vector<std::string> payloads;  // of all messages, over all connections
  int drops = 0;
  std::vector<int> levels;  // protocol level of each CONNECT: 4 = MQTT 3.1.1, 5 = MQTT 5

 private:
  struct Guest {
    explicit Guest(boost::asio::ip::tcp::socket s) : socket(std::move(s)) {}

    boost::asio::ip::tcp::socket socket;
    std::array<std::uint8_t, 2> head{};
    std::vector<std::uint8_t> body;
    std::vector<std::uint8_t> answer;
  };

  using Owner = std::shared_ptr<Guest>;  // each pending operation keeps its connection alive

  void accept() {
    acceptor_.async_accept(
        [this](const boost::system::error_code& error, boost::asio::ip::tcp::socket socket) {
          if (error) return;
          read(std::make_shared<Guest>(std::move(socket)));
          accept();
        });
  }

  // All packets of these tests are shorter than 128 bytes: the length is one byte.
  void read(const Owner& guest) {
    boost::asio::async_read(
        guest->socket, boost::asio::buffer(guest->head),
        [this, guest](const boost::system::error_code& error, std::size_t) {
          if (error) return;
          guest->body.resize(guest->head[1]);
          boost::asio::async_read(
              guest->socket, boost::asio::buffer(guest->body),
              [this, guest](const boost::system::error_code& failed, std::size_t) {
                if (!failed) take(guest);
              });
        });
  }

  void take(const Owner& guest) {
    switch (guest->head[0] >> 4) {
      case 1:
        greet(guest);
        return;
      case 3:
        publish(guest);
        return;
      default:
        read(guest);
    }
  }

  // PUBLISH with QoS 1, without properties: topic, id, payload.
  void publish(const Owner& guest) {
    const auto& body = guest->body;
    const std::size_t id = 2 + static_cast<std::size_t>(body[0] * 256 + body[1]);
    const std::size_t begin = id + 2 + (levels.back() == 5 ? 1 : 0);
    payloads.emplace_back(body.begin() + static_cast<std::ptrdiff_t>(begin), body.end());
    if (manner_ == Manner::drops && drops < 3 && payloads.size() % 97 == 0) {
      ++drops;
      return;
    }
    reply(guest, {0x40, 2, body[id], body[id + 1]});
  }

  void greet(const Owner& guest) {
    const int level = guest->body[6];
    levels.push_back(level);
    switch (manner_) {
      case Manner::talks_http:
        reply(guest, {'H', 'T', 'T', 'P', '/', '1', '.', '1'});
        return;
      case Manner::drops:
        reply(guest, {0x20, 3, 0, 0, 0});
        return;
      case Manner::throws_out:
        reply(guest, {0x20, 3, 0, 0, 0, 0xe0, 2, 142, 0});
        return;
      case Manner::hangs_up_on_mqtt5:
        if (level == 5) return;
        break;
      case Manner::refuses_mqtt5:
        if (level == 5) {
          reply(guest, {0x20, 2, 0, 1});
          return;
        }
        break;
      case Manner::overlooks_mqtt5:
        break;
    }
    reply(guest, {0x20, 2, 0, 0});
  }

  void reply(const Owner& guest, std::vector<std::uint8_t> bytes) {
    guest->answer = std::move(bytes);
    boost::asio::async_write(guest->socket, boost::asio::buffer(guest->answer),
                             [this, guest](const boost::system::error_code& error, std::size_t) {
                               if (!error) read(guest);
                             });
  }

  Manner manner_;
  boost::asio::ip::tcp::acceptor acceptor_;
};

}  // namespace meterbridge::mqtt
