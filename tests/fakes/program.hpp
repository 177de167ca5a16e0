// SPDX-License-Identifier: MIT
// Servers that are programs of this machine, and what a test needs to talk to any server.
#pragma once

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace meterbridge::fakes {

// A program of this machine, ended with the test.
class Program {
 public:
  static bool installed(const std::string& path) { return std::filesystem::exists(path); }

  explicit Program(std::vector<std::string> arguments) : arguments_(std::move(arguments)) {}

  ~Program() { signal(SIGKILL); }

  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void start() {
    std::vector<char*> raw;
    for (std::string& argument : arguments_)
      raw.push_back(argument.data());
    raw.push_back(nullptr);
    process_ = fork();
    if (process_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(126);
    if (std::freopen("/dev/null", "w", stdout) == nullptr) _exit(126);
    execv(raw.front(), raw.data());
    _exit(127);
  }

  void signal(int number) {
    if (process_ <= 0) return;
    kill(process_, number);
    // It may still answer until its last thread has stopped.
    if (number == SIGSTOP) waitpid(process_, nullptr, WUNTRACED);
    if (number != SIGKILL && number != SIGTERM) return;
    kill(process_, SIGCONT);
    waitpid(process_, nullptr, 0);
    process_ = -1;
  }

 private:
  std::vector<std::string> arguments_;
  pid_t process_ = -1;
};

// A port that was free a moment ago.
inline std::uint16_t free_port() {
  boost::asio::io_context context;
  boost::asio::ip::tcp::acceptor acceptor(
      context, boost::asio::ip::tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  return acceptor.local_endpoint().port();
}

// The whole answer to a request, or nothing while nobody listens.
inline std::string ask(std::uint16_t port, const std::string& method, const std::string& target) {
  boost::asio::io_context context;
  boost::asio::ip::tcp::socket socket(context);
  boost::system::error_code failure;
  socket.connect({boost::asio::ip::address_v4::loopback(), port}, failure);
  if (failure) return {};
  const std::string request =
      method + " " + target + " HTTP/1.0\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
  boost::asio::write(socket, boost::asio::buffer(request), failure);
  std::string answer;
  std::array<char, 8192> block{};
  while (!failure)
    answer.append(block.data(), socket.read_some(boost::asio::buffer(block), failure));
  return answer;
}

// Polls until the test holds.
inline bool eventually(const std::function<bool()>& test) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!test()) {
    if (std::chrono::steady_clock::now() > end) return false;
    usleep(5000);
  }
  return true;
}

}  // namespace meterbridge::fakes
