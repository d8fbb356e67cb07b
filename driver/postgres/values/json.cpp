#include "driver/postgres/values/json.h"

#include <algorithm>
#include <array>
#include <limits>

#include "core/ascii.h"
#include "core/json_form.h"
#include "driver/model/error.h"
#include "driver/model/sqlstates.h"
#include "driver/postgres/values/counted.h"
#include "driver/postgres/values/decimal.h"

namespace parity::driver {
namespace {

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

[[noreturn]] void throw_syntax() {
    throw Error(ErrorKind::kServer, "invalid input syntax for type json", {}, {},
                std::string(kInvalidTextRepresentation));
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// By character: whether it stands for itself in a string.
constexpr std::array<bool, 256> kPlain = [] {
    std::array<bool, 256> plain{};
    for (std::size_t c = 0x20; c < plain.size(); ++c) plain[c] = c != '"' && c != '\\';
    return plain;
}();

std::uint8_t hex_value(char c) {
    if (const std::optional<std::uint8_t> value = core::hex_digit(c)) return *value;
    throw_syntax();
}

[[noreturn]] void throw_lone_surrogate() {
    throw Error(ErrorKind::kServer, "half of a Unicode surrogate pair in a json text cannot be read as a character", {},
                {}, std::string(kInvalidTextRepresentation));
}

}  // namespace

void JsonReader::append(std::string_view text, core::ByteSink& sink) {
    text_ = text;
    at_ = 0;
    sink_ = &sink;
    in_order_ = true;
    start_ = sink.size;
    open_.clear();
    pending_.clear();
    members_.clear();
    objects_.clear();
    read_document();
    if (!in_order_) copy_in_order();
}

void JsonReader::read_document() {
    bool complete = begin_value();
    while (!complete || !open_.empty()) complete = complete ? continue_container() : begin_value();
    skip_blanks();
    if (at_ != text_.size()) throw_syntax();
}

/// Reads a scalar, an empty container or a container's opening; false where a value must follow.
bool JsonReader::begin_value() {
    skip_blanks();
    if (at_ == text_.size()) throw_syntax();
    switch (text_[at_]) {
        case '{':
            return begin_container(true);
        case '[':
            return begin_container(false);
        case '"':
            ++at_;
            sink_->append_u8(core::kJsonString);
            read_string();
            return true;
        case 'n':
            read_literal("null", core::kJsonNull);
            return true;
        case 't':
            read_literal("true", core::kJsonTrue);
            return true;
        case 'f':
            read_literal("false", core::kJsonFalse);
            return true;
        default:
            read_number();
            return true;
    }
}

bool JsonReader::begin_container(bool is_object) {
    ++at_;
    OpenContainer open{is_object, 0, 0, objects_.size(), pending_.size()};
    sink_->append_u8(is_object ? core::kJsonObject : core::kJsonArray);
    open.count_at = begin_counted(*sink_);
    if (is_object) objects_.push_back({sink_->size, 0, 0, 0, 0});
    open_.push_back(open);
    skip_blanks();
    if (take(is_object ? '}' : ']')) {
        close_container();
        return true;
    }
    if (is_object) read_key();
    return false;
}

/// Reads what stands behind a value of the innermost container; true where that was its end.
bool JsonReader::continue_container() {
    OpenContainer& open = open_.back();
    ++open.count;
    if (open.is_object) {
        require_memory(*sink_);
        pending_.back().end = sink_->size;
    }
    skip_blanks();
    if (take(open.is_object ? '}' : ']')) {
        close_container();
        return true;
    }
    if (!take(',')) throw_syntax();
    if (open.is_object) read_key();
    return false;
}

void JsonReader::close_container() {
    require_memory(*sink_);
    const OpenContainer open = open_.back();
    open_.pop_back();
    std::uint32_t count = open.count;
    if (open.is_object) {
        sort_members(open);
        Object& object = objects_[open.object];
        object.end = sink_->size;
        object.next = objects_.size();
        count = static_cast<std::uint32_t>(object.members);
    }
    core::store_le(sink_->data + open.count_at - sizeof count, count);
}

/// Moves an object's members from pending_ to members_, in the order of their keys and without those that a later one
/// with the same key replaces.
void JsonReader::sort_members(const OpenContainer& open) {
    const auto first = pending_.begin() + static_cast<std::ptrdiff_t>(open.pending);
    const auto ascending = [this](const Member& a, const Member& b) { return key_of(a) < key_of(b); };
    const auto out_of_order =
        std::adjacent_find(first, pending_.end(), [&](const Member& a, const Member& b) { return !ascending(a, b); });
    if (out_of_order != pending_.end()) {
        in_order_ = false;
        std::sort(first, pending_.end(), [this](const Member& a, const Member& b) {
            const int order = key_of(a).compare(key_of(b));
            return order != 0 ? order < 0 : a.start < b.start;
        });
    }
    Object& object = objects_[open.object];
    object.first_member = members_.size();
    for (auto member = first; member != pending_.end(); ++member) {
        const auto following = member + 1;
        if (following == pending_.end() || ascending(*member, *following)) members_.push_back(*member);
    }
    object.members = members_.size() - object.first_member;
    pending_.erase(first, pending_.end());
}

void JsonReader::read_key() {
    skip_blanks();
    if (!take('"')) throw_syntax();
    pending_.push_back({sink_->size, 0, objects_.size()});
    read_string();
    skip_blanks();
    if (!take(':')) throw_syntax();
}

std::string_view JsonReader::key_of(const Member& member) const {
    const std::uint8_t* key = sink_->data + member.start;
    return core::as_text({key + sizeof(std::uint32_t), core::load_le<std::uint32_t>(key)});
}

void JsonReader::read_literal(std::string_view word, std::uint8_t code) {
    if (!text_.substr(at_).starts_with(word)) throw_syntax();
    at_ += word.size();
    sink_->append_u8(code);
}

void JsonReader::read_number() {
    const std::size_t start = at_;
    const auto digits = [this] {
        if (at_ == text_.size() || !core::is_digit(text_[at_])) throw_syntax();
        while (at_ < text_.size() && core::is_digit(text_[at_])) ++at_;
    };
    take('-');
    if (!take('0')) digits();
    if (take('.')) digits();
    if (take('e') || take('E')) {
        if (!take('+')) take('-');
        digits();
    }
    sink_->append_u8(core::kJsonNumber);
    const std::size_t counted = begin_counted(*sink_);
    append_decimal_text(*sink_, text_.substr(start, at_ - start));
    end_counted(*sink_, counted);
}

/// The characters from here on that stand for themselves.
std::string_view JsonReader::take_plain() {
    const char* const start = text_.data() + at_;
    const char* const end = text_.data() + text_.size();
    const char* at = start;
    while (at != end && kPlain[static_cast<unsigned char>(*at)]) ++at;
    const std::string_view plain(start, static_cast<std::size_t>(at - start));
    at_ += plain.size();
    return plain;
}

/// The rest of a string behind its opening quote, as its length and bytes.
void JsonReader::read_string() {
    std::string_view plain = take_plain();
    if (take('"')) return append_counted(*sink_, plain);
    const std::size_t counted = begin_counted(*sink_);
    std::uint32_t high_surrogate = 0;
    for (;; plain = take_plain()) {
        if (!plain.empty() && high_surrogate != 0) throw_lone_surrogate();
        sink_->append(plain);
        if (take('"')) break;
        if (!take('\\')) throw_syntax();
        read_escape(high_surrogate);
    }
    if (high_surrogate != 0) throw_lone_surrogate();
    end_counted(*sink_, counted);
}

void JsonReader::read_escape(std::uint32_t& high_surrogate) {
    static constexpr std::string_view kEscapes = "\"\\/bfnrt";
    static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (take('u')) return read_unicode_escape(high_surrogate);
    const std::size_t known = at_ < text_.size() ? kEscapes.find(text_[at_]) : std::string_view::npos;
    if (known == std::string_view::npos) throw_syntax();
    if (high_surrogate != 0) throw_lone_surrogate();
    ++at_;
    sink_->append(kMeanings.substr(known, 1));
}

void JsonReader::read_unicode_escape(std::uint32_t& high_surrogate) {
    if (text_.size() - at_ < 4) throw_syntax();
    std::uint32_t unit = 0;
    for (int i = 0; i < 4; ++i) unit = unit << 4 | hex_value(text_[at_++]);
    const bool high = unit >= 0xD800 && unit <= 0xDBFF;
    const bool low = unit >= 0xDC00 && unit <= 0xDFFF;
    if (low != (high_surrogate != 0)) throw_lone_surrogate();
    if (high) {
        high_surrogate = unit;
    } else if (low) {
        append_character(0x10000 + ((high_surrogate & 0x3FF) << 10) + (unit & 0x3FF));
        high_surrogate = 0;
    } else if (unit == 0) {
        throw Error(ErrorKind::kServer, "\\u0000 in a json text cannot be converted to text", {}, {},
                    std::string(kUntranslatableCharacter));
    } else {
        append_character(unit);
    }
}

void JsonReader::append_character(std::uint32_t code_point) {
    const auto continuation = [code_point](int shift) {
        return static_cast<std::uint8_t>(0x80 | (code_point >> shift & 0x3F));
    };
    if (code_point < 0x80) return sink_->append_u8(static_cast<std::uint8_t>(code_point));
    if (code_point < 0x800) {
        sink_->append_u8(static_cast<std::uint8_t>(0xC0 | code_point >> 6));
    } else if (code_point < 0x10000) {
        sink_->append_u8(static_cast<std::uint8_t>(0xE0 | code_point >> 12));
        sink_->append_u8(continuation(6));
    } else {
        sink_->append_u8(static_cast<std::uint8_t>(0xF0 | code_point >> 18));
        sink_->append_u8(continuation(12));
        sink_->append_u8(continuation(6));
    }
    sink_->append_u8(continuation(0));
}

/// Writes the document again, each object's members in members_'s order. An object is reordered only once all is
/// written, because doing it when it is closed would move its bytes once for each object around it.
void JsonReader::copy_in_order() {
    written_.assign(core::as_text(sink_->view().subspan(start_)));
    const auto copy = [this](std::size_t from, std::size_t to) {
        sink_->append(std::string_view(written_).substr(from - start_, to - from));
    };
    spans_.assign(1, {start_, sink_->size, 0, kNone, 0});
    sink_->size = start_;
    while (!spans_.empty()) {
        CopySpan& span = spans_.back();
        if (span.object == kNone) {
            if (span.next_object < objects_.size() && objects_[span.next_object].start < span.end) {
                copy(span.at, objects_[span.next_object].start);
                span.object = span.next_object;
                span.member = 0;
            } else {
                copy(span.at, span.end);
                spans_.pop_back();
            }
            continue;
        }
        const Object& object = objects_[span.object];
        if (span.member < object.members) {
            const Member& member = members_[object.first_member + span.member++];
            spans_.push_back({member.start, member.end, member.first_object, kNone, 0});
        } else {
            span.at = object.end;
            span.next_object = object.next;
            span.object = kNone;
        }
    }
}

std::size_t JsonReader::capacity() const {
    return open_.capacity() * sizeof(OpenContainer) + (pending_.capacity() + members_.capacity()) * sizeof(Member) +
           objects_.capacity() * sizeof(Object) + spans_.capacity() * sizeof(CopySpan) + written_.capacity();
}

void JsonReader::skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
}

bool JsonReader::take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
}

}  // namespace parity::driver
