// Any layout gives the same bits: random strides, ghost cells, component and batch axes against plain dense calls.
#include "check.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

namespace {

std::mt19937 generator(17);

int pick(int least, int most) {
    return least + static_cast<int>(generator() % static_cast<unsigned>(most - least + 1));
}

/// One field laid out at random inside a larger array that is filled with a mark.
template <class T> struct Layout {
    std::vector<T> memory;
    surrogate_field field{};
    std::vector<std::int64_t> logical; // strides in elements of (batch, component, spatial...)

    Layout(const char *name, std::int64_t batch, std::int64_t components, const std::vector<std::int64_t> &cells,
           T mark) {
        std::vector<std::int64_t> sizes = {batch, components};
        sizes.insert(sizes.end(), cells.begin(), cells.end());
        std::vector<int> axes; // those the description has, in a random order
        for (int a = 0; a < static_cast<int>(sizes.size()); ++a)
            if (sizes[static_cast<std::size_t>(a)] > 1 || a >= 2 || pick(0, 1))
                axes.push_back(a);
        // Spatial axes keep their order; where the batch and component axes stand is free.
        std::vector<int> order = axes;
        std::shuffle(order.begin(), order.end(), generator);
        std::vector<int> spatial;
        for (int a = 2; a < static_cast<int>(sizes.size()); ++a)
            spatial.push_back(a);
        std::size_t next = 0;
        for (int &a : order)
            if (a >= 2)
                a = spatial[next++];
        // Memory order is another random one, with margins and every second element here and there.
        std::vector<int> memory_order = axes;
        if (pick(0, 1))
            std::shuffle(memory_order.begin(), memory_order.end(), generator);
        logical.assign(sizes.size(), 0);
        std::int64_t extent = 1, origin = 0;
        for (auto a = memory_order.rbegin(); a != memory_order.rend(); ++a) {
            const auto k = static_cast<std::size_t>(*a);
            const std::int64_t step = pick(0, 4) ? 1 : 2, margin = pick(0, 2) ? 0 : pick(1, 3);
            const bool flipped = pick(0, 4) == 0;
            logical[k] = extent * step * (flipped ? -1 : 1);
            origin += extent * (margin + (flipped ? step * (sizes[k] - 1) : 0));
            extent *= step * sizes[k] + 2 * margin;
        }
        memory.assign(static_cast<std::size_t>(extent), mark);
        field.name = name;
        field.dtype = sizeof(T) == 8 ? SURROGATE_FLOAT64 : SURROGATE_FLOAT32;
        field.data = memory.data() + origin;
        field.rank = static_cast<int>(order.size());
        field.component_axis = field.batch_axis = -1;
        for (int r = 0; r < field.rank; ++r) {
            const auto a = static_cast<std::size_t>(order[static_cast<std::size_t>(r)]);
            field.shape[r] = sizes[a];
            field.strides[r] = logical[a] * static_cast<std::int64_t>(sizeof(T));
            if (a == 0)
                field.batch_axis = r;
            if (a == 1)
                field.component_axis = r;
        }
    }

    /// Elements in logical order (batch, component, cells).
    template <class Visit>
    void each(std::int64_t batch, std::int64_t components, const std::vector<std::int64_t> &cells, Visit visit) {
        std::vector<std::int64_t> sizes = {batch, components};
        sizes.insert(sizes.end(), cells.begin(), cells.end());
        const std::int64_t count = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies<>());
        for (std::int64_t i = 0; i < count; ++i) {
            std::int64_t rest = i, offset = 0;
            for (std::size_t k = sizes.size(); k-- > 0; rest /= sizes[k])
                offset += rest % sizes[k] * logical[k];
            visit(i, static_cast<T *>(field.data)[offset]);
        }
    }
};

struct Spec {
    const char *name;
    std::int64_t components;
    bool predicted;
};

template <class T>
void one_case(surrogate_model *model, const std::vector<Spec> &specs, const std::vector<std::int64_t> &cells,
              std::int64_t batch, bool in_place) {
    const std::int64_t n = std::accumulate(cells.begin(), cells.end(), std::int64_t{1}, std::multiplies<>());
    std::int64_t channels = 0;
    for (const Spec &spec : specs)
        channels += spec.components;
    std::uniform_real_distribution<double> uniform(-2.0, 2.0);
    std::vector<T> values(static_cast<std::size_t>(batch * channels * n));
    for (T &value : values)
        value = static_cast<T>(uniform(generator));

    // The dense short form, one state after another, is what must come out.
    std::vector<T> expected(values.size(), T(-55));
    std::vector<std::int64_t> shape = {channels};
    shape.insert(shape.end(), cells.begin(), cells.end());
    const int dtype = sizeof(T) == 8 ? SURROGATE_FLOAT64 : SURROGATE_FLOAT32;
    for (std::int64_t b = 0; b < batch; ++b)
        CHECK_STATUS(surrogate_predict_array(model, expected.data() + b * channels * n,
                                             values.data() + b * channels * n, dtype, static_cast<int>(shape.size()),
                                             shape.data(), nullptr),
                     SURROGATE_OK, "");

    const T nan = std::numeric_limits<T>::quiet_NaN(); // margins must not be read
    std::vector<Layout<T>> in, out;
    std::vector<surrogate_field> in_fields, out_fields;
    std::int64_t first = 0;
    for (const Spec &spec : specs) {
        in.emplace_back(spec.name, batch, spec.components, cells, nan);
        out.emplace_back(spec.name, batch, spec.components, cells, T(-77));
        in.back().each(batch, spec.components, cells, [&](std::int64_t i, T &value) {
            const std::int64_t per = spec.components * n;
            value = values[static_cast<std::size_t>(i / per * channels * n + first * n + i % per)];
        });
        first += spec.components;
        in_fields.push_back(in.back().field);
        out_fields.push_back(in_place ? in.back().field : out.back().field);
    }
    std::shuffle(in_fields.begin(), in_fields.end(), generator);
    std::shuffle(out_fields.begin(), out_fields.end(), generator);
    if (!CHECK_STATUS(surrogate_predict(model, out_fields.data(), in_fields.data(), specs.size(), nullptr),
                      SURROGATE_OK, ""))
        return;
    first = 0;
    for (std::size_t f = 0; f < specs.size(); ++f) {
        std::size_t wrong = 0, seen = 0;
        const std::int64_t per = specs[f].components * n;
        Layout<T> &result = in_place ? in[f] : out[f];
        const T untouched = T(-77);
        result.each(batch, specs[f].components, cells, [&](std::int64_t i, T &value) {
            const auto at = static_cast<std::size_t>(i / per * channels * n + first * n + i % per);
            const T truth = specs[f].predicted ? expected[at] : in_place ? values[at] : untouched;
            wrong += std::memcmp(&value, &truth, sizeof(T)) != 0;
            value = in_place ? nan : untouched;
            ++seen;
        });
        CHECK(wrong == 0 && seen == static_cast<std::size_t>(batch * per));
        for (const T value : result.memory) // and margins not written
            wrong += in_place ? value == value : value != untouched;
        CHECK(wrong == 0);
        first += specs[f].components;
    }
}

template <class T> void cases(surrogate_model *model, const std::vector<Spec> &specs, std::size_t rank, int multiple) {
    for (int i = 0; i < 150; ++i) {
        std::vector<std::int64_t> cells;
        for (std::size_t k = 0; k < rank; ++k)
            cells.push_back(multiple * pick(1, 12 / multiple));
        one_case<T>(model, specs, cells, pick(0, 2) ? 1 : pick(2, 3), i % 3 == 0);
    }
}

void bundle_cases(const char *name, const std::vector<Spec> &specs, std::size_t rank, int multiple) {
    surrogate_model *model = open_bundle(name);
    cases<float>(model, specs, rank, multiple);
    cases<double>(model, specs, rank, multiple);
    surrogate_statistics s;
    s.struct_size = sizeof s;
    surrogate_get_statistics(model, &s);
    CHECK(s.output_passes == s.calls && s.ok == s.calls);
    surrogate_close(model);
}

/// Members of a record [ny][nx][6]: the frame goes into the gaps between what is read.
void interleaved_members_do_not_collide() {
    surrogate_model *model = open_bundle("identity");
    std::vector<double> records(8 * 8 * 6, 0.5);
    surrogate_field in, out;
    const std::int64_t shape[2] = {8, 8};
    surrogate_field_init(&in, "u", records.data(), SURROGATE_FLOAT64, 2, shape);
    in.strides[1] = 6 * 8;
    in.strides[0] = 8 * 6 * 8;
    out = in;
    out.data = records.data() + 3;
    CHECK_STATUS(surrogate_predict(model, &out, &in, 1, nullptr), SURROGATE_OK, "");
    CHECK(records[0] == 0.5 && records[3] == 1.0 && records[4] == 0.5 && records[8 * 8 * 6 - 3] == 1.0);
    surrogate_close(model);
}

} // namespace

int main(int argc, char **argv) {
    start(argc, argv);
    bundle_cases("flow", {{"rho", 1, true}, {"v", 2, true}, {"mask", 1, false}, {"p", 1, true}}, 2, 4);
    bundle_cases("line", {{"u", 2, true}}, 1, 1);
    bundle_cases("cube", {{"u", 1, true}, {"w", 1, true}}, 3, 1);
    interleaved_members_do_not_collide();
    return finish();
}
