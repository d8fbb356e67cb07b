#include "driver/postgres/values/nested.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "core/ascii.h"
#include "core/order.h"
#include "driver/postgres/values/counted.h"
#include "driver/postgres/values/cursor.h"
#include "driver/postgres/values/scratch.h"

namespace parity::driver {
namespace {

/// The flags on the wire have the form's values; they have others besides, which say nothing about the value.
constexpr std::uint8_t kRangeEmpty = 1;
constexpr std::uint8_t kLowerInfinite = 8;
constexpr std::uint8_t kUpperInfinite = 16;
constexpr std::uint8_t kRangeFlags = 31;

constexpr std::uint32_t kMaxDimensions = 6;

void append_framed(const AppendingDecoder& decoder, std::optional<std::string_view> value, WireScratch& scratch,
                   core::ByteSink& sink) {
    if (!value) return core::append_null_frame(sink);
    sink.append_u8(core::kFrameValue);
    if (core::fixed_width(decoder.form()) != 0) return decoder.append(*value, scratch, sink);
    const std::size_t start = begin_counted(sink);
    decoder.append(*value, scratch, sink);
    end_counted(sink, start);
}

/// A reader of values that are made of one other type's.
class OuterDecoder : public AppendingDecoder {
  public:
    std::string asked_name() const override { return before_ + inner_->asked_name() + behind_; }
    void add_needed_names(std::vector<std::string>& catalogs) const override { inner_->add_needed_names(catalogs); }

  protected:
    /// The form is named as the inner one with `before` and `behind` around it.
    OuterDecoder(core::Form form, std::string_view before, std::string_view behind, std::string cast,
                 const DecoderPtr& inner)
        : AppendingDecoder(form, std::string(before) + inner->form_name() + std::string(behind), inner->lossy(),
                           std::move(cast)),
          before_(before),
          behind_(behind),
          inner_(inner) {}
    const AppendingDecoder& inner() const { return *inner_; }

  private:
    std::string before_;
    std::string behind_;
    DecoderPtr inner_;
};

class ArrayDecoder final : public OuterDecoder {
  public:
    explicit ArrayDecoder(const DecoderPtr& element)
        : OuterDecoder(core::array_of(element->form()), "", "[]", element->cast().empty() ? "" : element->cast() + "[]",
                       element) {}

    void append(std::string_view wire, WireScratch& scratch, core::ByteSink& sink) const override {
        WireCursor cursor(wire, "an array");
        const auto dimensions = cursor.integer<std::uint32_t>();
        cursor.take(8);  // whether there are NULLs, the element type
        if (dimensions > kMaxDimensions) cursor.fail();
        struct Dimension {
            std::int32_t length;
            std::int32_t lower_bound;
        };
        std::array<Dimension, kMaxDimensions> shape{};
        for (std::uint32_t i = 0; i < dimensions; ++i) {
            shape[i].length = cursor.integer<std::int32_t>();
            shape[i].lower_bound = cursor.integer<std::int32_t>();
        }
        std::size_t count = dimensions == 0 ? 0 : 1;
        for (std::uint32_t i = 0; i < dimensions; ++i) {
            if (shape[i].length < 0) cursor.fail();
            count *= static_cast<std::size_t>(shape[i].length);
            if (count > cursor.left() / sizeof(std::int32_t)) cursor.fail();
        }
        // an empty int2vector comes with one dimension, of length 0
        core::append_le(sink, count == 0 ? 0 : dimensions);
        for (std::uint32_t i = 0; count > 0 && i < dimensions; ++i) {
            core::append_le(sink, static_cast<std::uint32_t>(shape[i].length));
            core::append_le(sink, shape[i].lower_bound);
        }
        for (std::size_t i = 0; i < count; ++i) append_framed(inner(), cursor.value(), scratch, sink);
        cursor.finish();
    }
};

void append_range(const AppendingDecoder& subtype, std::string_view wire, WireScratch& scratch, core::ByteSink& sink) {
    WireCursor cursor(wire, "a range");
    auto flags = static_cast<std::uint8_t>(cursor.integer<std::uint8_t>() & kRangeFlags);
    const bool empty = flags & kRangeEmpty;
    if (empty) flags = kRangeEmpty;
    sink.append_u8(flags);
    for (const std::uint8_t infinite : {kLowerInfinite, kUpperInfinite}) {
        std::optional<std::string_view> bound;
        if (!empty && !(flags & infinite)) {
            bound = cursor.value();
            if (!bound) cursor.fail();
        }
        append_framed(subtype, bound, scratch, sink);
    }
    cursor.finish();
}

class RangeDecoder final : public OuterDecoder {
  public:
    explicit RangeDecoder(const DecoderPtr& subtype) : OuterDecoder(core::Form::kRange, "range<", ">", {}, subtype) {}

    void append(std::string_view wire, WireScratch& scratch, core::ByteSink& sink) const override {
        append_range(inner(), wire, scratch, sink);
    }
};

class MultirangeDecoder final : public OuterDecoder {
  public:
    explicit MultirangeDecoder(const DecoderPtr& subtype)
        : OuterDecoder(core::Form::kMultirange, "multirange<", ">", {}, subtype) {}

    void append(std::string_view wire, WireScratch& scratch, core::ByteSink& sink) const override {
        WireCursor cursor(wire, "a multirange");
        const std::uint32_t count = cursor.count(sizeof(std::int32_t));
        core::append_le(sink, count);
        for (std::uint32_t i = 0; i < count; ++i) {
            const std::optional<std::string_view> range = cursor.value();
            if (!range) cursor.fail();
            const std::size_t start = begin_counted(sink);
            append_range(inner(), *range, scratch, sink);
            end_counted(sink, start);
        }
        cursor.finish();
    }
};

bool is_plain_name(std::string_view name) {
    return !name.empty() && std::all_of(name.begin(), name.end(),
                                        [](char c) { return (c >= 'a' && c <= 'z') || core::is_digit(c) || c == '_'; });
}

std::string quote_attribute(const std::string& name) {
    if (is_plain_name(name)) return name;
    std::string quoted = "\"";
    for (const char c : name) quoted.append(c == '"' ? 2 : 1, c);
    return quoted + "\"";
}

/// The attributes' numbers on the wire, in the order of the form.
std::vector<std::size_t> order_of(const std::vector<WireAttribute>& attributes) {
    std::vector<std::size_t> order(attributes.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return attributes[a].name < attributes[b].name; });
    return order;
}

std::string record_name(const std::vector<WireAttribute>& attributes) {
    std::string name;
    for (const std::size_t number : order_of(attributes)) {
        const WireAttribute& attribute = attributes[number];
        name += (name.empty() ? "" : ",") + quote_attribute(attribute.name) + ":" + attribute.decoder->form_name();
    }
    return "record<" + name + ">";
}

class RecordDecoder final : public AppendingDecoder {
  public:
    explicit RecordDecoder(std::vector<WireAttribute> attributes)
        : AppendingDecoder(core::Form::kRecord, record_name(attributes), false, {}),
          attributes_(std::move(attributes)),
          order_(order_of(attributes_)) {}

    void add_needed_names(std::vector<std::string>& catalogs) const override {
        for (const WireAttribute& attribute : attributes_) attribute.decoder->add_needed_names(catalogs);
    }

    void append(std::string_view wire, WireScratch& scratch, core::ByteSink& sink) const override {
        const std::size_t base = scratch.fields.size();
        take_fields(wire, scratch.fields);
        core::append_le(sink, static_cast<std::uint32_t>(attributes_.size()));
        for (const std::size_t number : order_) {
            append_counted(sink, attributes_[number].name);
            append_framed(*attributes_[number].decoder, scratch.fields[base + number], scratch, sink);
        }
        scratch.fields.resize(base);
    }

  private:
    /// A type that is not the attribute's means that the type was altered since it was read from the catalogs.
    void take_fields(std::string_view wire, std::vector<std::optional<std::string_view>>& fields) const {
        WireCursor cursor(wire, "a value of its composite type");
        if (cursor.integer<std::uint32_t>() != attributes_.size()) cursor.fail();
        for (const WireAttribute& attribute : attributes_) {
            if (cursor.integer<std::uint32_t>() != attribute.type) cursor.fail();
            fields.push_back(cursor.value());
        }
        cursor.finish();
    }

    std::vector<WireAttribute> attributes_;
    std::vector<std::size_t> order_;
};

}  // namespace

DecoderPtr array_decoder(const DecoderPtr& element) { return std::make_shared<ArrayDecoder>(element); }
DecoderPtr range_decoder(const DecoderPtr& subtype) { return std::make_shared<RangeDecoder>(subtype); }
DecoderPtr multirange_decoder(const DecoderPtr& subtype) { return std::make_shared<MultirangeDecoder>(subtype); }
DecoderPtr record_decoder(std::vector<WireAttribute> attributes) {
    return std::make_shared<RecordDecoder>(std::move(attributes));
}

}  // namespace parity::driver
