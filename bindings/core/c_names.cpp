// Names of statuses and reasons, and the helpers that describe arrays: nothing here can fail.
#include <surrogate/surrogate.h>

#include <algorithm>

extern "C" {

#define NAME(value)                                                                                                    \
    case value:                                                                                                        \
        return #value

const char *surrogate_status_name(int status) {
    switch (status) {
        NAME(SURROGATE_OK);
        NAME(SURROGATE_REJECTED);
        NAME(SURROGATE_ERROR_ARGUMENT);
        NAME(SURROGATE_ERROR_NOT_FOUND);
        NAME(SURROGATE_ERROR_CORRUPT);
        NAME(SURROGATE_ERROR_SCHEMA);
        NAME(SURROGATE_ERROR_SHAPE);
        NAME(SURROGATE_ERROR_DTYPE);
        NAME(SURROGATE_ERROR_FIELD);
        NAME(SURROGATE_ERROR_UNIT);
        NAME(SURROGATE_ERROR_OVERLAP);
        NAME(SURROGATE_ERROR_ENGINE);
        NAME(SURROGATE_ERROR_EXECUTION);
        NAME(SURROGATE_ERROR_MEMORY);
        NAME(SURROGATE_ERROR_UNSUPPORTED);
        NAME(SURROGATE_ERROR_PARAMETER);
        NAME(SURROGATE_ERROR_WRITE);
        NAME(SURROGATE_ERROR_TIMEOUT);
        NAME(SURROGATE_ERROR_MPI);
        NAME(SURROGATE_ERROR_INTERNAL);
    default:
        return "unknown";
    }
}

const char *surrogate_reason_name(int reason) {
    switch (reason) {
        NAME(SURROGATE_REASON_NONE);
        NAME(SURROGATE_REASON_INPUT_NOT_FINITE);
        NAME(SURROGATE_REASON_OUTPUT_NOT_FINITE);
        NAME(SURROGATE_REASON_INPUT_OUT_OF_BOUNDS);
        NAME(SURROGATE_REASON_OUTPUT_OUT_OF_BOUNDS);
        NAME(SURROGATE_REASON_INPUT_OUT_OF_RANGE);
        NAME(SURROGATE_REASON_INPUT_UNLIKE_TRAINING);
        NAME(SURROGATE_REASON_NOT_CONSERVED);
        NAME(SURROGATE_REASON_JUMP_OUT_OF_RANGE);
        NAME(SURROGATE_REASON_SPREAD_TOO_LARGE);
    default:
        return "unknown";
    }
}

void surrogate_field_init_ghost(surrogate_field *field, const char *name, void *data, int dtype, int rank,
                                const int64_t *shape, const int64_t *ghost) {
    if (!field)
        return;
    surrogate_field made{}; // apart, as `shape` may be field->shape
    made.name = name;
    made.dtype = dtype;
    made.memory = SURROGATE_HOST;
    made.rank = rank;
    made.component_axis = made.batch_axis = -1;
    // Unsigned arithmetic: absurd shapes wrap here and are refused by predict.
    uint64_t stride = dtype == SURROGATE_FLOAT64 ? 8 : 4, offset = 0;
    for (int k = std::min(rank, SURROGATE_MAX_RANK) - 1; shape && k >= 0; --k) {
        const uint64_t margin = ghost ? static_cast<uint64_t>(ghost[k]) : 0;
        made.shape[k] = shape[k];
        made.strides[k] = static_cast<int64_t>(stride);
        offset += margin * stride;
        stride *= static_cast<uint64_t>(shape[k]) + 2 * margin;
    }
    made.data = reinterpret_cast<void *>(data ? reinterpret_cast<uintptr_t>(data) + offset : 0);
    *field = made;
}

void surrogate_field_init(surrogate_field *field, const char *name, void *data, int dtype, int rank,
                          const int64_t *shape) {
    surrogate_field_init_ghost(field, name, data, dtype, rank, shape, nullptr);
}

} // extern "C"
