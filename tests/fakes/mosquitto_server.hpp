// SPDX-License-Identifier: MIT
// A real mosquitto on a free loopback port, in a directory of its own, ended with the test.
#pragma once

#include "fakes/scratch.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace meterbridge::fakes {

// Keeps a loopback port taken without listening: who connects is refused, nobody else gets it.
class HeldPort {
 public:
  explicit HeldPort(std::uint16_t wanted = 0);  // 0 = any free one

  ~HeldPort() { release(); }

  HeldPort(const HeldPort&) = delete;
  HeldPort& operator=(const HeldPort&) = delete;

  [[nodiscard]] std::uint16_t number() const noexcept { return number_; }

  void release() noexcept;

 private:
  int socket_ = -1;
  std::uint16_t number_ = 0;
};

class MosquittoServer {
 public:
  // Whether the program is on this machine; without it tests are skipped with these words.
  [[nodiscard]] static bool installed();
  static constexpr const char* skip_text = "the program mosquitto is not installed";

  // Not running yet; connecting to port() is refused. `listener_text`: lines below the listener,
  // for example TLS files; `global_text`: the others. Anonymous access is allowed unless the text
  // says otherwise.
  explicit MosquittoServer(std::string listener_text = {}, std::string global_text = {});
  ~MosquittoServer();
  MosquittoServer(const MosquittoServer&) = delete;
  MosquittoServer& operator=(const MosquittoServer&) = delete;

  // On the same port each time; true once it accepts connections.
  [[nodiscard]] bool start();
  void stop();    // SIGTERM: tells its clients
  void kill();    // SIGKILL: like a power cut of the broker
  void freeze();  // SIGSTOP: connections stay, nobody answers
  void thaw();

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

  [[nodiscard]] const Scratch& directory() const noexcept { return directory_; }

  [[nodiscard]] std::string log() const;

 private:
  void end(int signal);
  bool ended();
  [[nodiscard]] bool accepts() const;

  Scratch directory_;
  std::string listener_text_;
  std::string global_text_;
  std::optional<HeldPort> held_;
  std::uint16_t port_ = 0;
  pid_t process_ = -1;
};

namespace detail {

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

inline const sockaddr* plain(const sockaddr_in& address) {
  return static_cast<const sockaddr*>(static_cast<const void*>(&address));
}

[[noreturn]] inline void failed(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// Looks whether the condition holds, now and whenever `descriptor` has something to read.
template <class Condition>
bool told(int descriptor, const Condition& condition, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd wanted{descriptor, POLLIN, 0};
    const auto look_again = std::min<std::int64_t>(left.count(), 200);
    if (left.count() <= 0 || ::poll(&wanted, 1, static_cast<int>(look_again)) < 0) return false;
    std::array<char, 4096> waste{};
    while (::read(descriptor, waste.data(), waste.size()) > 0) {
    }
  }
  return true;
}

inline std::string program(const std::string& name) {
  const char* const path = std::getenv("PATH");
  std::istringstream folders(std::string(path == nullptr ? "" : path) +
                             ":/usr/sbin:/usr/local/sbin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    folder.append("/").append(name);
    if (::access(folder.c_str(), X_OK) == 0) return folder;
  }
  return {};
}

}  // namespace detail

inline HeldPort::HeldPort(std::uint16_t wanted) {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address = detail::loopback(wanted);
  if (::bind(socket_, detail::plain(address), sizeof address) != 0) detail::failed("bind");
  socklen_t size = sizeof address;
  ::getsockname(socket_, static_cast<sockaddr*>(static_cast<void*>(&address)), &size);
  number_ = ntohs(address.sin_port);
}

inline void HeldPort::release() noexcept {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

inline bool MosquittoServer::installed() {
  return !detail::program("mosquitto").empty();
}

inline MosquittoServer::MosquittoServer(std::string listener_text, std::string global_text)
    : listener_text_(std::move(listener_text)), global_text_(std::move(global_text)) {
  held_.emplace();
  port_ = held_->number();
}

inline MosquittoServer::~MosquittoServer() {
  end(SIGKILL);
}

inline bool MosquittoServer::start() {
  const bool own_access = global_text_.find("allow_anonymous") != std::string::npos;
  directory_.file("mosquitto.conf", "listener " + std::to_string(port_) + " 127.0.0.1\n" +
                                        listener_text_ + "\n" + global_text_ + "\n" +
                                        (own_access ? "" : "allow_anonymous true\n") +
                                        "set_tcp_nodelay true\nuser root\nlog_type all\n"
                                        "log_dest stderr\n");
  const std::string path = detail::program("mosquitto");
  const std::string configuration = directory_.path() / "mosquitto.conf";
  const std::string log_file = directory_.path() / "log";
  held_.reset();
  // Every line of its log is news, the one behind the opening of its port too, and so is its end.
  std::ofstream(log_file, std::ios::app).close();
  const int news = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (news < 0 || ::inotify_add_watch(news, log_file.c_str(), IN_MODIFY | IN_CLOSE_WRITE) < 0)
    detail::failed("inotify");
  process_ = ::fork();
  if (process_ < 0) detail::failed("fork");
  if (process_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int log = ::open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    // Relative names in the configuration mean the scratch directory.
    if (::chdir(directory_.path().c_str()) != 0) ::_exit(127);
    ::dup2(log, STDERR_FILENO);
    ::dup2(log, STDOUT_FILENO);
    ::execl(path.c_str(), path.c_str(), "-c", configuration.c_str(), nullptr);
    ::_exit(127);
  }
  const bool up = detail::told(
      news, [this] { return accepts() || ended(); }, std::chrono::seconds(10));
  ::close(news);
  return up && process_ >= 0;
}

inline bool MosquittoServer::ended() {
  if (::waitpid(process_, nullptr, WNOHANG) != process_) return false;
  process_ = -1;
  return true;
}

inline bool MosquittoServer::accepts() const {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = detail::loopback(port_);
  const bool accepted = ::connect(probe, detail::plain(address), sizeof address) == 0;
  ::close(probe);
  return accepted;
}

inline void MosquittoServer::end(int signal) {
  if (process_ < 0) return;
  ::kill(process_, signal);
  ::kill(process_, SIGCONT);
  ::waitpid(process_, nullptr, 0);
  process_ = -1;
}

inline void MosquittoServer::stop() {
  end(SIGTERM);
  held_.emplace(port_);
}

inline void MosquittoServer::kill() {
  end(SIGKILL);
  held_.emplace(port_);
}

inline void MosquittoServer::freeze() {
  ::kill(process_, SIGSTOP);
}

inline void MosquittoServer::thaw() {
  ::kill(process_, SIGCONT);
}

inline std::string MosquittoServer::log() const {
  std::ostringstream text;
  text << std::ifstream(directory_.path() / "log").rdbuf();
  return text.str();
}

}  // namespace meterbridge::fakes
