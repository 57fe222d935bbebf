// Public field descriptions, validated against the manifest and resolved into channels.
#pragma once

#include "manifest.h"

#include <surrogate/surrogate.h>

namespace surrogate::core {

/// One component of one field: where cell [0]..[0] of state 0 stands, and how far it is to the next ones, in bytes.
struct Channel {
    char *data = nullptr;
    std::int64_t batch_stride = 0;
    std::int64_t strides[3] = {};
};

/// All channels of a call's input or output, in the manifest's order. Made once, filled at every call.
struct State {
    explicit State(const Manifest &manifest);

    int dtype = 0, memory = SURROGATE_HOST, device = 0; // device: CUDA ordinal, 0 on the host
    std::int64_t batch = 0;                             // number of states
    std::int64_t shape[3] = {};
    std::vector<Channel> channels;               // one for each input channel; data NULL: ignored
    std::vector<const surrogate_field *> fields; // by the manifest's index; borrowed during the call
    std::int64_t cells() const { return shape[0] * shape[1] * shape[2]; } // unused axes are 1
};

enum class Role { input, output, recorded };

inline std::int64_t size_of(int dtype) {
    return dtype == SURROGATE_FLOAT64 ? 8 : 4;
}

/// For messages: "float32", or "dtype 7" of a number that names none.
std::string dtype_text(int dtype);

/// Validate `count` descriptions and fill `state`. Fields that are not predicted are ignored in the output.
void resolve(State &state, const Manifest &manifest, Role role, const surrogate_field *fields, std::size_t count);

/// Fail unless `field`, which belongs to no manifest, describes memory that can be read: dtype, address, extent.
void check_array(Role role, const surrogate_field &field);

/// Fail unless the grid rule admits the shape.
void check_grid(const Grid &grid, const std::int64_t *shape);

/// Fail unless output and input agree in memory, dtype and shape, and the output holds `times` states for each of the
/// input.
void check_agreement(const State &output, const State &input, int rank, std::int64_t times);

/// Fail unless frame `k` of a history agrees with the newest in memory, dtype, shape and batch.
void check_same(const State &frame, const State &newest, int k, int rank);

/// Fail with ERROR_OVERLAP if memory that is written is also read, except as its own field's same array.
void check_overlap(const State &output, const State &input, const Manifest &manifest);

/// Fail with ERROR_OVERLAP if a field of `state` shares memory with the `count` floats at `packed`.
void check_packed(const float *packed, std::int64_t count, const State &state, Role role, const Manifest &manifest);

/// Fail with ERROR_OVERLAP if two outputs, mean and spread, share memory.
void check_apart(const State &mean, const State &spread, const Manifest &manifest);

} // namespace surrogate::core
