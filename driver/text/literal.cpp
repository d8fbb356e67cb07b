#include "driver/text/literal.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "core/ascii.h"
#include "core/order.h"
#include "driver/model/error.h"
#include "driver/text/show.h"

namespace parity::driver {

using core::Form;

struct LiteralShape {
    Form form = Form::kNone;
    Notation::Kind kind = Notation::Kind::kByForm;
    int digits = 0;
    std::string point{};
    std::vector<LiteralShape> parts{};  ///< of a composite type in the order of the form
    std::vector<std::size_t> order{};   ///< of a composite type: the parts' positions in the order of the type
};

namespace {

using Shape = LiteralShape;

/// Reads the full name of a form, beside what the type adds.
class ShapeReader {
  public:
    explicit ShapeReader(std::string_view name) : name_(name), rest_(name) {}

    Shape read(const Notation& notation) {
        Shape shape = next(notation);
        if (!rest_.empty()) fail();
        return shape;
    }

  private:
    [[noreturn]] void fail() const {
        throw Error(ErrorKind::kInternal, fmt::format("\"{}\" is no name of a form", name_));
    }
    bool take(std::string_view text) {
        if (!rest_.starts_with(text)) return false;
        rest_.remove_prefix(text.size());
        return true;
    }
    void expect(std::string_view text) {
        if (!take(text)) fail();
    }
    char take_character() {
        const char first = rest_.front();
        rest_.remove_prefix(1);
        return first;
    }
    std::string_view word() {
        const auto* const end = std::find_if_not(
            rest_.begin(), rest_.end(), [](char c) { return (c >= 'a' && c <= 'z') || core::is_digit(c) || c == '_'; });
        const std::string_view found = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
        rest_.remove_prefix(found.size());
        return found;
    }
    /// An attribute's name, in double quotes where it is no plain one.
    std::string name() {
        if (!take("\"")) return std::string(word());
        std::string found;
        while (!rest_.empty()) {
            if (take("\"\""))
                found += '"';
            else if (take("\""))
                return found;
            else
                found += take_character();
        }
        fail();
    }

    static const Notation& part_of(const Notation& notation, std::size_t number) {
        static const Notation kNothing;
        return number < notation.parts.size() ? notation.parts[number] : kNothing;
    }

    /// What `notation` says is about the whole of an array.
    Shape next(const Notation& notation) {
        const std::string_view before = rest_;
        inside({});
        const bool is_array = take("[]");
        rest_ = before;
        Shape shape = inside(is_array ? part_of(notation, 0) : notation);
        if (!is_array) return shape;
        expect("[]");
        Shape array{.form = core::array_of(shape.form), .kind = notation.kind};
        array.parts.push_back(std::move(shape));
        return array;
    }
    Shape inside(const Notation& notation) {
        const std::string_view base = word();
        const std::optional<Form> form = core::form_by_name(base);
        if (!form) fail();
        Shape shape{.form = *form, .kind = notation.kind, .digits = notation.digits, .point = notation.point};
        if (!core::is_nested(*form)) return shape;
        expect("<");
        if (*form == Form::kRecord)
            read_attributes(shape, notation);
        else
            shape.parts.push_back(next(part_of(notation, 0)));
        expect(">");
        return shape;
    }

    void read_attributes(Shape& shape, const Notation& notation) {
        std::vector<std::pair<std::size_t, std::size_t>> positions;  // in the type, in the form
        while (!rest_.starts_with('>')) {
            if (!positions.empty()) expect(",");
            const std::string attribute = name();
            expect(":");
            const auto found = std::find(notation.names.begin(), notation.names.end(), attribute);
            const auto position = static_cast<std::size_t>(found - notation.names.begin());
            positions.emplace_back(position, positions.size());
            shape.parts.push_back(next(part_of(notation, position)));
        }
        std::sort(positions.begin(), positions.end());
        for (const auto& [in_type, in_form] : positions) shape.order.push_back(in_form);
    }

    const std::string_view name_;
    std::string_view rest_;
};

/// Bytes that are not of their form.
struct Malformed {};

/// Takes a canonical value apart.
class Bytes {
  public:
    explicit Bytes(core::ByteView bytes) : rest_(bytes) {}

    core::ByteView take(std::size_t length) {
        if (rest_.size() < length) throw Malformed();
        const core::ByteView taken = rest_.first(length);
        rest_ = rest_.subspan(length);
        return taken;
    }
    template <typename T>
    T number() {
        return core::load_le<T>(take(sizeof(T)).data());
    }
    /// A number of what takes at least `each` bytes.
    std::uint32_t count(std::size_t each) {
        const auto number_of_them = number<std::uint32_t>();
        if (number_of_them > rest_.size() / each) throw Malformed();
        return number_of_them;
    }
    core::ByteView counted() { return take(number<std::uint32_t>()); }
    double real() { return core::double_from_bits(number<std::uint64_t>()); }
    /// A framed value; nothing for NULL.
    std::optional<core::ByteView> framed(Form form) {
        if (number<std::uint8_t>() == core::kFrameNull) return std::nullopt;
        const std::uint32_t width = core::fixed_width(form);
        return width > 0 ? take(width) : counted();
    }
    bool at_end() const { return rest_.empty(); }
    void finish() const {
        if (!at_end()) throw Malformed();
    }

  private:
    core::ByteView rest_;
};

template <typename Real>
std::string shortest(Real value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
    std::array<char, 32> text;
    return std::string(text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr);
}

bool has_any(std::string_view text, std::string_view characters) {
    return text.find_first_of(characters) != std::string_view::npos;
}

constexpr std::string_view kWhiteSpace = " \t\n\r\v\f";

/// In double quotes, where what is in `escaped` is preceded by a backslash.
std::string with_backslashes(std::string_view text, char quote = '"') {
    std::string quoted(1, quote);
    for (char c : text) {
        if (c == quote || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + quote;
}

/// In quotes that are doubled inside, as backslashes are.
std::string doubled(std::string_view text, char quote) {
    std::string quoted(1, quote);
    for (char c : text) {
        if (c == quote || c == '\\') quoted += c;
        quoted += c;
    }
    return quoted + quote;
}

bool is_null_word(std::string_view text) {
    return text.size() == 4 && (text[0] | 0x20) == 'n' && (text[1] | 0x20) == 'u' && (text[2] | 0x20) == 'l' &&
           (text[3] | 0x20) == 'l';
}

/// As array_out, range_out and record_out quote.
std::string array_element(const std::string& text) {
    return text.empty() || is_null_word(text) || has_any(text, "\"\\{},;") || has_any(text, kWhiteSpace)
               ? with_backslashes(text)
               : text;
}
std::string range_bound(const std::string& text) {
    return text.empty() || has_any(text, "\"\\()[],") || has_any(text, kWhiteSpace) ? doubled(text, '"') : text;
}
std::string attribute_text(const std::string& text) {
    return text.empty() || has_any(text, "\"\\(),") || has_any(text, kWhiteSpace) ? doubled(text, '"') : text;
}

std::string points(Bytes& bytes, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        const std::string x = shortest(bytes.real());
        text += fmt::format("{}({},{})", i > 0 ? "," : "", x, shortest(bytes.real()));
    }
    return text;
}

std::string path_text(Bytes& bytes) {
    const bool closed = bytes.number<std::uint8_t>() != 0;
    const std::string all = points(bytes, bytes.count(16));
    return closed ? "(" + all + ")" : "[" + all + "]";
}

std::string line_text(Bytes& bytes) {
    const std::string a = shortest(bytes.real()), b = shortest(bytes.real());
    return fmt::format("{{{},{},{}}}", a, b, shortest(bytes.real()));
}

std::string circle_text(Bytes& bytes) {
    const std::string centre = points(bytes, 1);
    return fmt::format("<{},{}>", centre, shortest(bytes.real()));
}

std::string snapshot_text(Bytes& bytes) {
    const auto xmin = bytes.number<std::uint64_t>(), xmax = bytes.number<std::uint64_t>();
    std::string text = fmt::format("{}:{}:", xmin, xmax);
    for (std::uint32_t left = bytes.count(8), i = 0; i < left; ++i)
        text += fmt::format("{}{}", i > 0 ? "," : "", bytes.number<std::uint64_t>());
    return text;
}

std::string tid_text(Bytes& bytes) {
    const auto block = bytes.number<std::uint32_t>();
    return fmt::format("({},{})", block, bytes.number<std::uint16_t>());
}

std::string bits_text(Bytes& bytes) {
    const auto count = bytes.number<std::uint32_t>();
    const core::ByteView bits = bytes.take((std::size_t{count} + 7) / 8);
    std::string text;
    for (std::uint32_t i = 0; i < count; ++i) text += bits[i / 8] >> (7 - i % 8) & 1 ? '1' : '0';
    return text;
}

std::string hstore_text(Bytes& bytes) {
    std::string text;
    for (std::uint32_t left = bytes.count(5); left > 0; --left) {
        if (!text.empty()) text += ", ";
        text += with_backslashes(core::as_text(bytes.counted())) + "=>";
        const std::optional<core::ByteView> value = bytes.framed(Form::kText);
        text += value ? with_backslashes(core::as_text(*value)) : "NULL";
    }
    return text;
}

std::string tsvector_text(Bytes& bytes) {
    constexpr std::string_view kWeights = "DCBA";
    std::string text;
    for (std::uint32_t left = bytes.count(8); left > 0; --left) {
        if (!text.empty()) text += ' ';
        text += doubled(core::as_text(bytes.counted()), '\'');
        const std::uint32_t positions = bytes.count(2);
        for (std::uint32_t i = 0; i < positions; ++i) {
            const auto position = bytes.number<std::uint16_t>();
            text += fmt::format("{}{}", i > 0 ? ',' : ':', position & 0x3FFF);
            if (const unsigned weight = position >> 14; weight > 0) text += kWeights[weight];
        }
    }
    return text;
}

std::string tsquery_lexeme(Bytes& bytes) {
    const auto weights = bytes.number<std::uint8_t>();
    const bool is_prefix = bytes.number<std::uint8_t>() != 0;
    std::string text = doubled(core::as_text(bytes.counted()), '\'');
    if (is_prefix || weights != 0) text += is_prefix ? ":*" : ":";
    for (int weight = 3; weight >= 0; --weight)
        if (weights >> weight & 1) text += "DCBA"[weight];
    return text;
}

/// Every operand that is no lexeme stands in parentheses, so that the tree does not depend on precedences.
std::string tsquery_text(Bytes& bytes, int depth = 0) {
    constexpr int kMaxDepth = 10000;
    if (depth > kMaxDepth) throw Malformed();
    if (depth == 0 && bytes.at_end()) return {};
    const auto kind = static_cast<char>(bytes.number<std::uint8_t>());
    if (kind == 'v') return tsquery_lexeme(bytes);
    const auto operand = [&] {
        Bytes ahead = bytes;
        const bool is_lexeme = ahead.number<std::uint8_t>() == 'v';
        const std::string text = tsquery_text(bytes, depth + 1);
        return is_lexeme ? text : "( " + text + " )";
    };
    if (kind == '!') return "!" + operand();
    std::string operation(1, kind);
    if (kind == '<') operation = fmt::format("<{}>", bytes.number<std::uint16_t>());
    if (kind != '<' && kind != '&' && kind != '|') throw Malformed();
    const std::string left = operand();
    return fmt::format("{} {} {}", left, operation, operand());
}

std::string lsn_text(Bytes& bytes) {
    const auto position = bytes.number<std::uint64_t>();
    return fmt::format("{:X}/{:X}", position >> 32, position & 0xFFFFFFFF);
}

/// A byte as charout of PostgreSQL 16 prints it; none of older ones can read one of more than 7 bits.
std::string char_text(Bytes& bytes) {
    const auto byte = bytes.number<std::uint8_t>();
    if (byte == 0) return {};
    return byte < 0x80 ? std::string(1, static_cast<char>(byte)) : fmt::format("\\{:03o}", byte);
}

/// What is written whatever the type is; nothing where another way is the form's.
std::optional<std::string> composed_text(Form form, Bytes& bytes) {
    switch (form) {
        case Form::kPoint:
            return points(bytes, 1);
        case Form::kBox:
            return points(bytes, 2);
        case Form::kLseg:
            return "[" + points(bytes, 2) + "]";
        case Form::kLine:
            return line_text(bytes);
        case Form::kCircle:
            return circle_text(bytes);
        case Form::kPath:
            return path_text(bytes);
        case Form::kPolygon:
            return "(" + points(bytes, bytes.count(16)) + ")";
        case Form::kBits:
            return bits_text(bytes);
        case Form::kTid:
            return tid_text(bytes);
        case Form::kSnapshot:
            return snapshot_text(bytes);
        case Form::kHstore:
            return hstore_text(bytes);
        case Form::kTsvector:
            return tsvector_text(bytes);
        case Form::kTsquery:
            return tsquery_text(bytes);
        default:
            return std::nullopt;
    }
}

/// Writes one value.
class Writing {
  public:
    /// Throws: Malformed.
    static std::string text(const Shape& shape, core::ByteView canonical) {
        if (core::is_array(shape.form)) return array_text(shape, canonical);
        Bytes bytes(canonical);
        std::string text = inside(shape, canonical, bytes);
        bytes.finish();
        return text;
    }

  private:
    static std::string inside(const Shape& shape, core::ByteView canonical, Bytes& bytes) {
        if (shape.form == Form::kRange) return range_text(shape, bytes);
        if (shape.form == Form::kMultirange) return multirange_text(shape, bytes);
        if (shape.form == Form::kRecord) return record_text(shape, bytes);
        if (shape.kind == Notation::Kind::kChar && shape.form == Form::kBytes) return char_text(bytes);
        if (shape.kind == Notation::Kind::kLsn && shape.form == Form::kUnsigned) return lsn_text(bytes);
        if (shape.kind == Notation::Kind::kReal && core::fixed_width(shape.form) == sizeof(double))
            return shortest(static_cast<float>(bytes.real()));
        if (std::optional<std::string> text = composed_text(shape.form, bytes)) return *text;
        bytes.take(canonical.size());
        if (!core::is_canonical(shape.form, canonical)) throw Malformed();
        std::string text = render_canonical(shape.form, canonical);
        if (shape.kind == Notation::Kind::kOperator && text == "-") return "0";
        return shape.kind == Notation::Kind::kMoney ? money_text(shape, std::move(text)) : text;
    }

    /// An amount in the smallest unit, or with a point.
    static std::string money_text(const Shape& shape, std::string text) {
        const auto digits = static_cast<std::size_t>(shape.digits);
        if (const std::size_t point = text.find('.'); point != std::string::npos)
            return text.replace(point, 1, shape.point);
        if (shape.form != Form::kMoney || digits == 0) return text;
        const std::size_t sign = text.starts_with('-') ? 1 : 0;
        if (text.size() - sign <= digits) text.insert(sign, digits + 1 - (text.size() - sign), '0');
        return text.insert(text.size() - digits, shape.point);
    }

    static std::string range_text(const Shape& shape, Bytes& bytes) {
        const auto flags = bytes.number<std::uint8_t>();
        const std::optional<core::ByteView> lower = bytes.framed(shape.parts[0].form);
        const std::optional<core::ByteView> upper = bytes.framed(shape.parts[0].form);
        if (flags & 1) return "empty";
        const auto bound = [&](const std::optional<core::ByteView>& value) {
            return value ? range_bound(text(shape.parts[0], *value)) : std::string();
        };
        return fmt::format("{}{},{}{}", flags & 2 ? '[' : '(', bound(lower), bound(upper), flags & 4 ? ']' : ')');
    }

    static std::string multirange_text(const Shape& shape, Bytes& bytes) {
        std::string all;
        for (std::uint32_t left = bytes.count(4); left > 0; --left) {
            Bytes range(bytes.counted());
            all += (all.empty() ? "" : ",") + range_text(shape, range);
            range.finish();
        }
        return "{" + all + "}";
    }

    static std::string record_text(const Shape& shape, Bytes& bytes) {
        std::vector<std::string> texts;
        if (bytes.number<std::uint32_t>() != shape.parts.size()) throw Malformed();
        for (const Shape& part : shape.parts) {
            bytes.counted();  // its name
            const std::optional<core::ByteView> value = bytes.framed(part.form);
            texts.push_back(value ? attribute_text(text(part, *value)) : std::string());
        }
        std::string all;
        for (std::size_t i = 0; i < shape.order.size(); ++i) all += (i > 0 ? "," : "") + texts[shape.order[i]];
        return "(" + all + ")";
    }

    // ---- arrays ----

    struct Dimension {
        std::uint32_t length;
        std::int32_t lower_bound;
    };

    static std::string array_text(const Shape& shape, core::ByteView canonical) {
        constexpr std::uint32_t kMaxDimensions = 6;
        Bytes bytes(canonical);
        const auto count = bytes.number<std::uint32_t>();
        if (count > kMaxDimensions) throw Malformed();
        std::vector<Dimension> dimensions(count);
        std::size_t elements = 1;
        for (Dimension& dimension : dimensions) {
            dimension.length = bytes.number<std::uint32_t>();
            dimension.lower_bound = bytes.number<std::int32_t>();
            elements *= dimension.length;
            if (elements == 0 || elements > canonical.size()) throw Malformed();
        }
        const bool is_vector = shape.kind == Notation::Kind::kVector;
        std::string text = dimensions.empty() && !is_vector ? "{}" : "";
        if (!is_vector) text += lower_bounds(dimensions);
        if (!dimensions.empty()) append_level(shape, dimensions, 0, bytes, text);
        bytes.finish();
        return text;
    }

    static std::string lower_bounds(const std::vector<Dimension>& dimensions) {
        if (std::all_of(dimensions.begin(), dimensions.end(), [](const Dimension& d) { return d.lower_bound == 1; }))
            return {};
        std::string text;
        for (const Dimension& dimension : dimensions)
            text += fmt::format("[{}:{}]", dimension.lower_bound,
                                std::int64_t{dimension.lower_bound} + dimension.length - 1);
        return text + "=";
    }

    static void append_level(const Shape& shape, const std::vector<Dimension>& dimensions, std::size_t depth,
                             Bytes& bytes, std::string& to) {
        const Shape& element = shape.parts[0];
        const bool is_vector = shape.kind == Notation::Kind::kVector;
        const char delimiter = is_vector ? ' ' : element.form == Form::kBox ? ';' : ',';
        if (!is_vector) to += '{';
        for (std::uint32_t i = 0; i < dimensions[depth].length; ++i) {
            if (i > 0) to += delimiter;
            if (depth + 1 < dimensions.size()) {
                append_level(shape, dimensions, depth + 1, bytes, to);
                continue;
            }
            const std::optional<core::ByteView> value = bytes.framed(element.form);
            to += value ? array_element(text(element, *value)) : "NULL";
        }
        if (!is_vector) to += '}';
    }
};

}  // namespace

LiteralWriter::LiteralWriter(std::string_view form, const Notation& notation)
    : shape_(std::make_unique<const LiteralShape>(ShapeReader(form).read(notation))) {}
LiteralWriter::~LiteralWriter() = default;
LiteralWriter::LiteralWriter(LiteralWriter&&) noexcept = default;
LiteralWriter& LiteralWriter::operator=(LiteralWriter&&) noexcept = default;

core::Form LiteralWriter::form() const { return shape_->form; }

std::string LiteralWriter::text(core::ByteView canonical) const {
    try {
        return Writing::text(*shape_, canonical);
    } catch (const Malformed&) {
        std::string text = "\\x";
        for (std::uint8_t byte : canonical) text += fmt::format("{:02x}", byte);
        return text;
    }
}

KeyWriter::KeyWriter(const std::vector<ColumnPlan>& columns) {
    for (const ColumnPlan& column : columns) columns_.emplace_back(column.form, column.notation);
}

std::vector<std::optional<std::string>> KeyWriter::values(std::string_view framed) const {
    std::vector<std::optional<std::string>> values = leading_values(framed);
    if (values.size() != columns_.size()) throw Error(ErrorKind::kInternal, "a server sent a key that is malformed");
    return values;
}

std::vector<std::optional<std::string>> KeyWriter::leading_values(std::string_view framed) const {
    std::vector<std::optional<std::string>> values;
    values.reserve(columns_.size());
    core::FrameReader reader(core::as_bytes(framed));
    for (const LiteralWriter& column : columns_) {
        if (reader.at_end()) break;
        const auto value = reader.next(column.form());
        if (!value) throw Error(ErrorKind::kInternal, "a server sent a key that is malformed");
        values.push_back(value->null ? std::nullopt : std::optional(column.text(value->bytes)));
    }
    if (!reader.at_end()) throw Error(ErrorKind::kInternal, "a server sent a key that is malformed");
    return values;
}

}  // namespace parity::driver
