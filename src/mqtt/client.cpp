// SPDX-License-Identifier: MIT
// The only file that knows libmosquitto. Facts about it below were read in and tried with 2.0.11.
#include "mqtt/client.hpp"

#include "mqtt/reason.hpp"
#include "mqtt/tls.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include <mosquitto.h>
#include <mqtt_protocol.h>

namespace meterbridge::mqtt {
namespace {

constexpr int shortest_keepalive = 5;  // the library refuses less
constexpr int packets_per_call = 100;
// How long a broker shall keep a session of ours that nobody comes back to.
constexpr std::uint32_t session_seconds = 7 * 86400;
constexpr const char* hops_property = "meterbridge-hops";

struct Library {
  Library() { mosquitto_lib_init(); }
};

void ensure_library() {
  static const Library library;
}

struct Destroy {
  void operator()(mosquitto* instance) const noexcept { mosquitto_destroy(instance); }
};

class Properties {
 public:
  Properties() = default;

  ~Properties() { mosquitto_property_free_all(&list_); }

  Properties(const Properties&) = delete;
  Properties& operator=(const Properties&) = delete;

  [[nodiscard]] mosquitto_property** add() noexcept { return &list_; }

  [[nodiscard]] const mosquitto_property* get() const noexcept { return list_; }

 private:
  mosquitto_property* list_ = nullptr;
};

unsigned hops_in(const mosquitto_property* properties) noexcept {
  unsigned hops = 0;
  char* name = nullptr;
  char* value = nullptr;
  for (bool next = false;; next = true) {
    properties = mosquitto_property_read_string_pair(properties, MQTT_PROP_USER_PROPERTY, &name,
                                                     &value, next);
    if (properties == nullptr) return hops;
    if (std::strcmp(name, hops_property) == 0)
      std::from_chars(value, value + std::strlen(value), hops);
    std::free(name);
    std::free(value);
  }
}

}  // namespace

struct Client::State {
  std::unique_ptr<mosquitto, Destroy> instance;
  ClientRecord record;
  std::uint16_t port = 0;
  int keepalive = 0;
  const TlsContext* tls = nullptr;
  bool mqtt5 = false;
  bool accepted = false;  // CONNACK said yes
  bool exhausted = false;

  [[nodiscard]] mosquitto* get() const noexcept { return instance.get(); }

  // The failure at hand is one of TLS.
  [[nodiscard]] bool tls_speaks() const noexcept {
    return tls != nullptr && (!record.tls_log.empty() || tls->certificate_asked());
  }

  Result<> judged(int code);
  Error words_for(int code, int system_error);
};

// Called by C code while it holds its locks: they must neither throw nor call the library.
struct Client::Callbacks {
  static ClientRecord& record(void* state) noexcept { return static_cast<State*>(state)->record; }

  static void connected(mosquitto*, void* state, int reason, int,
                        const mosquitto_property* properties) noexcept {
    record(state).connack = reason;
    if (reason == 0) static_cast<State*>(state)->accepted = true;
    std::uint16_t maximum = 0;
    if (mosquitto_property_read_int16(properties, MQTT_PROP_RECEIVE_MAXIMUM, &maximum, false) !=
        nullptr) {
      record(state).receive_maximum = maximum;
    }
  }

  static void disconnected(mosquitto*, void* state, int reason,
                           const mosquitto_property*) noexcept {
    // Below 128 it is a code of the library, which the call that is running returns too.
    if (reason >= 128) record(state).disconnect = reason;
  }

  static void published(mosquitto*, void* state, int id, int reason,
                        const mosquitto_property*) noexcept {
    record(state).acknowledged.push_back({id, reason});
  }

  static void subscribed(mosquitto*, void* state, int id, int count, const int* granted) noexcept {
    record(state).subscribed.push_back({id, count > 0 ? granted[0] : 128});
  }

  static void received(mosquitto*, void* state, const mosquitto_message* message,
                       const mosquitto_property* properties) noexcept {
    Message copy;
    copy.topic = message->topic;
    if (message->payloadlen > 0) {
      copy.payload.assign(static_cast<const char*>(message->payload),
                          static_cast<std::size_t>(message->payloadlen));
    }
    copy.retain = message->retain;
    copy.qos = message->qos;
    copy.hops = hops_in(properties);
    record(state).received.push_back(std::move(copy));
  }

  static void logged(mosquitto*, void* state, int level, const char* text) noexcept {
    if (level == MOSQ_LOG_ERR && std::string_view(text).starts_with("OpenSSL Error")) {
      record(state).tls_log = text;
    }
  }

  static void install(mosquitto* instance) noexcept {
    mosquitto_connect_v5_callback_set(instance, &connected);
    mosquitto_disconnect_v5_callback_set(instance, &disconnected);
    mosquitto_publish_v5_callback_set(instance, &published);
    mosquitto_subscribe_callback_set(instance, &subscribed);
    mosquitto_message_v5_callback_set(instance, &received);
    mosquitto_log_callback_set(instance, &logged);
  }
};

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}

Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::make(const BrokerSettings& settings, bool mqtt5,
                                             const TlsContext* tls) {
  ensure_library();
  auto state = std::make_unique<State>();
  const char* const id = settings.client_id.empty() ? nullptr : settings.client_id.c_str();
  state->instance.reset(mosquitto_new(id, settings.clean_session, state.get()));
  if (state->instance == nullptr) {
    return Error{Errc::invalid,
                 "libmosquitto does not take the client id: " + std::string(std::strerror(errno))};
  }
  mosquitto* const instance = state->get();
  state->port = settings.port;
  state->keepalive = static_cast<int>(settings.keepalive.count());
  state->tls = tls;
  state->mqtt5 = mqtt5;
  Callbacks::install(instance);
  mosquitto_int_option(instance, MOSQ_OPT_PROTOCOL_VERSION,
                       mqtt5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
  mosquitto_int_option(instance, MOSQ_OPT_TCP_NODELAY, 1);
  // The window is ours: what the library holds back beyond its own would be queued inside it.
  mosquitto_int_option(instance, MOSQ_OPT_SEND_MAXIMUM, 65535);
  if (mqtt5 && !settings.clean_session) {
    Properties properties;
    mosquitto_property_add_int32(properties.add(), MQTT_PROP_SESSION_EXPIRY_INTERVAL,
                                 session_seconds);
    // Only the blocking way to connect takes properties. Without a host it keeps them and refuses
    // to connect, and the other way uses them.
    (void)mosquitto_connect_bind_v5(instance, nullptr, 0, 60, nullptr, properties.get());
  }
  if (!settings.username.empty() &&
      mosquitto_username_pw_set(
          instance, settings.username.c_str(),
          settings.password.empty() ? nullptr : settings.password.reveal().c_str()) !=
          MOSQ_ERR_SUCCESS) {
    return Error{Errc::invalid, "the user name or the password is not UTF-8"};
  }
  if (settings.will) {
    const Message& will = *settings.will;
    if (mosquitto_will_set(instance, will.topic.c_str(), static_cast<int>(will.payload.size()),
                           will.payload.data(), will.qos, will.retain) != MOSQ_ERR_SUCCESS) {
      return Error{Errc::invalid, "the topic of the will is not usable: " + will.topic};
    }
  }
  if (tls != nullptr) {
    if (mosquitto_void_option(instance, MOSQ_OPT_SSL_CTX, tls->native()) != MOSQ_ERR_SUCCESS) {
      return Error{Errc::unsupported, "the installed libmosquitto was built without TLS"};
    }
    mosquitto_int_option(instance, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
  }
  return std::unique_ptr<Client>(new Client(std::move(state)));
}

Result<> Client::begin(const std::string& address) {
  // The library asks after one such time of silence, and gives up after a second one.
  const int ask_after = std::clamp(state_->keepalive / 2, shortest_keepalive, 65535);
  errno = 0;
  const int code = mosquitto_connect_async(state_->get(), address.c_str(), state_->port, ask_after);
  const int system_error = errno;
  if (code == MOSQ_ERR_SUCCESS) return {};
  // On a fast line even the TLS handshake may come to its bad end within the call.
  if (code == MOSQ_ERR_ERRNO) return connect_failed(system_error);
  return state_->words_for(code, system_error);
}

int Client::descriptor() const noexcept {
  return mosquitto_socket(state_->get());
}

Error Client::connect_failed(int system_error) const {
  // Who resets has accepted before: what it did not like is our greeting.
  const bool reset = system_error == ECONNRESET || system_error == EPIPE;
  if (state_->tls_speaks() || (state_->tls != nullptr && reset)) return handshake_lost();
  return connection_failed(system_error);
}

Error Client::handshake_lost() const {
  if (state_->tls_speaks())
    return {Errc::io, "TLS: " + state_->tls->failure(state_->record.tls_log)};
  return handshake_cut();
}

const void* Client::ssl() const noexcept {
  return mosquitto_ssl_get(state_->get());
}

bool Client::wants_write() const noexcept {
  return mosquitto_want_write(state_->get());
}

Result<> Client::read() {
  errno = 0;
  const int code = mosquitto_loop_read(state_->get(), packets_per_call);
  state_->exhausted = errno == EAGAIN || errno == EWOULDBLOCK;
  return state_->judged(code);
}

bool Client::exhausted() const noexcept {
  return state_->exhausted;
}

Result<> Client::write() {
  errno = 0;
  return state_->judged(mosquitto_loop_write(state_->get(), packets_per_call));
}

Result<> Client::keep_alive() {
  errno = 0;
  return state_->judged(mosquitto_loop_misc(state_->get()));
}

Result<int> Client::publish(const Message& message) {
  int id = 0;
  errno = 0;
  Properties properties;
  if (state_->mqtt5 && message.hops > 0)
    mosquitto_property_add_string_pair(properties.add(), MQTT_PROP_USER_PROPERTY, hops_property,
                                       std::to_string(message.hops).c_str());
  const int code = mosquitto_publish_v5(
      state_->get(), &id, message.topic.c_str(), static_cast<int>(message.payload.size()),
      message.payload.data(), message.qos, message.retain, properties.get());
  switch (code) {
    case MOSQ_ERR_INVAL:
    case MOSQ_ERR_MALFORMED_UTF8:
      return Error{Errc::invalid, "the topic is not usable"};
    case MOSQ_ERR_PAYLOAD_SIZE:
    case MOSQ_ERR_OVERSIZE_PACKET:
      return Error{Errc::invalid, "the message is larger than the broker allows"};
    case MOSQ_ERR_QOS_NOT_SUPPORTED:
      return Error{Errc::invalid, "the broker does not support this QoS"};
    default:
      break;
  }
  if (const auto sent = state_->judged(code); !sent) return sent.error();
  return id;
}

Result<int> Client::subscribe(const Subscription& wanted) {
  int id = 0;
  errno = 0;
  int options = 0;
  if (state_->mqtt5 && wanted.flag_as_published) options |= int{MQTT_SUB_OPT_RETAIN_AS_PUBLISHED};
  if (state_->mqtt5 && wanted.no_local) options |= int{MQTT_SUB_OPT_NO_LOCAL};
  if (state_->mqtt5 && wanted.retained_once) options |= int{MQTT_SUB_OPT_SEND_RETAIN_NEW};
  const int code = mosquitto_subscribe_v5(state_->get(), &id, wanted.filter.c_str(), wanted.qos,
                                          options, nullptr);
  if (code == MOSQ_ERR_INVAL || code == MOSQ_ERR_MALFORMED_UTF8) {
    return Error{Errc::invalid, "the subscription is not usable"};
  }
  if (const auto sent = state_->judged(code); !sent) return sent.error();
  return id;
}

// Nobody waits for the answer: what still comes for the filter is sorted out by who receives it.
void Client::unsubscribe(const std::string& filter) {
  mosquitto_unsubscribe(state_->get(), nullptr, filter.c_str());
}

void Client::disconnect() {
  mosquitto_disconnect(state_->get());
}

ClientRecord Client::take_record() {
  return std::exchange(state_->record, ClientRecord{});
}

Result<> Client::State::judged(int code) {
  const int system_error = errno;
  if (code == MOSQ_ERR_SUCCESS) return {};
  return words_for(code, system_error);
}

Error Client::State::words_for(int code, int system_error) {
  // A broker that does not like our certificate says so after the handshake, or only hangs up.
  // libmosquitto 2.0.21 says EPROTO instead, and often logs nothing.
  const bool tls_error = code == MOSQ_ERR_TLS || (code == MOSQ_ERR_ERRNO && system_error == EPROTO);
  if (tls != nullptr && !accepted && (tls_error || tls_speaks())) {
    return {Errc::io, "TLS: " + tls->failure(record.tls_log)};
  }
  const void* const handshake = mosquitto_ssl_get(get());
  const bool reset =
      code == MOSQ_ERR_ERRNO && (system_error == ECONNRESET || system_error == EPIPE);
  if (!handshake_done(handshake) && (code == MOSQ_ERR_CONN_LOST || reset)) return handshake_cut();
  switch (code) {
    case MOSQ_ERR_CONN_LOST:
    case MOSQ_ERR_NO_CONN:
      return {Errc::io, "the broker closed the connection"};
    case MOSQ_ERR_KEEPALIVE:
      return {Errc::timeout, "the broker did not answer within the keepalive time of " +
                                 std::to_string(keepalive) + " s"};
    case MOSQ_ERR_PROTOCOL:
    case MOSQ_ERR_MALFORMED_PACKET:
      // A CONNACK in the form of MQTT 3.1.1. libmosquitto 2.0.11 still makes a refusal in words of
      // it, 2.0.21 only this code.
      if (mqtt5 && !accepted) return connection_refused(unsupported_protocol_version, false);
      return {Errc::malformed, "what answers does not speak MQTT as it should"};
    case MOSQ_ERR_ERRNO:
      return {Errc::io, "the connection failed: " + std::string(std::strerror(system_error))};
    default:
      return {Errc::io, "libmosquitto gave up: " + std::string(mosquitto_strerror(code))};
  }
}

std::string library_version() {
  int major = 0;
  int minor = 0;
  int revision = 0;
  mosquitto_lib_version(&major, &minor, &revision);
  return "libmosquitto " + std::to_string(major) + "." + std::to_string(minor) + "." +
         std::to_string(revision);
}

}  // namespace meterbridge::mqtt
