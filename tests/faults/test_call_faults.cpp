// Bad calls, one row each: the status and a text that names the fault, the output untouched bit for bit, and the next
// good call on the same model right.
#include "flow_bundle.h"

#include <limits>

namespace {

constexpr double NOT_A_NUMBER = std::numeric_limits<double>::quiet_NaN();
constexpr double INFINITE = std::numeric_limits<double>::infinity();
constexpr std::int64_t LARGEST = std::numeric_limits<std::int64_t>::max();
float single[CHANNELS * N];
double parameters[2];

struct CallFault {
    const char *name;
    int status;
    const char *text;
    void (*inject)(FlowCall &);
};

/// Set the last axis of every field.
template <std::size_t COUNT> void columns(surrogate_field (&fields)[COUNT], std::int64_t n) {
    for (auto &field : fields)
        field.shape[field.rank - 1] = n;
}
/// Give parameters to a call.
void give(FlowCall &call, double value, std::size_t count = 1) {
    parameters[0] = value;
    call.step.parameters = parameters;
    call.step.parameter_count = count;
}
/// Give every field a batch axis of so many states on the same memory.
template <std::size_t COUNT> void batched(surrogate_field (&fields)[COUNT], std::int64_t states) {
    for (auto &field : fields) {
        field.shape[field.rank] = states;
        field.strides[field.rank] = 0;
        field.batch_axis = field.rank++;
    }
}

const CallFault FAULTS[] = {
    // names and counts
    {"unknown field", SURROGATE_ERROR_FIELD, "'rhoo' is unknown (did you mean 'rho'?)",
     [](FlowCall &c) { c.in[0].name = "rhoo"; }},
    {"empty name", SURROGATE_ERROR_FIELD, "'' is unknown", [](FlowCall &c) { c.out[0].name = ""; }},
    {"input field twice", SURROGATE_ERROR_FIELD, "'rho' is given twice", [](FlowCall &c) { c.in[3].name = "rho"; }},
    {"output field twice", SURROGATE_ERROR_FIELD, "'v' is given twice", [](FlowCall &c) { c.out[3].name = "v"; }},
    {"named and unnamed field the same", SURROGATE_ERROR_FIELD, "given twice",
     [](FlowCall &c) {
         c.in[0].name = nullptr;
         c.in[3].name = "rho";
     }},
    {"field missing", SURROGATE_ERROR_FIELD, "missing: 'p'", [](FlowCall &c) { c.count = 3; }},
    {"no field", SURROGATE_ERROR_FIELD, "0 fields given, expected 4", [](FlowCall &c) { c.count = 0; }},
    {"a field too many", SURROGATE_ERROR_FIELD, "5 fields given, expected 4", [](FlowCall &c) { c.count = 5; }},
    {"count beyond any array", SURROGATE_ERROR_FIELD, "fields given, expected 4",
     [](FlowCall &c) { c.count = SIZE_MAX; }},
    {"wrong unit", SURROGATE_ERROR_UNIT, "unit 'km/h' given, expected 'm s-1'",
     [](FlowCall &c) { c.in[1].unit = "km/h"; }},
    {"wrong unit of the output", SURROGATE_ERROR_UNIT, "output field 'rho': unit",
     [](FlowCall &c) { c.out[0].unit = ""; }},
    // pointers and dtypes
    {"input NULL", SURROGATE_ERROR_ARGUMENT, "input field 'rho': data is NULL",
     [](FlowCall &c) { c.in[0].data = nullptr; }},
    {"output NULL", SURROGATE_ERROR_ARGUMENT, "output field 'p': data is NULL",
     [](FlowCall &c) { c.out[3].data = nullptr; }},
    {"input misaligned", SURROGATE_ERROR_ARGUMENT, "not aligned",
     [](FlowCall &c) { c.in[0].data = reinterpret_cast<char *>(c.now) + 1; }},
    {"output misaligned", SURROGATE_ERROR_ARGUMENT, "not aligned",
     [](FlowCall &c) { c.out[0].data = reinterpret_cast<char *>(c.next) + 4; }},
    {"unknown dtype", SURROGATE_ERROR_DTYPE, "dtype 3 given", [](FlowCall &c) { c.in[0].dtype = 3; }},
    {"no dtype", SURROGATE_ERROR_DTYPE, "dtype 0 given", [](FlowCall &c) { c.out[0].dtype = 0; }},
    {"mixed dtypes", SURROGATE_ERROR_DTYPE, "input field 'p': float32 given, expected float64 as field 'rho'",
     [](FlowCall &c) { surrogate_field_init(&c.in[3], "p", single, SURROGATE_FLOAT32, 2, c.in[3].shape); }},
    {"output of another dtype", SURROGATE_ERROR_DTYPE,
     "output of float32 and input of float64 given, expected the same dtype",
     [](FlowCall &c) {
         for (auto &field : c.out)
             if (field.rank == 2)
                 surrogate_field_init(&field, field.name, single, SURROGATE_FLOAT32, 2, field.shape);
         const std::int64_t shape[3] = {2, NY, NX};
         surrogate_field_init(&c.out[1], "v", single, SURROGATE_FLOAT32, 3, shape);
         c.out[1].component_axis = 0;
     }},
    {"one field in CUDA memory", SURROGATE_ERROR_ARGUMENT,
     "'v': host memory given, expected memory of cuda:0 as field 'rho'",
     [](FlowCall &c) { c.in[0].memory = SURROGATE_CUDA; }},
    {"input in CUDA memory", SURROGATE_ERROR_ARGUMENT, "output in host memory and input in memory of cuda:0 given",
     [](FlowCall &c) {
         for (auto &field : c.in)
             field.memory = SURROGATE_CUDA;
     }},
    {"CUDA memory, engine without passes", SURROGATE_ERROR_UNSUPPORTED, "has no passes of its own",
     [](FlowCall &c) {
         for (auto &field : c.in)
             field.memory = SURROGATE_CUDA;
         for (auto &field : c.out)
             field.memory = SURROGATE_CUDA;
     }},
    {"unknown memory", SURROGATE_ERROR_ARGUMENT, "memory 9", [](FlowCall &c) { c.out[0].memory = 9; }},
    {"reserved of an input", SURROGATE_ERROR_ARGUMENT,
     "input field 'rho': reserved is not zero, expected NULL; use surrogate_field_init",
     [](FlowCall &c) { c.in[0].reserved[0] = c.now; }},
    {"reserved of an output", SURROGATE_ERROR_ARGUMENT, "output field 'p': reserved is not zero",
     [](FlowCall &c) { c.out[3].reserved[1] = c.now; }},
    // axes
    {"component axis not told", SURROGATE_ERROR_SHAPE, "rank 3 given, expected 2",
     [](FlowCall &c) { c.in[1].component_axis = -1; }},
    {"component axis outside", SURROGATE_ERROR_SHAPE, "component_axis 5",
     [](FlowCall &c) { c.in[1].component_axis = 5; }},
    {"component axis below -1", SURROGATE_ERROR_SHAPE, "component_axis -2",
     [](FlowCall &c) { c.in[0].component_axis = -2; }},
    {"component axis twice", SURROGATE_ERROR_SHAPE, "two different axes",
     [](FlowCall &c) {
         c.in[0].component_axis = c.in[0].batch_axis = 0;
         c.in[0].rank = 4;
         c.in[0].shape[2] = c.in[0].shape[3] = 1;
         c.in[0].strides[2] = c.in[0].strides[3] = 8;
     }},
    {"components too few", SURROGATE_ERROR_FIELD, "1 components given, expected 2",
     [](FlowCall &c) { c.in[1].shape[0] = 1; }},
    {"components too many", SURROGATE_ERROR_FIELD, "3 components given, expected 2",
     [](FlowCall &c) { c.out[1].shape[0] = 3; }},
    {"rank too large", SURROGATE_ERROR_SHAPE, "rank 9", [](FlowCall &c) { c.in[0].rank = 9; }},
    {"rank negative", SURROGATE_ERROR_SHAPE, "rank -1", [](FlowCall &c) { c.in[0].rank = -1; }},
    {"rank zero", SURROGATE_ERROR_SHAPE, "rank 0", [](FlowCall &c) { c.out[0].rank = 0; }},
    {"batch in one field only", SURROGATE_ERROR_SHAPE, "a batch of 1 states given, expected 2",
     [](FlowCall &c) {
         batched(c.in, 2);
         c.in[3].rank -= 1;
         c.in[3].batch_axis = -1;
     }},
    {"batch of input and output differ", SURROGATE_ERROR_SHAPE, "output batch of 1 states given, expected 2",
     [](FlowCall &c) { batched(c.in, 2); }},
    {"batch of no states", SURROGATE_ERROR_SHAPE, "at least 1", [](FlowCall &c) { batched(c.in, 0); }},
    {"states of the output on one another", SURROGATE_ERROR_OVERLAP, "different elements share memory",
     [](FlowCall &c) {
         batched(c.in, 2);
         batched(c.out, 2);
     }},
    // shapes and strides
    {"fields of different shapes", SURROGATE_ERROR_SHAPE, "share one grid", [](FlowCall &c) { c.in[0].shape[0] = 4; }},
    {"axis of no cells", SURROGATE_ERROR_SHAPE, "at least 1 in axis 0", [](FlowCall &c) { c.in[0].shape[0] = 0; }},
    {"axis of a negative size", SURROGATE_ERROR_SHAPE, "at least 1 in axis 1",
     [](FlowCall &c) { c.out[0].shape[1] = -12; }},
    {"shape beyond memory", SURROGATE_ERROR_SHAPE, "larger than any memory",
     [](FlowCall &c) { c.in[0].shape[1] = LARGEST / 4; }},
    {"shape whose bytes overflow", SURROGATE_ERROR_SHAPE, "larger than any memory",
     [](FlowCall &c) { c.in[0].shape[0] = c.in[0].shape[1] = std::int64_t{1} << 32; }},
    {"stride of the least integer", SURROGATE_ERROR_SHAPE, "larger than any memory",
     [](FlowCall &c) { c.in[0].strides[0] = std::numeric_limits<std::int64_t>::min(); }},
    {"negative stride beyond memory", SURROGATE_ERROR_SHAPE, "larger than any memory",
     [](FlowCall &c) { c.out[0].strides[0] = -(std::int64_t{1} << 58); }},
    {"stride of half an element", SURROGATE_ERROR_SHAPE, "stride 12 of axis 1",
     [](FlowCall &c) { c.in[0].strides[1] = 12; }},
    {"grid no multiple", SURROGATE_ERROR_SHAPE,
     "grid [8, 10] given, expected multiples of [4, 4] (axes y, x); choose the domain's size so, and keep the spacing "
     "that "
     "the model was trained at ([0.1, 0.2] m)",
     [](FlowCall &c) { columns(c.in, 10); }},
    {"grid too small", SURROGATE_ERROR_SHAPE, "grid [8, 2] given, expected at least [4, 4]",
     [](FlowCall &c) { columns(c.in, 2); }},
    {"output of another grid", SURROGATE_ERROR_SHAPE, "output grid [8, 8] given, expected [8, 12]",
     [](FlowCall &c) { columns(c.out, 8); }},
    // overlap
    {"output on another input", SURROGATE_ERROR_OVERLAP, "output field 'rho' shares memory with input field 'p'",
     [](FlowCall &c) { c.out[0].data = c.in[3].data; }},
    {"output shifted on its input", SURROGATE_ERROR_OVERLAP, "output field 'rho' shares memory with input field 'rho'",
     [](FlowCall &c) { c.out[0].data = c.now + 1; }},
    {"output upside down on its input", SURROGATE_ERROR_OVERLAP, "shares memory",
     [](FlowCall &c) {
         c.out[0].strides[0] = -c.out[0].strides[0];
         c.out[0].data = c.now + (NY - 1) * NX;
     }},
    {"two outputs on one another", SURROGATE_ERROR_OVERLAP, "output fields 'rho' and 'p' share memory",
     [](FlowCall &c) { c.out[3].data = c.next; }},
    {"output rows on one another", SURROGATE_ERROR_OVERLAP, "different elements share memory",
     [](FlowCall &c) { c.out[0].strides[0] = 0; }},
    // step and parameters
    {"parameters of another count", SURROGATE_ERROR_PARAMETER, "parameter_count 2 given, expected 1",
     [](FlowCall &c) { give(c, 0.5, 2); }},
    {"parameters without a count", SURROGATE_ERROR_PARAMETER, "parameter_count 0",
     [](FlowCall &c) { give(c, 0.5, 0); }},
    {"parameter too large", SURROGATE_ERROR_PARAMETER, "parameter 'nu': 1.5 given, expected 0 to 1",
     [](FlowCall &c) { give(c, 1.5); }},
    {"parameter NaN", SURROGATE_ERROR_PARAMETER, "parameter 'nu': nan", [](FlowCall &c) { give(c, NOT_A_NUMBER); }},
    {"step not initialised", SURROGATE_ERROR_ARGUMENT, "surrogate_step_options_init",
     [](FlowCall &c) { c.step.struct_size = 0; }},
    {"step of an absurd size", SURROGATE_ERROR_ARGUMENT, "struct_size",
     [](FlowCall &c) { c.step.struct_size = SIZE_MAX; }},
    // values
    {"NaN in a vector field", SURROGATE_REJECTED,
     "input field 'v' is not finite at cell [5, 7] of component 1 (value nan)",
     [](FlowCall &c) { c.now[2 * N + 5 * NX + 7] = NOT_A_NUMBER; }},
    {"infinity in a condition field", SURROGATE_REJECTED,
     "input field 'mask' is not finite at cell [0, 1] (value -inf)", [](FlowCall &c) { c.now[3 * N + 1] = -INFINITE; }},
    {"value that no float32 holds", SURROGATE_REJECTED, "input field 'v' is not finite",
     [](FlowCall &c) { c.now[N] = 1e200; }},
    {"input out of bounds", SURROGATE_REJECTED,
     "input field 'p' is out of bounds at cell [1, 0] (value 1000.5; allowed: at least -1000 and at most 1000)",
     [](FlowCall &c) { c.now[4 * N + NX] = 1000.5; }},
    // p of the next frame: 1 + (3 * 900 + 1.25) / 2, one row further and two columns back
    {"prediction out of bounds", SURROGATE_REJECTED,
     "predicted field 'p' is out of bounds at cell [2, 10] (value 1351.625",
     [](FlowCall &c) { c.now[4 * N + NX] = 900; }},
};

void every_fault_is_refused(surrogate_model *model) {
    for (const CallFault &fault : FAULTS) {
        FlowCall call;
        fault.inject(call);
        const int before = failures;
        CHECK_STATUS(call.predict(model), fault.status, fault.text);
        CHECK(call.untouched());
        CHECK(predicts_right(model));
        if (failures != before)
            std::fprintf(stderr, "  in the row '%s'\n", fault.name);
    }
    surrogate_statistics s;
    s.struct_size = sizeof s;
    CHECK_STATUS(surrogate_get_statistics(model, &s), SURROGATE_OK, "");
    CHECK(s.calls == s.ok + s.rejected + s.errors && s.ok == static_cast<std::int64_t>(std::size(FAULTS)));
}

struct ArrayFault {
    const char *name;
    int status;
    const char *text;
    int dtype, rank;
    std::int64_t shape[3];
};

const ArrayFault ARRAY_FAULTS[] = {
    {"channels too few", SURROGATE_ERROR_FIELD, "4 channels given", SURROGATE_FLOAT64, 3, {4, NY, NX}},
    {"no channel axis", SURROGATE_ERROR_SHAPE, "rank 2", SURROGATE_FLOAT64, 2, {CHANNELS, NY, NX}},
    {"rank beyond any", SURROGATE_ERROR_SHAPE, "rank 2000000000", SURROGATE_FLOAT64, 2000000000, {CHANNELS, NY, NX}},
    {"unknown dtype", SURROGATE_ERROR_DTYPE, "dtype 77", 77, 3, {CHANNELS, NY, NX}},
    {"size beyond memory", SURROGATE_ERROR_SHAPE, "fit in memory", SURROGATE_FLOAT64, 3, {CHANNELS, NY, LARGEST}},
    {"size negative", SURROGATE_ERROR_SHAPE, "-4", SURROGATE_FLOAT64, 3, {CHANNELS, NY, -4}},
    {"size zero", SURROGATE_ERROR_SHAPE, "at least 1", SURROGATE_FLOAT64, 3, {CHANNELS, 0, NX}},
    {"grid no multiple", SURROGATE_ERROR_SHAPE, "multiples of", SURROGATE_FLOAT64, 3, {CHANNELS, NY, 10}},
};

void every_array_fault_is_refused(surrogate_model *model) {
    for (const ArrayFault &fault : ARRAY_FAULTS) {
        FlowCall call;
        const int before = failures;
        CHECK_STATUS(surrogate_predict_array(model, call.next, call.now, fault.dtype, fault.rank, fault.shape, nullptr),
                     fault.status, fault.text);
        CHECK(call.untouched());
        CHECK(predicts_right(model));
        if (failures != before)
            std::fprintf(stderr, "  in the row '%s' of arrays\n", fault.name);
    }
}

void a_rejection_can_be_asked_for(surrogate_model *model) {
    surrogate_rejection r;
    FlowCall call;
    r.struct_size = sizeof r;
    call.now[4 * N + NX] = 900;
    CHECK_STATUS(call.predict(model), SURROGATE_REJECTED, "'p'");
    CHECK_STATUS(surrogate_last_rejection(model, &r), SURROGATE_OK, "");
    CHECK(r.reason == SURROGATE_REASON_OUTPUT_OUT_OF_BOUNDS && r.field == 3 && r.component == 0 && r.batch == 0);
    CHECK(r.cell[0] == 2 && r.cell[1] == 10 && r.cell[2] == 0 && r.value == 1351.625);
    CHECK(r.lower == -1000 && r.upper == 1000);
    FlowCall other;
    other.now[2 * N + 5 * NX + 7] = NOT_A_NUMBER;
    CHECK_STATUS(other.predict(model), SURROGATE_REJECTED, "'v'");
    CHECK_STATUS(surrogate_last_rejection(model, &r), SURROGATE_OK, "");
    CHECK(r.reason == SURROGATE_REASON_INPUT_NOT_FINITE && r.field == 1 && r.component == 1 && r.value != r.value);
    CHECK(r.cell[0] == 5 && r.cell[1] == 7);
}

/// What looks like a fault and is none.
void what_is_allowed(surrogate_model *model) {
    FlowCall ignored; // a condition's output entry is not read
    ignored.out[2].data = nullptr;
    ignored.out[2].rank = 77;
    CHECK_STATUS(ignored.predict(model), SURROGATE_OK, "");
    FlowCall constant; // a field may be broadcast
    constant.in[2].strides[0] = constant.in[2].strides[1] = 0;
    CHECK_STATUS(constant.predict(model), SURROGATE_OK, "");
    FlowCall same; // the same array in and out
    for (int f = 0; f < 4; ++f)
        same.out[f].data = same.in[f].data;
    CHECK_STATUS(same.predict(model), SURROGATE_OK, "");
}

} // namespace

int main(int argc, char **argv) {
    start(argc, argv);
    const fs::path folder = fs::path(argv[1]) / "flow.surrogate";
    fs::remove_all(folder);
    FlowBundle().write(folder);
    surrogate_model *model = nullptr;
    if (!CHECK_STATUS(surrogate_open(&model, folder.c_str(), nullptr), SURROGATE_OK, ""))
        return finish();
    every_fault_is_refused(model);
    every_array_fault_is_refused(model);
    a_rejection_can_be_asked_for(model);
    what_is_allowed(model);
    surrogate_close(model);
    std::printf("%zu faults\n", std::size(FAULTS) + std::size(ARRAY_FAULTS));
    return finish();
}
