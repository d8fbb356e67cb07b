#include "backend/values/text.h"

namespace parity::backend {

core::ByteView server_text_to_utf8(core::ByteView text) {
    int encoding = GetDatabaseEncoding();
    if (encoding == PG_UTF8 || encoding == PG_SQL_ASCII || text.empty()) return text;
    const char* start = reinterpret_cast<const char*>(text.data());
    char* converted = pg_server_to_any(start, static_cast<int>(text.size()), PG_UTF8);
    return converted == start ? text : core::as_bytes(converted);
}

const char* utf8_string(const char* text, std::size_t length) {
    core::ByteView utf8 = server_text_to_utf8(core::as_bytes({text, length}));
    return pnstrdup(reinterpret_cast<const char*>(utf8.data()), utf8.size());
}

core::ByteView without_trailing_blanks(core::ByteView text) {
    while (!text.empty() && text.back() == ' ') text = text.first(text.size() - 1);
    return text;
}

}  // namespace parity::backend
