#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "driver/postgres/values/decoder.h"

/// Readers of values that are made of others: docs/digest-format.md, sections 2.4, 2.6 and 2.7. How deep a value is, is
/// up to its type alone, so that reading recurses no deeper than the type does.
namespace parity::driver {

/// An array of elements.
/// Requires: the form of the elements is not an array's.
DecoderPtr array_decoder(const DecoderPtr& element);
DecoderPtr range_decoder(const DecoderPtr& subtype);
DecoderPtr multirange_decoder(const DecoderPtr& subtype);

/// An attribute of a composite type.
struct WireAttribute {
    std::string name;
    std::uint32_t type;
    DecoderPtr decoder;
};
/// A value of a composite type.
/// Requires: `attributes` are in the order of attnum, which is that on the wire.
DecoderPtr record_decoder(std::vector<WireAttribute> attributes);

}  // namespace parity::driver
