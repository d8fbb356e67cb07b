#include "backend/values/double_text.h"

extern "C" {
#include "common/shortest_dec.h"
}

namespace parity::backend {

void write_double(core::ByteSink& sink, double value) {
    if (isnan(value)) return sink.append(std::string_view("NaN"));
    if (isinf(value)) return sink.append(std::string_view(value < 0 ? "-Infinity" : "Infinity"));
    char text[DOUBLE_SHORTEST_DECIMAL_LEN];
    int length = double_to_shortest_decimal_bufn(value, text);
    sink.append(std::string_view(text, static_cast<std::size_t>(length)));
}

}  // namespace parity::backend
