#include "driver/postgres/values/decoder.h"

#include "driver/postgres/queries/types.h"
#include "driver/postgres/values/counted.h"

namespace parity::driver {

core::ByteView AppendingDecoder::read(std::string_view wire, ByteBuffer& buffer) const {
    WireScratch& scratch = buffer.scratch<WireScratch>();
    buffer.clear();
    scratch.fields.clear();
    append(wire, scratch, buffer.sink());
    require_memory(buffer.sink());
    return buffer.view();
}

std::string AppendingDecoder::select_expression(const std::string& column) const {
    return cast_.empty() ? column : cast_expression(column, cast_);
}

}  // namespace parity::driver
