// Walking the cells of one channel as rows that are as long as the memory allows.
#pragma once

#include <cstdint>

namespace surrogate::core {

/// Strides in bytes of a dense float32 array.
inline void dense_float_strides(std::int64_t (&strides)[3], const std::int64_t *shape) {
    strides[2] = sizeof(float);
    strides[1] = strides[2] * shape[2];
    strides[0] = strides[1] * shape[1];
}

/// Loops over a grid of up to three axes, with the strides (bytes) of N arrays. Axes that follow one another densely
/// in every array are merged: a dense 64 x 64 field is one row of 4096. `unit`: only rows of a multiple of `unit` cells
/// are merged, so that cell i of the grid is cell i of its row, modulo `unit`.
template <int N> struct Rows {
    std::int64_t shape[3] = {1, 1, 1}; // slowest first; the last is the row
    std::int64_t strides[N][3] = {};

    Rows(const std::int64_t *cells, const std::int64_t *const (&&given)[N], std::int64_t unit = 1) {
        int last = 2; // axes are filled from the back
        for (int k = 2; k >= 0; --k) {
            if (cells[k] == 1)
                continue;
            if (shape[last] > 1 && shape[last] % unit == 0 && mergeable(last, given, k))
                shape[last] *= cells[k];
            else {
                if (shape[last] > 1)
                    --last;
                shape[last] = cells[k];
                for (int a = 0; a < N; ++a)
                    strides[a][last] = given[a][k];
            }
        }
    }

    /// Call row(offsets in bytes of the row's first cell in each array) for every row until one returns false.
    template <class Row> bool each(Row row) const {
        std::int64_t offset[N];
        for (std::int64_t i = 0; i < shape[0]; ++i)
            for (std::int64_t j = 0; j < shape[1]; ++j) {
                for (int a = 0; a < N; ++a)
                    offset[a] = i * strides[a][0] + j * strides[a][1];
                if (!row(offset))
                    return false;
            }
        return true;
    }

    std::int64_t length() const { return shape[2]; }

  private:
    bool mergeable(int last, const std::int64_t *const (&given)[N], int k) const {
        for (int a = 0; a < N; ++a)
            if (given[a][k] != strides[a][last] * shape[last])
                return false;
        return true;
    }
};

} // namespace surrogate::core
