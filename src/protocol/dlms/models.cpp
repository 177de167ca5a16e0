// SPDX-License-Identifier: MIT
#include "protocol/dlms/models.hpp"

namespace meterbridge::protocol::dlms {

const Model& model_of(std::string_view name) noexcept {
  for (const auto models : {central_models(), nordic_models()}) {
    for (const Model& model : models) {
      if (model.name == name) return model;
    }
  }
  return central_models().front();
}

}  // namespace meterbridge::protocol::dlms
