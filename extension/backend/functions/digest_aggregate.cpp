#include "backend/pg.h"

#include <algorithm>
#include <new>

#include "backend/memory.h"
#include "backend/rows/prefetch.h"
#include "backend/rows/row_hasher.h"
#include "backend/sums/matrix.h"
#include "backend/task/column_choice.h"
#include "backend/values/text.h"

/// The aggregates: digest_agg for everybody, range_digest_agg for range_digests(). They share their state.

extern "C" {
PG_FUNCTION_INFO_V1(parity_digest_agg_transition);
PG_FUNCTION_INFO_V1(parity_range_digest_agg_transition);
PG_FUNCTION_INFO_V1(parity_digest_agg_combine);
PG_FUNCTION_INFO_V1(parity_digest_agg_serialize);
PG_FUNCTION_INFO_V1(parity_digest_agg_deserialize);
PG_FUNCTION_INFO_V1(parity_digest_agg_final);
PG_FUNCTION_INFO_V1(parity_range_digest_agg_final);
}

namespace parity::backend {
namespace {

/// Arguments before the row's values: the state and the specification.
constexpr int kLeadingArguments = 2;

struct AggregateState {
    DigestSpec spec;
    DigestMatrix matrix;
    MemoryContext context;

    // what a transition needs; null in a state that was deserialised
    RowHasher* hasher;
    MemoryContext row_context;
    Datum* values;
    bool* nulls;
    int columns;
    int referenced;  ///< the first column that is given as a pointer; columns where there is none
    RowPrefetch prefetch;
    TupleDesc record;      ///< the values come as one record of this shape; null: as arguments
    const bytea* options;  ///< as given with the first row, where they could be others later; else null
};
static_assert(std::is_trivially_destructible_v<AggregateState>);

MemoryContext aggregate_context(FunctionCallInfo fcinfo) {
    MemoryContext context;
    if (!AggCheckCallContext(fcinfo, &context)) elog(ERROR, "aggregate function called in non-aggregate context");
    return context;
}

AggregateState* make_state(const DigestSpec& spec, MemoryContext context) {
    auto* state = allocate_array<AggregateState>(context, 1);
    state->spec = spec;
    state->matrix = make_matrix(spec, context);
    state->context = context;
    return state;
}

int argument_count(FunctionCallInfo fcinfo) {
    if (get_fn_expr_variadic(fcinfo->flinfo))
        ereport(ERROR,
                (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("the columns cannot be given as a VARIADIC array")));
    return PG_NARGS() - kLeadingArguments;
}

/// The reader of a type under a form (null: its default form).
ColumnReader require_reader(Oid type, const char* form, int number) {
    std::optional<ColumnReader> reader = form ? find_reader(type, form) : default_reader(type);
    if (!reader)
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("argument %d of type %s cannot be digested%s%s", number + 1, format_type_be(type),
                               form ? " as " : "", form ? form : "")));
    return *reader;
}

/// The types of the row's values, from the call or from the record that it gives.
Oid input_type(FunctionCallInfo fcinfo, TupleDesc record, int number) {
    return record ? TupleDescAttr(record, number)->atttypid
                  : get_fn_expr_argtype(fcinfo->flinfo, number + kLeadingArguments);
}

[[noreturn]] void raise_other_options() {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("options must be the same for all rows")));
    pg_unreachable();
}

/// Whether the options are a constant or a parameter of the query. (What the call's own expression shows are
/// stand-ins.)
bool has_constant_options(FunctionCallInfo fcinfo) {
    Aggref* aggregate = AggGetAggref(fcinfo);
    if (!aggregate || aggregate->args == NIL) return false;
    Node* options = reinterpret_cast<Node*>(linitial_node(TargetEntry, aggregate->args)->expr);
    return IsA(options, Const) || (IsA(options, Param) && castNode(Param, options)->paramkind == PARAM_EXTERN);
}

/// The options (jsonb or bytea), or null where they are the same for each row anyway.
const bytea* copy_unless_constant(FunctionCallInfo fcinfo, MemoryContext context) {
    if (has_constant_options(fcinfo)) return nullptr;
    const bytea* given = PG_GETARG_BYTEA_PP(1);
    bytea* copy = static_cast<bytea*>(MemoryContextAlloc(context, VARSIZE_ANY(given)));
    memcpy(copy, given, VARSIZE_ANY(given));
    return copy;
}

void prepare_transition(AggregateState* state, FunctionCallInfo fcinfo, TupleDesc record, int columns) {
    MemoryContext context = state->context;
    const DigestSpec& spec = state->spec;
    std::size_t key_count = spec.key_forms.size();
    if (key_count + spec.column_forms.size() != static_cast<std::size_t>(columns))
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%d columns are given, the specification has %zu",
                                                                  columns, key_count + spec.column_forms.size())));
    RowInput* inputs = allocate_array<RowInput>(context, static_cast<std::size_t>(columns));
    for (int i = 0; i < columns; ++i) {
        const InputSpec& input = spec.inputs[static_cast<std::size_t>(i)];
        Oid type = input_type(fcinfo, record, i);
        inputs[i] = {i, type, require_reader(type, pnstrdup(input.form.data(), input.form.size()), i)};
        guard_reader(inputs[i].reader, type, pnstrdup(input.label.data(), input.label.size()));
        std::size_t at = static_cast<std::size_t>(i);
        if ((at < key_count ? spec.key_form_names[at] : spec.column_form_names[at - key_count]) !=
            inputs[i].reader.name)
            ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("malformed digest specification")));
    }
    std::span<const RowInput> all(inputs, static_cast<std::size_t>(columns));
    state->hasher = new (allocate_array<RowHasher>(context, 1))
        RowHasher(state->spec, all.first(key_count), all.subspan(key_count), context);
    state->row_context = AllocSetContextCreate(context, "parity row", ALLOCSET_DEFAULT_SIZES);
    state->values = allocate_array<Datum>(context, static_cast<std::size_t>(columns));
    state->nulls = allocate_array<bool>(context, static_cast<std::size_t>(columns));
    state->columns = columns;
    state->prefetch = {};
    state->referenced = static_cast<int>(
        std::find_if(inputs, inputs + columns, [](const RowInput& input) { return !get_typbyval(input.type); }) -
        inputs);
    state->record = record;
    state->options = copy_unless_constant(fcinfo, context);
}

/// One state has one specification: another one in a later row must not be overlooked.
void check_same_options(const AggregateState* state, FunctionCallInfo fcinfo) {
    if (!state->options) return;
    bool same = !PG_ARGISNULL(1);
    if (same) {
        const bytea* given = PG_GETARG_BYTEA_PP(1);
        same = VARSIZE_ANY_EXHDR(given) == VARSIZE_ANY_EXHDR(state->options) &&
               memcmp(VARDATA_ANY(given), VARDATA_ANY(state->options), VARSIZE_ANY_EXHDR(given)) == 0;
    }
    if (!same) raise_other_options();
}

[[noreturn]] void raise_null_record() {
    ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("the record must not be NULL")));
    pg_unreachable();
}

void load_arguments(AggregateState* state, FunctionCallInfo fcinfo) {
    for (int i = 0; i < state->columns; ++i) {
        state->values[i] = PG_GETARG_DATUM(i + kLeadingArguments);
        state->nulls[i] = PG_ARGISNULL(i + kLeadingArguments);
    }
    if (state->referenced < state->columns && !state->nulls[state->referenced])
        state->prefetch.step(DatumGetPointer(state->values[state->referenced]));
}

void load_record(AggregateState* state, FunctionCallInfo fcinfo) {
    if (PG_ARGISNULL(kLeadingArguments)) raise_null_record();
    HeapTupleHeader header = PG_GETARG_HEAPTUPLEHEADER(kLeadingArguments);
    if (HeapTupleHeaderGetTypeId(header) != state->record->tdtypeid ||
        HeapTupleHeaderGetTypMod(header) != state->record->tdtypmod)
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("all records must have the same columns")));
    HeapTupleData tuple;
    tuple.t_len = HeapTupleHeaderGetDatumLength(header);
    ItemPointerSetInvalid(&tuple.t_self);
    tuple.t_tableOid = InvalidOid;
    tuple.t_data = header;
    heap_deform_tuple(&tuple, state->record, state->values, state->nulls);
}

void add_row(AggregateState* state, FunctionCallInfo fcinfo) {
    MemoryContext caller = MemoryContextSwitchTo(state->row_context);
    if (state->record)
        load_record(state, fcinfo);
    else
        load_arguments(state, fcinfo);
    state->hasher->accumulate(state->values, state->nulls, state->matrix);
    MemoryContextSwitchTo(caller);
    MemoryContextReset(state->row_context);
}

/// The shape of a record argument, copied: it is the same for all rows of one call.
TupleDesc record_shape(FunctionCallInfo fcinfo, MemoryContext context) {
    if (PG_ARGISNULL(kLeadingArguments)) raise_null_record();
    HeapTupleHeader header = PG_GETARG_HEAPTUPLEHEADER(kLeadingArguments);
    TupleDesc shared = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(header), HeapTupleHeaderGetTypMod(header));
    MemoryContext caller = MemoryContextSwitchTo(context);
    TupleDesc copy = CreateTupleDescCopy(shared);
    MemoryContextSwitchTo(caller);
    ReleaseTupleDesc(shared);
    return copy;
}

AggregateState* begin_ranges(FunctionCallInfo fcinfo, MemoryContext context) {
    if (PG_ARGISNULL(1))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("the specification must not be NULL")));
    DigestSpec spec = unpack_spec(PG_GETARG_BYTEA_PP(1), context);
    check_digest_memory(spec, 1);
    AggregateState* state = make_state(spec, context);
    int columns = argument_count(fcinfo);
    TupleDesc record = nullptr;
    if (columns == 1 && get_fn_expr_argtype(fcinfo->flinfo, kLeadingArguments) == RECORDOID) {
        record = record_shape(fcinfo, context);
        columns = record->natts;
    }
    prepare_transition(state, fcinfo, record, columns);
    return state;
}

// ---- digest_agg's options ------------------------------------------------------------------------------------

[[noreturn]] void raise_option(const char* name, const char* expected) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("option \"%s\" must be %s", name, expected)));
    pg_unreachable();
}

struct AggregateOptions {
    int key = 1;
    int64 seed = 0;
    int width = 64;
    JsonbContainer* forms = nullptr;
};

int64 option_number(const JsonbValue& value, const char* name, int64 lowest, int64 highest, const char* expected) {
    if (value.type != jbvNumeric) raise_option(name, expected);
    Datum number = DirectFunctionCall1(numeric_int8, NumericGetDatum(value.val.numeric));
    Datum whole = DirectFunctionCall1(int8_numeric, number);
    if (!DatumGetBool(DirectFunctionCall2(numeric_eq, whole, NumericGetDatum(value.val.numeric))))
        raise_option(name, expected);
    if (DatumGetInt64(number) < lowest || DatumGetInt64(number) > highest) raise_option(name, expected);
    return DatumGetInt64(number);
}

void read_option(AggregateOptions& options, const char* name, const JsonbValue& value, int columns) {
    if (strcmp(name, "key") == 0) {
        options.key = static_cast<int>(option_number(value, name, 0, columns, "a number of leading columns"));
    } else if (strcmp(name, "seed") == 0) {
        options.seed = option_number(value, name, PG_INT64_MIN, PG_INT64_MAX, "a bigint");
    } else if (strcmp(name, "width") == 0) {
        options.width = static_cast<int>(option_number(value, name, 64, 128, "64 or 128"));
        if (options.width != 64 && options.width != 128) raise_option(name, "64 or 128");
    } else if (strcmp(name, "forms") == 0) {
        if (value.type != jbvBinary || !JsonContainerIsArray(value.val.binary.data) ||
            JsonContainerSize(value.val.binary.data) != static_cast<uint32>(columns))
            raise_option(name, "an array with a form name or null for each column");
        options.forms = value.val.binary.data;
    } else {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown option \"%s\"", name),
                        errhint("Options are \"key\", \"seed\", \"width\" and \"forms\".")));
    }
}

AggregateOptions read_options(Jsonb* json, int columns) {
    AggregateOptions options;
    if (!JB_ROOT_IS_OBJECT(json))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("options must be a JSON object")));
    JsonbIterator* iterator = JsonbIteratorInit(&json->root);
    JsonbValue value;
    JsonbIteratorToken token;
    char* name = nullptr;
    while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE) {
        if (token == WJB_KEY) name = pnstrdup(value.val.string.val, static_cast<Size>(value.val.string.len));
        if (token == WJB_VALUE) read_option(options, name, value, columns);
    }
    return options;
}

/// Whether a name begins as a form's: what stands behind @ or < is looked at where the reader is made.
bool is_form(std::string_view name) {
    return core::form_by_name({name.data(), std::min(name.find_first_of("@<"), name.size())}).has_value();
}

/// The reader under the form that the options name for a column, or under the type's default.
ColumnReader option_reader(const AggregateOptions& options, FunctionCallInfo fcinfo, int number) {
    const char* form = nullptr;
    if (options.forms) {
        JsonbValue* value = getIthJsonbValueFromContainer(options.forms, static_cast<uint32>(number));
        if (value->type == jbvString)
            form = utf8_string(value->val.string.val, static_cast<std::size_t>(value->val.string.len));
        if (value->type != jbvNull && !(form && is_form(form)))
            raise_option("forms", "an array with a form name or null for each column");
    }
    return require_reader(input_type(fcinfo, nullptr, number), form, number);
}

AggregateState* begin_digests(FunctionCallInfo fcinfo, MemoryContext context) {
    if (PG_ARGISNULL(1)) ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("options must not be NULL")));
    int columns = argument_count(fcinfo);
    AggregateOptions options = read_options(PG_GETARG_JSONB_P(1), columns);
    std::size_t count = static_cast<std::size_t>(columns);
    std::size_t key = static_cast<std::size_t>(options.key);
    auto* forms = allocate_array<core::Form>(context, count);
    auto* names = allocate_array<std::string_view>(context, count);
    auto* inputs = allocate_array<InputSpec>(context, count);
    for (int i = 0; i < columns; ++i) {
        ColumnReader reader = option_reader(options, fcinfo, i);
        names[i] = reader.name;
        forms[i] = reader.form;
        inputs[i] = {reader.asked, psprintf("argument %d", i + 1)};
    }
    DigestSpec spec{};
    spec.wide = options.width == 128;
    spec.seed = static_cast<core::u64>(options.seed);
    spec.key_forms = {forms, key};
    spec.key_form_names = {names, key};
    spec.column_forms = {forms + key, count - key};
    spec.column_form_names = {names + key, count - key};
    spec.inputs = {inputs, count};
    AggregateState* state = make_state(spec, context);
    prepare_transition(state, fcinfo, nullptr, columns);
    return state;
}

using Begin = AggregateState* (*)(FunctionCallInfo, MemoryContext);

Datum transition(FunctionCallInfo fcinfo, Begin begin) {
    MemoryContext context = aggregate_context(fcinfo);
    AggregateState* state;
    if (PG_ARGISNULL(0)) {
        MemoryContext caller = MemoryContextSwitchTo(context);
        state = begin(fcinfo, context);
        MemoryContextSwitchTo(caller);
    } else {
        state = reinterpret_cast<AggregateState*>(PG_GETARG_POINTER(0));
        check_same_options(state, fcinfo);
    }
    add_row(state, fcinfo);
    PG_RETURN_POINTER(state);
}

bool same_spec(const DigestSpec& a, const DigestSpec& b) {
    bytea* x = pack_spec(a);
    bytea* y = pack_spec(b);
    return VARSIZE(x) == VARSIZE(y) && memcmp(x, y, VARSIZE(x)) == 0;
}

}  // namespace
}  // namespace parity::backend

using namespace parity::backend;
using parity::core::ByteSink;

Datum parity_digest_agg_transition(PG_FUNCTION_ARGS) { return transition(fcinfo, begin_digests); }

Datum parity_range_digest_agg_transition(PG_FUNCTION_ARGS) { return transition(fcinfo, begin_ranges); }

Datum parity_digest_agg_combine(PG_FUNCTION_ARGS) {
    MemoryContext context = aggregate_context(fcinfo);
    if (PG_ARGISNULL(1)) {
        if (PG_ARGISNULL(0)) PG_RETURN_NULL();
        PG_RETURN_DATUM(PG_GETARG_DATUM(0));
    }
    auto* part = reinterpret_cast<AggregateState*>(PG_GETARG_POINTER(1));
    AggregateState* state;
    if (PG_ARGISNULL(0)) {
        MemoryContext caller = MemoryContextSwitchTo(context);
        state = make_state(unpack_spec(pack_spec(part->spec), context), context);
        MemoryContextSwitchTo(caller);
    } else {
        state = reinterpret_cast<AggregateState*>(PG_GETARG_POINTER(0));
    }
    if (!same_spec(state->spec, part->spec)) raise_other_options();
    add_matrix(state->matrix, part->matrix.words);
    PG_RETURN_POINTER(state);
}

/// Packed spec, then the matrix.
Datum parity_digest_agg_serialize(PG_FUNCTION_ARGS) {
    auto* state = reinterpret_cast<AggregateState*>(PG_GETARG_POINTER(0));
    bytea* spec = pack_spec(state->spec);
    ByteSink sink = make_sink(CurrentMemoryContext);
    parity::core::append_le(sink, static_cast<std::uint32_t>(VARSIZE(spec)));
    sink.append(spec, VARSIZE(spec));
    sink.append(state->matrix.words, state->matrix.bytes());
    PG_RETURN_BYTEA_P(make_bytea(sink.view()));
}

Datum parity_digest_agg_deserialize(PG_FUNCTION_ARGS) {
    MemoryContext context = CurrentMemoryContext;
    (void)aggregate_context(fcinfo);
    bytea* packed = PG_GETARG_BYTEA_PP(0);
    const auto* data = reinterpret_cast<const std::uint8_t*>(VARDATA_ANY(packed));
    std::uint32_t spec_size = parity::core::load_le<std::uint32_t>(data);
    bytea* spec = static_cast<bytea*>(palloc(spec_size));
    memcpy(spec, data + sizeof spec_size, spec_size);
    AggregateState* state = make_state(unpack_spec(spec, context), context);
    memcpy(state->matrix.words, data + sizeof spec_size + spec_size, state->matrix.bytes());
    PG_RETURN_POINTER(state);
}

Datum parity_digest_agg_final(PG_FUNCTION_ARGS) {
    if (PG_ARGISNULL(0)) PG_RETURN_NULL();
    auto* state = reinterpret_cast<AggregateState*>(PG_GETARG_POINTER(0));
    DigestMaker maker(state->spec, state->matrix, CurrentMemoryContext);
    Oid digest_type = get_element_type(get_fn_expr_rettype(fcinfo->flinfo));
    return digest_array(maker, 0, digest_type);
}

Datum parity_range_digest_agg_final(PG_FUNCTION_ARGS) {
    if (PG_ARGISNULL(0)) PG_RETURN_NULL();
    auto* state = reinterpret_cast<AggregateState*>(PG_GETARG_POINTER(0));
    const auto* words = reinterpret_cast<const std::uint8_t*>(state->matrix.words);
    PG_RETURN_BYTEA_P(make_bytea({words, state->matrix.bytes()}));
}
