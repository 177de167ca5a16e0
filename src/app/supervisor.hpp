// SPDX-License-Identifier: MIT
#pragma once

#include "app/app_options.hpp"
#include "core/result.hpp"
#include "core/secret.hpp"
#include "sink/http_client.hpp"

#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace meterbridge::app {

// Home Assistant's Supervisor, as far as an app asks it.
class Supervisor {
 public:
  // `address` is http://supervisor. The token never shows in a message.
  Supervisor(const boost::asio::any_io_executor& executor, const std::string& address,
             Secret token);

  // Errors in words; not_found: there is no broker yet.
  boost::asio::awaitable<Result<MqttService>> mqtt_service();

 private:
  Secret token_;
  std::string trouble_;
  std::unique_ptr<sink::HttpClient> client_;
};

}  // namespace meterbridge::app
