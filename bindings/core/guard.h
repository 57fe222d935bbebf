// Limits that a value must keep to be trusted, and what is remembered of one that did not.
#pragma once

#include "fields.h"

namespace surrogate::core {

/// Limits of one channel in a caller's precision. One comparison of each value with lower and upper finds NaN,
/// infinities and broken bounds at once.
template <class T> struct Limits {
    T lower, upper;
    bool checked;
};

/// Limits of an input or output value under the guards of its field.
template <class T> Limits<T> limits(const GuardSpec &guards, std::size_t field);

/// The first value that broke a limit.
struct Offence {
    int reason = SURROGATE_REASON_NONE;
    int field = -1, component = 0;
    int frame = 0; // of the history that the program reads, 0: the newest
    std::int64_t batch = 0, cell[3] = {};
    double value = 0;
    Bounds bounds;
};

/// The nearest T on the inner side of a bound (`towards`: +1 for a lower, -1 for an upper one), so that comparing in T
/// decides as comparing in double would.
template <class T> T inward(double bound, int towards);

/// Why `value` is refused (SURROGATE_REASON_*; NONE if it is not), as input or output.
int judge(double value, const GuardSpec &guards, std::size_t field, Role role);

/// Look for the first cell whose value(cell) is refused by judge_value; fills reason, cell and value.
template <class Value, class Judge>
bool find_cell(Offence &offence, const std::int64_t *shape, Value value, Judge judge_value) {
    std::int64_t cell[3];
    for (cell[0] = 0; cell[0] < shape[0]; ++cell[0])
        for (cell[1] = 0; cell[1] < shape[1]; ++cell[1])
            for (cell[2] = 0; cell[2] < shape[2]; ++cell[2]) {
                const double found = value(cell);
                if (const int reason = judge_value(found)) {
                    offence.reason = reason;
                    offence.value = found;
                    for (int k = 0; k < 3; ++k)
                        offence.cell[k] = cell[k];
                    return true;
                }
            }
    return false;
}

/// The value of a cell of one channel, in state `batch`.
template <class T> T cell_value(const Channel &channel, std::int64_t batch, const std::int64_t *cell) {
    const char *at = channel.data + batch * channel.batch_stride;
    for (int k = 0; k < 3; ++k)
        at += cell[k] * channel.strides[k];
    return *reinterpret_cast<const T *>(at);
}

/// Text for people, without heap allocation once `out` has grown.
void describe(std::string &out, const Offence &offence, const Manifest &manifest, std::int64_t batch);

} // namespace surrogate::core
