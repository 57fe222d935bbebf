// Dense axes become one row, and every cell is visited once and in order.
#include "check.h"
#include "rows.h"
#include "sha256.h"

#include <vector>

using surrogate::core::Rows;

static std::vector<std::int64_t> visited(const std::int64_t (&shape)[3], const std::int64_t (&strides)[3], int *rows) {
    const Rows<1> loop(shape, {strides});
    std::vector<std::int64_t> offsets;
    *rows = 0;
    loop.each([&](const std::int64_t(&offset)[1]) {
        ++*rows;
        for (std::int64_t i = 0; i < loop.length(); ++i)
            offsets.push_back(offset[0] + i * loop.strides[0][2]);
        return true;
    });
    return offsets;
}

static int check(std::int64_t nz, std::int64_t ny, std::int64_t nx, std::int64_t sz, std::int64_t sy, std::int64_t sx) {
    int rows = 0;
    const auto offsets = visited({nz, ny, nx}, {sz, sy, sx}, &rows);
    std::size_t i = 0;
    CHECK(offsets.size() == static_cast<std::size_t>(nz * ny * nx));
    for (std::int64_t z = 0; z < nz; ++z)
        for (std::int64_t y = 0; y < ny; ++y)
            for (std::int64_t x = 0; x < nx; ++x, ++i)
                CHECK(offsets[i] == z * sz + y * sy + x * sx);
    return rows;
}

int main() {
    CHECK(check(64, 64, 1, 64 * 4, 4, 0) == 1); // dense, two axes
    CHECK(check(4, 5, 6, 120, 24, 4) == 1);     // dense, three axes
    CHECK(check(4, 5, 6, 200, 24, 4) == 4);     // padded in y
    CHECK(check(4, 5, 6, 200, 40, 4) == 20);    // padded in x
    CHECK(check(4, 5, 6, 1000, 40, 4) == 20);   // padded in both
    CHECK(check(4, 5, 6, -1000, -40, 4) == 20); // upside down
    CHECK(check(5, 6, 1, 40, 8, 0) == 5);       // two axes, padded
    CHECK(check(7, 1, 1, -12, 0, 0) == 1);      // one axis
    CHECK(check(1, 1, 1, 0, 0, 0) == 1);        // one cell
    CHECK(check(4, 1, 6, 24, 0, 4) == 1);       // an axis of one cell in the middle
    CHECK(check(4, 5, 6, 4, 16, 80) == 20);     // transposed
    return finish();
}
