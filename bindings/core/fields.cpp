#include "fields.h"

#include "error.h"

#include <algorithm>
#include <cstring>

namespace surrogate::core {

namespace {

// Extents are computed in 64-bit integers; nothing real comes near this.
constexpr std::int64_t LARGEST_EXTENT = std::int64_t{1} << 56;

const char *role_name(Role role) {
    return role == Role::input ? "input" : role == Role::output ? "output" : "recorded";
}

std::string shape_of(const surrogate_field &field) {
    return list_text(field.shape, std::clamp<int>(field.rank, 0, SURROGATE_MAX_RANK));
}

/// One field of a call, for messages: "input field 'rho'".
struct Named {
    Role role;
    const FieldSpec &spec;
    std::string str() const { return text(role_name(role), " field '", spec.name, "'"); }
};

void check_memory(const Named &named, const surrogate_field &field) {
    if (field.dtype != SURROGATE_FLOAT32 && field.dtype != SURROGATE_FLOAT64)
        fail(SURROGATE_ERROR_DTYPE, named.str(), ": dtype ", field.dtype,
             " given, expected SURROGATE_FLOAT32 (1) or SURROGATE_FLOAT64 (2)");
    if (field.memory != SURROGATE_HOST && field.memory != SURROGATE_CUDA)
        fail(SURROGATE_ERROR_ARGUMENT, named.str(), ": memory ", field.memory,
             " given, expected SURROGATE_HOST (0) or SURROGATE_CUDA (1); was surrogate_field_init called?");
    if (!field.data)
        fail(SURROGATE_ERROR_ARGUMENT, named.str(), ": data is NULL, expected the address of its first element");
    if (reinterpret_cast<std::uintptr_t>(field.data) % static_cast<std::uintptr_t>(size_of(field.dtype)))
        fail(SURROGATE_ERROR_ARGUMENT, named.str(), ": data is not aligned to its elements of ", size_of(field.dtype),
             " bytes; is the dtype right?");
    if (field.reserved[0] || field.reserved[1])
        fail(SURROGATE_ERROR_ARGUMENT, named.str(),
             ": reserved is not zero, expected NULL; use surrogate_field_init, which sets every member");
}

void check_unit(const Named &named, const surrogate_field &field) {
    if (field.unit && named.spec.unit != field.unit)
        fail(SURROGATE_ERROR_UNIT, named.str(), ": unit '", field.unit, "' given, expected '", named.spec.unit,
             "'; convert the values, or give NULL to leave the unit unchecked");
}

void check_axes(const Named &named, const surrogate_field &field, int spatial) {
    const int components = field.component_axis >= 0, batch = field.batch_axis >= 0;
    if (field.rank < 1 || field.rank > SURROGATE_MAX_RANK || field.rank != spatial + components + batch)
        fail(SURROGATE_ERROR_SHAPE, named.str(), ": rank ", field.rank, " given, expected ",
             spatial + components + batch, ": ", spatial, " spatial axes", components ? ", a component axis" : "",
             batch ? ", a batch axis" : "", components ? "" : "; set component_axis if one axis counts components");
    const bool outside = field.component_axis >= field.rank || field.batch_axis >= field.rank ||
                         field.component_axis < -1 || field.batch_axis < -1;
    if (outside || (components && field.component_axis == field.batch_axis))
        fail(SURROGATE_ERROR_SHAPE, named.str(), ": component_axis ", field.component_axis, " and batch_axis ",
             field.batch_axis, " given, expected two different axes below the rank ", field.rank, ", or -1 for none");
    const std::int64_t count = components ? field.shape[field.component_axis] : 1;
    if (count != named.spec.components)
        fail(SURROGATE_ERROR_FIELD, named.str(), ": ", count, " components given",
             components ? "" : " (component_axis is -1)", ", expected ", named.spec.components, "; shape ",
             shape_of(field));
}

void check_extent(const Named &named, const surrogate_field &field) {
    const std::int64_t element = size_of(field.dtype);
    std::int64_t extent = element, cells = element;
    for (int k = 0; k < field.rank; ++k) {
        const std::int64_t n = field.shape[k], stride = field.strides[k];
        if (n < 1)
            fail(SURROGATE_ERROR_SHAPE, named.str(), ": shape ", shape_of(field),
                 " given, expected at least 1 in axis ", k);
        if (stride % element)
            fail(SURROGATE_ERROR_SHAPE, named.str(), ": stride ", stride, " of axis ", k,
                 " given, expected a multiple of the element's ", element, " bytes (strides are in bytes)");
        std::int64_t reach = 0;
        if (__builtin_mul_overflow(n - 1, stride, &reach) || __builtin_mul_overflow(cells, n, &cells) ||
            cells > LARGEST_EXTENT || reach > LARGEST_EXTENT || reach < -LARGEST_EXTENT ||
            (extent += reach < 0 ? -reach : reach) > LARGEST_EXTENT)
            fail(SURROGATE_ERROR_SHAPE, named.str(), ": shape ", shape_of(field),
                 " with its strides is larger than any memory");
    }
}

/// "host memory", "memory of cuda:1"
std::string memory_text(int memory, int device) {
    return memory == SURROGATE_CUDA ? text("memory of cuda:", device) : std::string("host memory");
}

/// Shape of the state: taken from the first field, compared with the others.
void join(State &state, bool first, const Named &named, const surrogate_field &field, const FieldSpec &reference) {
    std::int64_t shape[3] = {1, 1, 1};
    int axis = 0;
    for (int k = 0; k < field.rank; ++k)
        if (k != field.component_axis && k != field.batch_axis)
            shape[axis++] = field.shape[k];
    const std::int64_t batch = field.batch_axis >= 0 ? field.shape[field.batch_axis] : 1;
    const int device = field.memory == SURROGATE_CUDA ? field.device : 0;
    if (first) {
        state.dtype = field.dtype;
        state.memory = field.memory;
        state.device = device;
        state.batch = batch;
        std::copy(shape, shape + 3, state.shape);
        return;
    }
    if (field.dtype != state.dtype)
        fail(SURROGATE_ERROR_DTYPE, named.str(), ": ", dtype_text(field.dtype), " given, expected ",
             dtype_text(state.dtype), " as field '", reference.name, "'; all fields of a call have one dtype");
    if (field.memory != state.memory || device != state.device)
        fail(SURROGATE_ERROR_ARGUMENT, named.str(), ": ", memory_text(field.memory, device), " given, expected ",
             memory_text(state.memory, state.device), " as field '", reference.name,
             "'; all fields of a call lie in one memory");
    if (!std::equal(shape, shape + 3, state.shape))
        fail(SURROGATE_ERROR_SHAPE, named.str(), ": spatial shape ", list_text(shape, axis), " given, expected ",
             list_text(state.shape, axis), " as field '", reference.name, "'; all fields share one grid");
    if (batch != state.batch)
        fail(SURROGATE_ERROR_SHAPE, named.str(), ": a batch of ", batch, " states given, expected ", state.batch,
             " as field '", reference.name, "'");
}

void fill_channels(Channel *channels, const surrogate_field &field, int components) {
    Channel channel;
    channel.data = static_cast<char *>(field.data);
    if (field.batch_axis >= 0)
        channel.batch_stride = field.strides[field.batch_axis];
    int axis = 0;
    for (int k = 0; k < field.rank; ++k)
        if (k != field.component_axis && k != field.batch_axis)
            channel.strides[axis++] = field.strides[k];
    for (int c = 0; c < components; ++c) {
        channels[c] = channel;
        if (field.component_axis >= 0)
            channels[c].data += c * field.strides[field.component_axis];
    }
}

/// Too few fields are compared with the manifest's; too many may be a count larger than the array, and are not read.
[[noreturn]] void fail_count(const Manifest &manifest, const surrogate_field *fields, std::size_t count) {
    std::vector<std::string> missing;
    for (const auto &spec : manifest.fields) {
        bool given = false;
        for (std::size_t i = 0; i < count && count < manifest.fields.size(); ++i)
            given = given || (fields[i].name && spec.name == fields[i].name);
        if (!given)
            missing.push_back(spec.name);
    }
    fail(SURROGATE_ERROR_FIELD, count, " fields given, expected ", manifest.fields.size(), ": ",
         names_text(manifest.field_names()),
         missing.size() == manifest.fields.size() ? std::string() : "; missing: " + names_text(missing));
}

/// The manifest's index of entry `i` of a call.
std::size_t find_field(const Manifest &manifest, Role role, const surrogate_field &field, std::size_t i) {
    if (!field.name)
        return i;
    const std::size_t count = manifest.fields.size();
    if (manifest.fields[i].name == field.name) // the usual order costs one comparison
        return i;
    for (std::size_t k = 0; k < count; ++k)
        if (manifest.fields[k].name == field.name)
            return k;
    const auto names = manifest.field_names();
    fail(SURROGATE_ERROR_FIELD, role_name(role), " field '", field.name, "' is unknown", suggestion(field.name, names),
         "; the model's fields are ", names_text(names));
}

} // namespace

std::string dtype_text(int dtype) {
    return dtype == SURROGATE_FLOAT32 ? "float32" : dtype == SURROGATE_FLOAT64 ? "float64" : text("dtype ", dtype);
}

State::State(const Manifest &manifest)
    : channels(static_cast<std::size_t>(manifest.input_channels)), fields(manifest.fields.size()) {}

void resolve(State &state, const Manifest &manifest, Role role, const surrogate_field *fields, std::size_t count) {
    if (!fields)
        fail(SURROGATE_ERROR_ARGUMENT, role_name(role), " is NULL, expected an array of ", manifest.fields.size(),
             " fields");
    if (count != manifest.fields.size())
        fail_count(manifest, fields, count);
    std::fill(state.fields.begin(), state.fields.end(), nullptr);
    const FieldSpec *reference = nullptr;
    for (std::size_t i = 0; i < count; ++i) {
        const surrogate_field &field = fields[i];
        const std::size_t index = find_field(manifest, role, field, i);
        const FieldSpec &spec = manifest.fields[index];
        const Named named{role, spec};
        if (state.fields[index])
            fail(SURROGATE_ERROR_FIELD, named.str(), " is given twice; the model's fields are ",
                 names_text(manifest.field_names()));
        state.fields[index] = &field;
        Channel *channels = &state.channels[static_cast<std::size_t>(spec.first_input)];
        if (role == Role::output && !spec.predicted()) {
            std::fill(channels, channels + spec.components, Channel());
            continue;
        }
        check_memory(named, field);
        check_unit(named, field);
        check_axes(named, field, manifest.grid.rank);
        check_extent(named, field);
        join(state, !reference, named, field, reference ? *reference : spec);
        if (!reference)
            reference = &spec;
        fill_channels(channels, field, spec.components);
    }
}

/// "the spacing that the model was trained at ([0.5, 0.5] m)"
static std::string spacing_text(const Grid &grid) {
    std::string out = "the spacing that the model was trained at";
    for (int k = 0; k < grid.rank && grid.spacing[0] > 0; ++k)
        append(out, text(k ? ", " : " ([", grid.spacing[k]));
    if (grid.spacing[0] > 0)
        append(out, text("]", unit_suffix(grid.spacing_unit), ")"));
    return out;
}

void check_array(Role role, const surrogate_field &field) {
    FieldSpec spec;
    spec.name = field.name ? field.name : "";
    const Named named{role, spec};
    check_memory(named, field);
    if (field.rank < 1 || field.rank > SURROGATE_MAX_RANK)
        fail(SURROGATE_ERROR_SHAPE, named.str(), ": rank ", field.rank, " given, expected 1 to ", SURROGATE_MAX_RANK);
    check_extent(named, field);
}

void check_grid(const Grid &grid, const std::int64_t *shape) {
    for (int k = 0; k < grid.rank; ++k) {
        if (grid.fixed && shape[k] != grid.fixed_shape[k])
            fail(SURROGATE_ERROR_SHAPE, "grid ", list_text(shape, grid.rank), " given, expected exactly ",
                 list_text(grid.fixed_shape, grid.rank), ", the only size this model takes");
        if (shape[k] < grid.minimum_shape[k])
            fail(SURROGATE_ERROR_SHAPE, "grid ", list_text(shape, grid.rank), " given, expected at least ",
                 list_text(grid.minimum_shape, grid.rank));
        if (shape[k] % grid.multiple_of[k])
            fail(SURROGATE_ERROR_SHAPE, "grid ", list_text(shape, grid.rank), " given, expected multiples of ",
                 list_text(grid.multiple_of, grid.rank), " (axes ", text(grid.axes[0]),
                 grid.rank > 1 ? ", " + grid.axes[1] : std::string(), grid.rank > 2 ? ", " + grid.axes[2] : "",
                 "); choose the domain's size so, and keep ", spacing_text(grid),
                 ": other cells are other physics to the model");
    }
}

void check_agreement(const State &output, const State &input, int rank, std::int64_t times) {
    if (output.dtype != input.dtype)
        fail(SURROGATE_ERROR_DTYPE, "output of ", dtype_text(output.dtype), " and input of ", dtype_text(input.dtype),
             " given, expected the same dtype");
    if (output.memory != input.memory || output.device != input.device)
        fail(SURROGATE_ERROR_ARGUMENT, "output in ", memory_text(output.memory, output.device), " and input in ",
             memory_text(input.memory, input.device), " given, expected the same");
    if (!std::equal(output.shape, output.shape + 3, input.shape))
        fail(SURROGATE_ERROR_SHAPE, "output grid ", list_text(output.shape, rank), " given, expected ",
             list_text(input.shape, rank), " as the input");
    if (output.batch != input.batch * times)
        fail(SURROGATE_ERROR_SHAPE, "output batch of ", output.batch, " states given, expected ", input.batch * times,
             times == 1 ? std::string(" as the input") : text(": ", times, " for each state of the input"));
}

void check_same(const State &frame, const State &newest, int k, int rank) {
    const bool same_shape = std::equal(frame.shape, frame.shape + 3, newest.shape) && frame.batch == newest.batch;
    if (frame.memory != newest.memory || frame.device != newest.device)
        fail(SURROGATE_ERROR_ARGUMENT, "input frame ", k, " in ", memory_text(frame.memory, frame.device),
             " given, expected ", memory_text(newest.memory, newest.device), " as the newest");
    if (frame.dtype == newest.dtype && same_shape)
        return;
    fail(same_shape ? SURROGATE_ERROR_DTYPE : SURROGATE_ERROR_SHAPE, "input frame ", k, ": grid ",
         list_text(frame.shape, rank), ", batch ", frame.batch, ", ", dtype_text(frame.dtype), " given, expected ",
         list_text(newest.shape, rank), ", ", newest.batch, ", ", dtype_text(newest.dtype),
         " as in the newest frame; all frames of the history are alike");
}

} // namespace surrogate::core
