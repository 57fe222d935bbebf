// Overlap of strided arrays against the list of every byte.
#include "check.h"
#include "overlap.h"

#include <random>
#include <set>

using namespace surrogate::core;

static std::set<std::uintptr_t> bytes(const Strided &a, std::int64_t element, bool *twice) {
    std::set<std::uintptr_t> all;
    std::int64_t index[Strided::MAX_RANK] = {};
    for (;;) {
        std::uintptr_t at = a.address;
        for (int k = 0; k < a.rank; ++k)
            at += static_cast<std::uintptr_t>(index[k] * a.strides[k]);
        for (std::int64_t e = 0; e < element; ++e)
            *twice |= !all.insert(at + static_cast<std::uintptr_t>(e)).second;
        int k = a.rank - 1;
        while (k >= 0 && ++index[k] == a.shape[k])
            index[k--] = 0;
        if (k < 0)
            return all;
    }
}

static bool meet(const std::set<std::uintptr_t> &a, const std::set<std::uintptr_t> &b) {
    for (const auto byte : a)
        if (b.count(byte))
            return true;
    return false;
}

static Strided array(std::uintptr_t address, std::initializer_list<std::int64_t> shape,
                     std::initializer_list<std::int64_t> strides) {
    Strided a;
    a.address = address;
    a.rank = static_cast<int>(shape.size());
    std::copy(shape.begin(), shape.end(), a.shape);
    std::copy(strides.begin(), strides.end(), a.strides);
    return a;
}

static void arrays_as_solvers_have_them() {
    // Members of a record: [ny][nx][5] doubles.
    const auto member = [](std::uintptr_t c) { return array(4096 + 8 * c, {64, 64}, {64 * 40, 40}); };
    CHECK(!share_memory(member(0), member(1), 8) && !share_memory(member(4), member(0), 8));
    CHECK(share_memory(member(2), member(2), 8) && share_memory(array(4100, {64, 64}, {64 * 40, 40}), member(0), 8));
    // Left and right half of the same rows, and halves that share a column.
    CHECK(!share_memory(array(4096, {64, 32}, {512, 8}), array(4096 + 256, {64, 32}, {512, 8}), 8));
    CHECK(share_memory(array(4096, {64, 33}, {512, 8}), array(4096 + 256, {64, 32}, {512, 8}), 8));
    // The same rows upside down, even and odd rows, and a transposed view.
    CHECK(share_memory(array(4096, {64, 64}, {512, 8}), array(4096 + 63 * 512, {64, 64}, {-512, 8}), 8));
    CHECK(!share_memory(array(4096, {32, 64}, {1024, 8}), array(4096 + 512, {32, 64}, {1024, 8}), 8));
    CHECK(share_memory(array(4096, {64, 64}, {512, 8}), array(4096, {64, 64}, {8, 512}), 8));
    // Huge arrays cost nothing.
    CHECK(!share_memory(array(4096, {1 << 20, 1 << 20}, {1 << 24, 16}), array(4104, {1 << 20, 1 << 20}, {1 << 24, 16}),
                        8));
    CHECK(overlaps_itself(array(4096, {4, 4}, {0, 8}), 8) && !overlaps_itself(array(4096, {1, 4}, {0, -8}), 8));
}

static void random_arrays() {
    std::mt19937 random(3);
    int met = 0;
    const auto pick = [&](int least, int most) {
        return least + static_cast<int>(random() % static_cast<unsigned>(most - least + 1));
    };
    for (int i = 0; i < 20000; ++i) {
        Strided a[2];
        std::set<std::uintptr_t> all[2];
        bool twice[2] = {};
        for (int k = 0; k < 2; ++k) {
            a[k].address = static_cast<std::uintptr_t>(100000 + 2 * pick(0, 100));
            a[k].rank = pick(1, 3);
            for (int r = 0; r < a[k].rank; ++r) {
                a[k].shape[r] = pick(1, 5);
                a[k].strides[r] = 2 * pick(-30, 30);
            }
            all[k] = bytes(a[k], 4, &twice[k]);
            if (twice[k])
                CHECK(overlaps_itself(a[k], 4));
        }
        const bool truth = meet(all[0], all[1]);
        met += truth;
        CHECK(share_memory(a[0], a[1], 4) == truth);
    }
    CHECK(met > 2000 && met < 18000);
}

int main() {
    arrays_as_solvers_have_them();
    random_arrays();
    return finish();
}
