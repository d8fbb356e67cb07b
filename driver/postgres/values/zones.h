#pragma once

#include "driver/postgres/values/decoder.h"

namespace parity::driver {

/// Reads readings of clocks in `options.zone` as instants, or instants as such readings, which the server converts:
/// docs/digest-format.md, section 2.9. `options.cast` is the type that is read. No zone at all makes a reader that is
/// only listed.
/// Throws: Error{kUsage} for a zone that is neither "UTC" nor a name with a slash.
DecoderPtr zone_decoder(const DecoderOptions& options);

}  // namespace parity::driver
