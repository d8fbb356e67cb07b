#include "driver/postgres/values/decoder.h"

#include <algorithm>
#include <cstdlib>

#include "driver/postgres/queries/types.h"
#include "driver/postgres/values/counted.h"

namespace parity::driver {
namespace {

bool grow(core::ByteSink& sink, std::size_t needed) noexcept {
    const std::size_t capacity = std::max({needed, 2 * sink.capacity, std::size_t{64}});
    void* data = std::realloc(sink.data, capacity);
    if (!data) return false;
    sink.data = static_cast<std::uint8_t*>(data);
    sink.capacity = capacity;
    return true;
}

}  // namespace

ByteBuffer::ByteBuffer() : scratch_(std::make_unique<WireScratch>()) { sink_.grow = grow; }

ByteBuffer::~ByteBuffer() { std::free(sink_.data); }

void ByteBuffer::shrink(std::size_t keep) {
    if (scratch_->capacity() > keep) *scratch_ = {};
    if (sink_.capacity <= keep) return;
    std::free(sink_.data);
    sink_ = {};
    sink_.grow = grow;
}

core::ByteView WireDecoder::read(std::string_view wire, const ObjectNames& names, ByteBuffer& buffer) const {
    ReadContext context{names, buffer.scratch()};
    buffer.clear();
    buffer.scratch().fields.clear();
    append(wire, context, buffer.sink());
    require_memory(buffer.sink());
    return buffer.view();
}

std::string WireDecoder::select_expression(const std::string& column) const {
    return cast_.empty() ? column : cast_expression(column, cast_);
}

}  // namespace parity::driver
