// One kept answer. Immutable once it is shared: a hit is sent from here, without a copy.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "api/usage.h"

namespace gw::cache {

struct Entry {
  // What the client reads: the JSON body, all events of a stream, or (embeddings, which are kept
  // item by item) the JSON text of one `embedding` value.
  std::string body;
  bool stream = false;
  api::Usage usage;             // of the answer; of the item
  std::string shown_model;      // embeddings: the answer's "model", as JSON text
  // Who answered: for headers and metric labels of later hits.
  std::string deployment_id;
  std::string upstream_model;
  std::string model_group;
  int64_t stored_unix_ms = 0;   // wall clock: replicas compare it with s-maxage

  [[nodiscard]] size_t bytes() const {
    return sizeof(Entry) + body.capacity() + shown_model.capacity() + deployment_id.capacity() +
           upstream_model.capacity() + model_group.capacity();
  }
};

using EntryPtr = std::shared_ptr<const Entry>;

}  // namespace gw::cache
