#include "backend/task/spec.h"

#include <bit>

#include "backend/memory.h"

namespace parity::backend {
namespace {

/// Guards against values that are no packed spec: the aggregate that takes one can be called by anybody.
constexpr std::uint32_t kMagic = 0x50475032;

struct Header {
    std::uint32_t magic;
    std::uint16_t wide;
    std::uint16_t totals_only;
    std::uint32_t buckets;
    std::uint32_t kept_buckets;
    core::u64 seed;
    std::uint32_t key_forms;
    std::uint32_t column_forms;
    std::uint32_t bounds;
    std::uint32_t kept;
};

[[noreturn]] void raise_malformed() {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("malformed digest specification")));
    pg_unreachable();
}

void append_counted(core::ByteSink& sink, core::ByteView bytes) {
    core::append_le(sink, static_cast<std::uint32_t>(bytes.size()));
    sink.append(bytes);
}

class SpecReader {
  public:
    explicit SpecReader(core::ByteView rest) : rest_(rest) {}

    core::ByteView take(std::size_t length) {
        if (rest_.size() < length) raise_malformed();
        core::ByteView taken = rest_.first(length);
        rest_ = rest_.subspan(length);
        return taken;
    }
    core::ByteView take_counted() { return take(core::load_le<std::uint32_t>(take(sizeof(std::uint32_t)).data())); }

    /// Reads the full names of forms and finds their codes.
    void take_forms(std::size_t count, MemoryContext context, std::span<const core::Form>* forms,
                    std::span<const std::string_view>* names) {
        auto* codes = allocate_array<core::Form>(context, count + 1);
        auto* texts = allocate_array<std::string_view>(context, count + 1);
        for (std::size_t i = 0; i < count; ++i) {
            texts[i] = core::as_text(take_counted());
            std::optional<core::Form> form = core::form_by_name(texts[i]);
            if (!form) raise_malformed();
            codes[i] = *form;
        }
        *forms = {codes, count};
        *names = {texts, count};
    }
    std::span<const InputSpec> take_inputs(std::size_t count, MemoryContext context) {
        auto* inputs = allocate_array<InputSpec>(context, count + 1);
        for (std::size_t i = 0; i < count; ++i) {
            inputs[i].form = core::as_text(take_counted());
            inputs[i].label = core::as_text(take_counted());
        }
        return {inputs, count};
    }
    std::span<const core::u64> take_flags(std::size_t count, MemoryContext context) {
        auto* flags = allocate_array<core::u64>(context, count + 1);
        memcpy(flags, take(count * sizeof(core::u64)).data(), count * sizeof(core::u64));
        return {flags, count};
    }
    bool at_end() const { return rest_.empty(); }

  private:
    core::ByteView rest_;
};

}  // namespace

bool is_bucket_count(std::uint32_t buckets) { return std::has_single_bit(buckets) && buckets <= kMaxBuckets; }

std::size_t packed_bytes(const DigestSpec& spec) {
    const auto counted = [](std::size_t length) { return sizeof(std::uint32_t) + length; };
    std::size_t bytes = VARHDRSZ + sizeof(Header) + spec.kept.size_bytes() + spec.kept_buckets.size_bytes();
    for (std::string_view name : spec.key_form_names) bytes += counted(name.size());
    for (std::string_view name : spec.column_form_names) bytes += counted(name.size());
    for (const InputSpec& input : spec.inputs) bytes += counted(input.form.size()) + counted(input.label.size());
    for (core::ByteView bound : spec.bounds) bytes += counted(bound.size());
    if (!AllocSizeIsValid(bytes))
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("the bounds take more than 1 GB"),
                        errhint("Use fewer ranges.")));
    return bytes;
}

void pack_spec(const DigestSpec& spec, void* to, std::size_t bytes) {
    core::ByteSink sink;
    sink.data = static_cast<std::uint8_t*>(to);
    sink.capacity = bytes;
    Header header{kMagic,
                  spec.wide,
                  spec.totals_only,
                  spec.buckets,
                  static_cast<std::uint32_t>(spec.kept_buckets.size()),
                  spec.seed,
                  static_cast<std::uint32_t>(spec.key_forms.size()),
                  static_cast<std::uint32_t>(spec.column_forms.size()),
                  static_cast<std::uint32_t>(spec.bounds.size()),
                  static_cast<std::uint32_t>(spec.kept.size())};
    core::append_le(sink, std::uint32_t{0});  // buffer for the length
    sink.append(&header, sizeof header);
    for (std::string_view name : spec.key_form_names) append_counted(sink, core::as_bytes(name));
    for (std::string_view name : spec.column_form_names) append_counted(sink, core::as_bytes(name));
    for (const InputSpec& input : spec.inputs) {
        append_counted(sink, core::as_bytes(input.form));
        append_counted(sink, core::as_bytes(input.label));
    }
    sink.append(spec.kept);
    sink.append(spec.kept_buckets.data(), spec.kept_buckets.size_bytes());
    for (core::ByteView bound : spec.bounds) append_counted(sink, bound);
    Assert(sink.size == bytes);
    SET_VARSIZE(to, bytes);
}

bytea* pack_spec(const DigestSpec& spec) {
    const std::size_t bytes = packed_bytes(spec);
    auto* packed = static_cast<bytea*>(palloc(bytes));
    pack_spec(spec, packed, bytes);
    return packed;
}

namespace {

/// `take_bounds(count)` gives buffer for so many.
template <typename TakeBounds>
DigestSpec read_spec(core::ByteView packed, MemoryContext context, TakeBounds take_bounds) {
    Header header;
    SpecReader reader(packed);
    memcpy(&header, reader.take(sizeof header).data(), sizeof header);
    if (header.magic != kMagic || header.wide > 1 || header.totals_only > 1 || header.bounds > packed.size() ||
        header.key_forms > packed.size() || header.column_forms > packed.size() || !is_bucket_count(header.buckets) ||
        header.kept_buckets > header.kept)
        raise_malformed();

    DigestSpec spec{};
    spec.wide = header.wide != 0;
    spec.totals_only = header.totals_only != 0;
    spec.buckets = header.buckets;
    spec.seed = header.seed;
    reader.take_forms(header.key_forms, context, &spec.key_forms, &spec.key_form_names);
    reader.take_forms(header.column_forms, context, &spec.column_forms, &spec.column_form_names);
    spec.inputs = reader.take_inputs(spec.key_forms.size() + spec.column_forms.size(), context);
    spec.kept = reader.take(header.kept);
    spec.kept_buckets = reader.take_flags(header.kept_buckets, context);
    core::ByteView* bounds = take_bounds(header.bounds);
    for (std::uint32_t i = 0; i < header.bounds; ++i) bounds[i] = reader.take_counted();
    spec.bounds = {bounds, header.bounds};
    if (!reader.at_end() || (!spec.kept.empty() && spec.kept.size() != spec.ranges()) ||
        (!spec.kept_buckets.empty() && spec.kept_buckets.size() != spec.ranges()))
        raise_malformed();
    return spec;
}

void check_bounds(const DigestSpec& spec) {
    for (std::size_t i = 0; i < spec.bounds.size(); ++i)
        if (core::check_bound(spec.bounds[i], spec.key_forms) != core::BoundStatus::kOk ||
            (i > 0 &&
             core::check_succession(spec.bounds[i - 1], spec.bounds[i], spec.key_forms) != core::BoundStatus::kOk))
            raise_malformed();
}

}  // namespace

DigestSpec unpack_spec(const bytea* packed, MemoryContext context) {
    const std::size_t size = VARSIZE_ANY_EXHDR(packed);
    std::uint8_t* copy = allocate_array<std::uint8_t>(context, size);
    memcpy(copy, VARDATA_ANY(packed), size);
    const DigestSpec spec = read_spec(
        {copy, size}, context, [&](std::size_t count) { return allocate_array<core::ByteView>(context, count + 1); });
    check_bounds(spec);
    return spec;
}

DigestSpec view_spec(const void* packed, MemoryContext context, LargeBuffer& buffer) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(VARDATA_ANY(packed));
    return read_spec({bytes, static_cast<std::size_t>(VARSIZE_ANY_EXHDR(packed))}, context,
                     [&](std::size_t count) { return buffer.take<core::ByteView>(count); });
}

}  // namespace parity::backend
