#include "backend/pg.h"

#include "backend/memory.h"
#include "backend/task/arguments.h"
#include "backend/values/double_text.h"
#include "core/form.h"
#include "core/order.h"
#include "core/render.h"

/// The SQL function key_values(): the columns of a framed key as texts.

extern "C" {
PG_FUNCTION_INFO_V1(parity_key_values);
}

namespace parity::backend {
namespace {

[[noreturn]] void raise_malformed() {
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the key is not a key of columns with these forms")));
    pg_unreachable();
}

core::Form form_argument(const char* name) {
    std::optional<core::Form> form = core::form_by_name(name);
    if (!form) ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("there is no form \"%s\"", name)));
    return *form;
}

}  // namespace
}  // namespace parity::backend

using namespace parity::backend;

Datum parity_key_values(PG_FUNCTION_ARGS) {
    bytea* key = PG_GETARG_BYTEA_PP(0);
    std::span<char* const> names = text_array(PG_GETARG_ARRAYTYPE_P(1), "forms");
    auto* texts = allocate_array<Datum>(CurrentMemoryContext, names.size() + 1);
    auto* nulls = allocate_array<bool>(CurrentMemoryContext, names.size() + 1);
    parity::core::FrameReader frames(
        {reinterpret_cast<const std::uint8_t*>(VARDATA_ANY(key)), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(key))});
    parity::core::ByteSink sink = make_sink(CurrentMemoryContext);
    for (std::size_t i = 0; i < names.size(); ++i) {
        parity::core::Form form = form_argument(names[i]);
        std::optional<parity::core::FramedValue> value = frames.next(form);
        if (!value) raise_malformed();
        nulls[i] = value->null;
        if (value->null) continue;
        sink.clear();
        parity::core::render_value(form, value->bytes, write_double, sink);
        texts[i] = PointerGetDatum(make_text(sink.view()));
    }
    if (!frames.at_end()) raise_malformed();
    int count = static_cast<int>(names.size());
    int lower = 1;
    PG_RETURN_ARRAYTYPE_P(construct_md_array(texts, nulls, 1, &count, &lower, TEXTOID, -1, false, TYPALIGN_INT));
}
