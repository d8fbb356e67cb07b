#include "driver/postgres/queries/quoting.h"

#include "core/bytes.h"

namespace parity::driver {
namespace {

std::string quote(std::string_view text, char mark) {
    std::string quoted(1, mark);
    for (char c : text) {
        if (c == mark) quoted += mark;
        quoted += c;
    }
    return quoted + mark;
}

void append_array_element(std::string& array, std::string_view element) {
    array += '"';
    for (char c : element) {
        if (c == '"' || c == '\\') array += '\\';
        array += c;
    }
    array += '"';
}

template <typename Elements, typename Append>
std::string build_array(const Elements& elements, Append append) {
    std::string array = "{";
    for (const auto& element : elements) {
        if (array.size() > 1) array += ',';
        append(array, element);
    }
    return array + "}";
}

// Types of elements, see pg_type.dat: they never change.
constexpr std::int32_t kByteaType = 17;
constexpr std::int32_t kIntegerType = 23;

void append_be(std::string& to, std::int32_t number) {
    std::uint8_t bytes[sizeof number];
    core::store_be(bytes, number);
    to.append(reinterpret_cast<const char*>(bytes), sizeof number);
}

/// An array in PostgreSQL's binary form; `append` writes an element behind its length.
template <typename Elements, typename Append>
Parameter binary_array(std::int32_t type, const Elements& elements, Append append) {
    std::string array;
    append_be(array, elements.empty() ? 0 : 1);  // dimensions
    append_be(array, 0);                         // no NULLs
    append_be(array, type);
    if (!elements.empty()) {
        append_be(array, static_cast<std::int32_t>(elements.size()));
        append_be(array, 1);  // lower bound
    }
    for (const auto& element : elements) append(array, element);
    return Parameter::binary(std::move(array));
}

}  // namespace

std::string quote_identifier(std::string_view name) { return quote(name, '"'); }

std::string quote_identifier(const QualifiedName& name) {
    return quote_identifier(name.schema) + "." + quote_identifier(name.name);
}

std::string quote_literal(std::string_view text) {
    if (text.find('\\') == std::string_view::npos) return quote(text, '\'');
    std::string escaped = "E'";
    for (char c : text) {
        if (c == '\'' || c == '\\') escaped += c;
        escaped += c;
    }
    return escaped + "'";
}

std::string array_literal(const std::vector<std::string>& elements) {
    return build_array(elements, append_array_element);
}

std::string array_literal(const std::vector<std::optional<std::string>>& elements) {
    return build_array(elements, [](std::string& array, const std::optional<std::string>& element) {
        if (element) {
            append_array_element(array, *element);
        } else {
            array += "NULL";
        }
    });
}

std::string array_literal(const std::vector<std::uint32_t>& elements) {
    return build_array(elements, [](std::string& array, std::uint32_t element) { array += std::to_string(element); });
}

Parameter bytea_array(const std::vector<std::string>& elements) {
    return binary_array(kByteaType, elements, [](std::string& array, const std::string& element) {
        append_be(array, static_cast<std::int32_t>(element.size()));
        array += element;
    });
}

Parameter integer_array(const std::vector<std::int32_t>& elements) {
    return binary_array(kIntegerType, elements, [](std::string& array, std::int32_t element) {
        append_be(array, sizeof element);
        append_be(array, element);
    });
}

}  // namespace parity::driver
