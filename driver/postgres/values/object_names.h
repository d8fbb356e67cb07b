#pragma once

#include "driver/postgres/values/decoder.h"

namespace parity::driver {

/// Reads OIDs as the names of objects of `options.catalog`, out of `options.names`: reg* types.
DecoderPtr object_name_decoder(const DecoderOptions& options);

}  // namespace parity::driver
