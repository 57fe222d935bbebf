// What the builders of surrogate.hpp write into a surrogate_field.  No bundle needed.
#include "check.hpp"

#include <surrogate/surrogate.hpp>

namespace {

// Like std::mdspan<const float, dextents<3>, layout_left>.
struct Left {
    const float *first;
    const float *data_handle() const { return first; }
    static constexpr unsigned rank() { return 3; }
    long extent(unsigned axis) const { return 2 + static_cast<long>(axis); }
    long stride(unsigned axis) const { return axis == 0 ? 1 : axis == 1 ? 2 : 6; }
};

// Like a Kokkos::View: data() instead of data_handle().
struct Strided {
    double *first;
    double *data() const { return first; }
    static constexpr int rank() { return 1; }
    int extent(int) const { return 4; }
    int stride(int) const { return -2; }
};

void dense() {
    double cells[24] = {};
    const std::size_t ny = 4;
    const int nx = 6;
    const surrogate::Field field = surrogate::field("rho", cells, {ny, nx});
    surrogate_field expected;
    const std::int64_t shape[] = {4, 6};
    surrogate_field_init(&expected, "rho", cells, SURROGATE_FLOAT64, 2, shape);
    CHECK(field.data == expected.data && field.dtype == expected.dtype && field.rank == expected.rank);
    CHECK(field.component_axis == expected.component_axis && field.batch_axis == expected.batch_axis);
    CHECK(field.memory == expected.memory && field.unit == nullptr && field.reserved[0] == nullptr);
    for (int axis = 0; axis < 2; ++axis)
        CHECK(field.shape[axis] == expected.shape[axis] && field.strides[axis] == expected.strides[axis]);
    const auto more = surrogate::unit(surrogate::batched(surrogate::components(field, 0), 1), "m");
    CHECK(more.component_axis == 0 && more.batch_axis == 1 && more.unit[0] == 'm' && field.unit == nullptr);
    CHECK(surrogate::on_cuda(field, 1).memory == SURROGATE_CUDA && surrogate::on_cuda(field, 1).device == 1);
}

void ghosts() {
    float cells[8 * 12] = {};
    const auto field = surrogate::ghosted("p", cells, {4, 6}, {2, 3});
    surrogate_field expected;
    const std::int64_t shape[] = {4, 6}, width[] = {2, 3};
    surrogate_field_init_ghost(&expected, "p", cells, SURROGATE_FLOAT32, 2, shape, width);
    CHECK(field.data == expected.data && field.data == &cells[2 * 12 + 3]);
    for (int axis = 0; axis < 2; ++axis)
        CHECK(field.shape[axis] == expected.shape[axis] && field.strides[axis] == expected.strides[axis]);
}

void views() {
    const float cells[24] = {};
    const surrogate::ConstField left = surrogate::field("v", Left{cells});
    CHECK(left.dtype == SURROGATE_FLOAT32 && left.rank == 3 && left.data == cells);
    CHECK(left.shape[2] == 4 && left.strides[0] == 4 && left.strides[1] == 8 && left.strides[2] == 24);
    double line[8] = {};
    const surrogate::Field reversed = surrogate::field("w", Strided{line + 7});
    CHECK(reversed.strides[0] == -16 && reversed.shape[0] == 4 && reversed.data == line + 7);
}

void vectors() {
    std::vector<double> cells(24);
    const std::vector<double> &fixed = cells;
    const surrogate::Field field = surrogate::field("rho", cells, {4, 6});
    const surrogate::ConstField read_only = surrogate::field("rho", fixed, {4, 6});
    CHECK(field.data == read_only.data);
    static_assert(!std::is_convertible_v<surrogate::ConstField, surrogate::Field>, "constness cannot be lost");
    static_assert(std::is_convertible_v<surrogate::Field, surrogate::ConstField>, "a field can be read");
    static_assert(!std::is_constructible_v<surrogate::Fields<surrogate::Field>, std::vector<surrogate::ConstField>>,
                  "read-only memory is no output");
    try {
        surrogate::field("rho", cells, {4, 7});
        CHECK(false);
    } catch (const surrogate::Error &error) {
        CHECK(error.status() == SURROGATE_ERROR_SHAPE);
        CHECK(std::string(error.what()).find("24") != std::string::npos);
    }
    try {
        surrogate::ghosted("rho", cells.data(), {4, 6}, {1});
        CHECK(false);
    } catch (const surrogate::Error &error) {
        CHECK(error.status() == SURROGATE_ERROR_SHAPE);
    }
}

} // namespace

int main() {
    dense();
    ghosts();
    views();
    vectors();
    std::puts("all held");
}
