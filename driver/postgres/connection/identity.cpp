#include "driver/postgres/connection/identity.h"

#include <charconv>
#include <string_view>

#include "driver/model/error.h"

namespace parity::driver {

IdentityRights read_identity_rights(const Result& result) {
    return {result.is_true(0, 0), result.is_true(0, 1), result.number<std::int32_t>(0, 2)};
}

ServerIdentity read_identity(const Result& result, int row, int first) {
    ServerIdentity read;
    if (result.rows() <= row) throw_contradiction("a server did not tell which one it is");
    const auto take = [&](int column, auto& number, int base = 10) {
        const std::string_view text = result.text(row, first + column);
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
        if (error != std::errc() || end != text.data() + text.size())
            throw_contradiction("a server sent an identity in a form that was not asked for");
    };
    take(0, read.backend);
    take(1, read.database_oid);
    take(2, read.started_us);
    take(3, read.read_us);
    read.in_recovery = result.is_true(row, first + 4);
    take(5, read.timeline, 16);
    read.system_identifier = result.text(row, first + 6);
    take(7, read.log_end);
    return read;
}

}  // namespace parity::driver
