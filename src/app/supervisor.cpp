// SPDX-License-Identifier: MIT
#include "app/supervisor.hpp"

#include "sink/url.hpp"

#include <utility>

#include <boost/asio/this_coro.hpp>

namespace meterbridge::app {

namespace {

constexpr Milliseconds answer_limit{10000};

}  // namespace

Supervisor::Supervisor(const boost::asio::any_io_executor& executor, const std::string& address,
                       Secret token)
    : token_(std::move(token)) {
  const auto url = sink::parse_url(address);
  if (!url) {
    trouble_ = "the Supervisor's address: " + url.error().detail();
  } else if (token_.empty()) {
    trouble_ =
        "SUPERVISOR_TOKEN is not set, so this is no app of Home Assistant: name the broker "
        "(mqtt.host in the configuration)";
  } else {
    client_ = std::make_unique<sink::HttpClient>(executor, *url, io::TlsOptions(), answer_limit);
  }
}

boost::asio::awaitable<Result<MqttService>> Supervisor::mqtt_service() {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  if (!client_) co_return Error(Errc::invalid, trouble_);
  sink::HttpRequest request;
  request.method = "GET";
  request.target = "/services/mqtt";
  request.headers = "Authorization: Bearer " + token_.reveal() + "\r\n";
  const auto answer = co_await client_->ask(request);
  client_->close();
  if (!answer) co_return answer.error().within("the Supervisor");
  co_return parse_service(answer->status, answer->body);
}

}  // namespace meterbridge::app
