// SPDX-License-Identifier: MIT
#include "simulator/port.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace meterbridge::simulator {
namespace {

namespace asio = boost::asio;

std::vector<std::string> levels_of(std::string_view topic) {
  std::vector<std::string> levels;
  for (;;) {
    const std::size_t slash = topic.find('/');
    levels.emplace_back(topic.substr(0, slash));
    if (slash == std::string_view::npos) return levels;
    topic.remove_prefix(slash + 1);
  }
}

class TopicPort final : public Port {
 public:
  TopicPort(asio::any_io_executor executor, std::string filter, std::string meter,
            Publisher publisher)
      : filter_(std::move(filter)),
        meter_(std::move(meter)),
        publisher_(std::move(publisher)),
        closed_(executor, asio::steady_timer::time_point::max()) {}

  Result<> open() override { return {}; }

  // Nobody talks to it.
  asio::awaitable<Bytes> read() override {
    while (open_)
      co_await closed_.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return Bytes();
  }

  std::size_t offer(ByteView) override { return 0; }

  [[nodiscard]] bool attended() override { return publisher_.ready(); }

  // The connection to the broker carries other meters, too: it stays.
  asio::awaitable<void> hang_up(Milliseconds) override { co_return; }

  void close() noexcept override {
    open_ = false;
    boost::system::error_code ignored;
    closed_.cancel(ignored);
  }

  [[nodiscard]] std::string name() const override {
    return "topic " + topic_of(filter_, meter_, "") + " of " + publisher_.name;
  }

  [[nodiscard]] bool carries_messages() const override { return true; }

  void post(const std::string& topic, ByteView payload) override {
    if (open_ && publisher_.ready())
      publisher_.publish(topic_of(filter_, meter_, topic), to_text(payload));
  }

 private:
  std::string filter_;
  std::string meter_;
  Publisher publisher_;
  bool open_ = true;
  asio::steady_timer closed_;
};

}  // namespace

std::string topic_of(std::string_view filter, std::string_view meter, std::string_view levels) {
  std::vector<std::string> topic = levels_of(filter);
  const std::vector<std::string> own =
      levels.empty() ? std::vector<std::string>() : levels_of(levels);
  if (topic.back() == "#") {
    topic.pop_back();
    topic.insert(topic.end(), own.begin(), own.end());
    if (own.empty()) topic.emplace_back(meter);
  } else {
    const std::size_t common = std::min(own.size(), topic.size());
    for (std::size_t i = 1; i <= common; ++i) {
      std::string& level = topic[topic.size() - i];
      if (level == "+") level = own[own.size() - i];
    }
  }
  std::string text;
  for (const std::string& level : topic) {
    if (&level != topic.data()) text += '/';
    text += level == "+" ? std::string(meter) : level;
  }
  return text;
}

std::unique_ptr<Port> make_topic_port(asio::any_io_executor executor, std::string filter,
                                      std::string meter, Publisher publisher) {
  return std::make_unique<TopicPort>(std::move(executor), std::move(filter), std::move(meter),
                                     std::move(publisher));
}

}  // namespace meterbridge::simulator
