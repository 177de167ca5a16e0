// SPDX-License-Identifier: MIT
#include "mqtt/lookup.hpp"

#include <algorithm>

namespace meterbridge::mqtt {

std::shared_ptr<Lookup> Lookup::start(const boost::asio::any_io_executor& executor,
                                      const std::string& host) {
  using Resolver = boost::asio::ip::tcp::resolver;
  // Shared with the handler alone: it may run long after its asker has given up.
  auto lookup = std::make_shared<Lookup>(executor);
  // No flags: "only addresses of configured families" hides localhost on a machine without network.
  lookup->resolver.async_resolve(
      host, "", Resolver::flags(),
      [lookup](const boost::system::error_code& failure, const Resolver::results_type& found) {
        lookup->done = true;
        lookup->error = failure;
        for (const auto& entry : found) {
          std::string address = entry.endpoint().address().to_string();
          auto& known = lookup->addresses;
          if (std::find(known.begin(), known.end(), address) == known.end()) {
            known.push_back(std::move(address));
          }
        }
        lookup->finished.notify();
      });
  return lookup;
}

}  // namespace meterbridge::mqtt
