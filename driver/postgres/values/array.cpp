#include "driver/postgres/values/array.h"

#include "core/bytes.h"
#include "driver/model/error.h"
#include "driver/postgres/connection/copy_rows.h"

namespace parity::driver {
namespace {

/// Takes integers and byte strings off the front of a value in PostgreSQL's binary format.
class ArrayReader {
  public:
    explicit ArrayReader(std::string_view wire) : rest_(wire) {}

    std::int32_t int32() { return core::load_be<std::int32_t>(core::as_bytes(take(4)).data()); }
    std::string_view take(std::size_t length) {
        if (rest_.size() < length) throw Error(ErrorKind::kInternal, "a server sent an array that ends too early");
        const std::string_view taken = rest_.substr(0, length);
        rest_.remove_prefix(length);
        return taken;
    }
    bool at_end() const { return rest_.empty(); }

  private:
    std::string_view rest_;
};

}  // namespace

void read_wire_array(std::string_view wire, const std::function<void(std::optional<std::string_view>)>& element) {
    ArrayReader reader(wire);
    const std::int32_t dimensions = reader.int32();
    reader.take(8);  // whether there are NULLs, the element type
    if (dimensions < 0 || dimensions > 1)
        throw Error(ErrorKind::kInternal, "a server sent an array of several dimensions");
    const std::int32_t length = dimensions == 0 ? 0 : reader.int32();
    if (dimensions == 1) reader.take(4);  // lower bound
    for (std::int32_t i = 0; i < length; ++i) {
        const std::int32_t bytes = reader.int32();
        if (bytes < kNullLength) throw Error(ErrorKind::kInternal, "a server sent an array element of negative length");
        if (bytes == kNullLength)
            element(std::nullopt);
        else
            element(reader.take(static_cast<std::size_t>(bytes)));
    }
    if (!reader.at_end()) throw Error(ErrorKind::kInternal, "a server sent an array with trailing bytes");
}

}  // namespace parity::driver
