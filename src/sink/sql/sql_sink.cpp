// SPDX-License-Identifier: MIT
#include "sink/sql/sql_sink.hpp"

#include "sink/sql/records.hpp"
#include "sink/sql/store.hpp"
#include "sink/worker.hpp"

#include <utility>
#include <vector>

namespace meterbridge::sink::sql {
namespace {

namespace asio = boost::asio;

class SqlSink final : public Sink {
 public:
  SqlSink(const asio::any_io_executor& executor, std::shared_ptr<Store> store)
      : store_(std::move(store)), worker_(executor) {}

  asio::awaitable<Result<Written>> write(std::span<const journal::Entry> batch) override {
    auto records = std::make_shared<std::vector<Record>>();
    records->reserve(batch.size());
    for (const journal::Entry& entry : batch)
      records->push_back(record_of(entry));
    const auto outcome = std::make_shared<Result<Written>>(Written());
    auto job = [store = store_, records, outcome] { *outcome = store->write(*records); };
    const bool done = co_await worker_.run(std::move(job));
    if (!done) co_return Error(Errc::cancelled, "the server did not take it in time");
    co_return std::move(*outcome);
  }

  asio::awaitable<Result<std::string>> check() override {
    const auto found = std::make_shared<Result<std::string>>(std::string());
    auto job = [store = store_, found] { *found = store->look(); };
    const bool done = co_await worker_.run(std::move(job));
    if (!done) co_return Error(Errc::timeout, "the server did not answer in time");
    co_return *found;
  }

 private:
  std::shared_ptr<Store> store_;  // of the worker's thread
  Worker worker_;
};

}  // namespace

std::unique_ptr<Sink> make_sink(const asio::any_io_executor& executor, const Setup& setup,
                                const Options& options, std::unique_ptr<Connection> connection,
                                const Dialect& dialect) {
  auto store =
      std::make_shared<Store>(std::move(connection), dialect, options.prefix, setup.instance);
  return std::make_unique<SqlSink>(executor, std::move(store));
}

}  // namespace meterbridge::sink::sql
