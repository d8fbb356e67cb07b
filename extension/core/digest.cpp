#include "core/digest.h"

#include <array>
#include <charconv>

#include "core/ascii.h"

namespace parity::core {
namespace {

bool is_width(std::uint8_t width) noexcept { return width == 64 || width == 128; }

bool is_valid(const Digest& digest) noexcept {
    if (digest.version != kFormatVersion || digest.revision == 0 || !is_width(digest.width)) return false;
    if (digest.width == 64 && digest.sum_high != 0) return false;
    return form_by_code(static_cast<std::uint8_t>(digest.form)).has_value();
}

/// Writes into a fixed buffer that is known to be large enough.
class TextWriter {
  public:
    explicit TextWriter(std::span<char> to) noexcept : to_(to) {}
    void text(std::string_view text) noexcept {
        for (char c : text) to_[length_++] = c;
    }
    void number(u64 value) noexcept {
        std::array<char, 20> digits;
        std::size_t at = digits.size();
        do digits[--at] = static_cast<char>('0' + value % 10);
        while (value /= 10);
        text({&digits[at], digits.size() - at});
    }
    void hex(u64 value, int digits) noexcept {
        for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) to_[length_++] = kHexDigits[value >> shift & 15];
    }
    std::size_t length() const noexcept { return length_; }

  private:
    std::span<char> to_;
    std::size_t length_ = 0;
};

/// Takes fields off the front of a text form.
class FieldReader {
  public:
    explicit FieldReader(std::string_view text) noexcept : rest_(text) {}
    std::string_view field() noexcept {
        std::size_t length = rest_.find(':');
        at_end_ = length == std::string_view::npos;
        std::string_view taken(rest_.data(), at_end_ ? rest_.size() : length);
        rest_.remove_prefix(at_end_ ? rest_.size() : length + 1);
        return taken;
    }
    bool at_end() const noexcept { return at_end_; }

  private:
    std::string_view rest_;
    bool at_end_ = false;
};

/// Reads a whole field as a number without sign; false where it is none or does not fit.
template <typename T>
bool read_number(std::string_view field, T& value, int base = 10) noexcept {
    if (field.empty()) return false;
    u64 wide = 0;
    auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), wide, base);
    value = static_cast<T>(wide);
    return error == std::errc{} && end == field.data() + field.size() && value == wide;
}

bool read_sum(std::string_view field, Digest& digest) noexcept {
    if (!is_width(digest.width) || field.size() != digest.width / 4U) return false;
    std::string_view high(field.data(), field.size() - 16);
    field.remove_prefix(high.size());
    digest.sum_high = 0;
    return (high.empty() || read_number(high, digest.sum_high, 16)) && read_number(field, digest.sum_low, 16);
}

void append_form_list(ByteSink& sink, std::span<const std::string_view> forms) noexcept {
    for (std::size_t i = 0; i < forms.size(); ++i) {
        if (i > 0) sink.append_u8(',');
        sink.append(forms[i]);
    }
}

}  // namespace

std::string_view describe(DigestStatus status) noexcept {
    switch (status) {
        case DigestStatus::kOk:
            return "the digests agree in kind";
        case DigestStatus::kOtherVersion:
            return "the format versions differ";
        case DigestStatus::kOtherWidth:
            return "the widths differ";
        case DigestStatus::kOtherForm:
            return "the forms differ";
        case DigestStatus::kOtherRevision:
            return "the revisions of the form differ";
        case DigestStatus::kOtherTag:
            return "the seeds or the forms of the key or the row differ";
        case DigestStatus::kCountBelowZero:
            return "the second digest covers more rows than the first";
        case DigestStatus::kCountTooLarge:
            return "together they cover too many rows";
    }
    return "unknown";
}

DigestStatus check_compatible(const Digest& a, const Digest& b) noexcept {
    if (a.version != b.version) return DigestStatus::kOtherVersion;
    if (a.width != b.width) return DigestStatus::kOtherWidth;
    if (a.form != b.form) return DigestStatus::kOtherForm;
    if (a.revision != b.revision) return DigestStatus::kOtherRevision;
    if (a.tag != b.tag) return DigestStatus::kOtherTag;
    return DigestStatus::kOk;
}

DigestStatus add(Digest& a, const Digest& b) noexcept {
    if (DigestStatus status = check_compatible(a, b); status != DigestStatus::kOk) return status;
    if (a.count + b.count < a.count) return DigestStatus::kCountTooLarge;
    u128 sum = join_halves(a.sum_low, a.sum_high) + join_halves(b.sum_low, b.sum_high);
    a.count += b.count;
    a.sum_low = low_half(sum);
    a.sum_high = a.width == 128 ? high_half(sum) : 0;
    return DigestStatus::kOk;
}

DigestStatus subtract(Digest& a, const Digest& b) noexcept {
    if (DigestStatus status = check_compatible(a, b); status != DigestStatus::kOk) return status;
    if (a.count < b.count) return DigestStatus::kCountBelowZero;
    u128 difference = join_halves(a.sum_low, a.sum_high) - join_halves(b.sum_low, b.sum_high);
    a.count -= b.count;
    a.sum_low = low_half(difference);
    a.sum_high = a.width == 128 ? high_half(difference) : 0;
    return DigestStatus::kOk;
}

bool same_content(const Digest& a, const Digest& b) noexcept {
    return a.count == b.count && a.sum_low == b.sum_low && a.sum_high == b.sum_high;
}

std::size_t write_digest_text(const Digest& digest, std::span<char, kMaxDigestText> to) noexcept {
    TextWriter out(to);
    out.number(digest.version);
    out.text(":");
    out.number(digest.width);
    out.text(":");
    out.text(form_name(digest.form));
    out.text(":");
    out.number(digest.revision);
    out.text(":");
    out.hex(digest.tag, 8);
    out.text(":");
    out.number(digest.count);
    out.text(":");
    if (digest.width == 128) out.hex(digest.sum_high, 16);
    out.hex(digest.sum_low, 16);
    return out.length();
}

std::optional<Digest> parse_digest_text(std::string_view text) noexcept {
    FieldReader fields(text);
    Digest digest{};
    if (!read_number(fields.field(), digest.version) || !read_number(fields.field(), digest.width)) return std::nullopt;
    std::optional<Form> form = form_by_name(fields.field());
    if (!form || !read_number(fields.field(), digest.revision)) return std::nullopt;
    digest.form = *form;
    std::string_view tag = fields.field();
    if (tag.size() != 8 || !read_number(tag, digest.tag, 16) || !read_number(fields.field(), digest.count))
        return std::nullopt;
    if (fields.at_end() || !read_sum(fields.field(), digest) || !fields.at_end() || !is_valid(digest))
        return std::nullopt;
    return digest;
}

void write_digest_wire(const Digest& digest, std::span<std::uint8_t, kDigestBytes> to) noexcept {
    to[0] = digest.version;
    to[1] = digest.width;
    to[2] = static_cast<std::uint8_t>(digest.form);
    to[3] = digest.revision;
    store_be(&to[4], digest.tag);
    store_be(&to[8], digest.count);
    store_be(&to[16], digest.sum_low);
    store_be(&to[24], digest.sum_high);
}

std::optional<Digest> parse_digest_wire(ByteView wire) noexcept {
    if (wire.size() != kDigestBytes) return std::nullopt;
    Digest digest{wire[0],
                  wire[1],
                  static_cast<Form>(wire[2]),
                  wire[3],
                  load_be<std::uint32_t>(&wire[4]),
                  load_be<u64>(&wire[8]),
                  load_be<u64>(&wire[16]),
                  load_be<u64>(&wire[24])};
    if (!is_valid(digest)) return std::nullopt;
    return digest;
}

std::uint32_t slice_tag(SliceKind kind, std::span<const std::string_view> key_forms,
                        std::span<const std::string_view> column_forms, std::string_view column, u64 seed,
                        ByteSink& scratch) noexcept {
    scratch.clear();
    append_form_list(scratch, key_forms);
    scratch.append_u8(';');
    switch (kind) {
        case SliceKind::kColumn:
            scratch.append(column);
            break;
        case SliceKind::kKey:
            scratch.append(key_forms.empty() ? std::string_view("key:") : std::string_view("key"));
            if (key_forms.empty()) append_form_list(scratch, column_forms);
            break;
        case SliceKind::kRow:
            scratch.append(std::string_view("row:"));
            append_form_list(scratch, column_forms);
            break;
    }
    return static_cast<std::uint32_t>(hash_bytes<u64>(scratch.view(), seed));
}

}  // namespace parity::core
