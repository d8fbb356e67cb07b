#include "driver/engine/value_reader.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

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

ByteBuffer::ByteBuffer() { sink_.grow = grow; }

ByteBuffer::~ByteBuffer() { std::free(sink_.data); }

void ByteBuffer::shrink(std::size_t keep) {
    if (scratch_ && scratch_->capacity() > keep) scratch_.reset();
    if (sink_.capacity <= keep) return;
    std::free(sink_.data);
    sink_ = {};
    sink_.grow = grow;
}

}  // namespace parity::driver
