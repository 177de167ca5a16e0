// SPDX-License-Identifier: MIT
#include "sink/postgresql/libpq.hpp"

#include "core/text.hpp"

#include <mutex>
#include <string>

#include <dlfcn.h>

namespace meterbridge::sink::postgresql {
namespace {

constexpr const char* file = "libpq.so.5";

Libpq functions;
bool loaded = false;
std::mutex mutex;

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

bool find_all(void* library, Libpq& f) {
  return find(library, "PQlibVersion", f.lib_version) &&
         find(library, "PQconnectStartParams", f.connect_start_params) &&
         find(library, "PQconnectPoll", f.connect_poll) && find(library, "PQfinish", f.finish) &&
         find(library, "PQstatus", f.status) && find(library, "PQsocket", f.socket) &&
         find(library, "PQerrorMessage", f.error_message) &&
         find(library, "PQsetNoticeProcessor", f.set_notice_processor) &&
         find(library, "PQsetnonblocking", f.setnonblocking) &&
         find(library, "PQsendQuery", f.send_query) &&
         find(library, "PQsendPrepare", f.send_prepare) &&
         find(library, "PQsendQueryPrepared", f.send_query_prepared) &&
         find(library, "PQflush", f.flush) && find(library, "PQconsumeInput", f.consume_input) &&
         find(library, "PQisBusy", f.is_busy) && find(library, "PQgetResult", f.get_result) &&
         find(library, "PQresultStatus", f.result_status) &&
         find(library, "PQresultErrorField", f.result_error_field) &&
         find(library, "PQresultErrorMessage", f.result_error_message) &&
         find(library, "PQntuples", f.ntuples) && find(library, "PQnfields", f.nfields) &&
         find(library, "PQgetisnull", f.getisnull) && find(library, "PQgetvalue", f.getvalue) &&
         find(library, "PQclear", f.clear);
}

}  // namespace

Result<> load_libpq() {
  const std::lock_guard lock(mutex);
  if (loaded) return {};
  void* const library = ::dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* const words = ::dlerror();
    return Error(Errc::not_found,
                 "PostgreSQL's client library is not installed (on Debian: apt "
                 "install libpq5): " +
                     sanitised(words == nullptr ? "" : words, 200));
  }
  loaded = find_all(library, functions);
  if (loaded) return {};
  ::dlclose(library);
  return Error(Errc::not_found,
               std::string(file) + " is no client library of PostgreSQL 9 or newer");
}

const Libpq& pq() {
  return functions;
}

}  // namespace meterbridge::sink::postgresql
