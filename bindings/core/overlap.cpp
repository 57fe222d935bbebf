#include "overlap.h"

#include "error.h"
#include "fields.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace surrogate::core {

namespace {

/// Is |distance - sum of step[t] * x[t]| < element for integers 0 <= x[t] <= most[t]?  Depth first, greatest step
/// first: where steps nest, as those of slices of one array do, at most two x are possible at each level.
class Search {
  public:
    void add(std::int64_t step, std::int64_t most) {
        for (int t = 0; t < count_; ++t)
            if (step_[t] == step) {
                most_[t] += most;
                return;
            }
        step_[count_] = step;
        most_[count_++] = most;
    }

    bool run(std::int64_t distance, std::int64_t element) {
        element_ = element;
        order();
        return visit(0, distance);
    }

  private:
    void order() {
        for (int i = 0; i < count_; ++i)
            for (int j = i + 1; j < count_; ++j)
                if (step_[j] > step_[i]) {
                    std::swap(step_[i], step_[j]);
                    std::swap(most_[i], most_[j]);
                }
        reach_[count_] = 0;
        for (int t = count_ - 1; t >= 0; --t)
            reach_[t] = reach_[t + 1] + step_[t] * most_[t];
    }

    bool visit(int level, std::int64_t distance) {
        if (distance <= -element_ || distance >= reach_[level] + element_)
            return false;
        if (level == count_ || --budget_ < 0)
            return true;
        const std::int64_t step = step_[level];
        const std::int64_t most = std::min(most_[level], (distance + element_ - 1) / step);
        const std::int64_t short_of = distance - element_ + 1 - reach_[level + 1];
        const std::int64_t least = short_of > 0 ? (short_of + step - 1) / step : 0;
        for (std::int64_t x = least; x <= most; ++x)
            if (visit(level + 1, distance - x * step))
                return true;
        return false;
    }

    int count_ = 0;
    int budget_ = 20000;
    std::int64_t element_ = 1;
    std::int64_t step_[2 * Strided::MAX_RANK] = {};
    std::int64_t most_[2 * Strided::MAX_RANK] = {};
    std::int64_t reach_[2 * Strided::MAX_RANK + 1] = {};
};

} // namespace

Extent extent(const Strided &a, std::int64_t element) {
    std::int64_t below = 0, above = element - 1;
    for (int k = 0; k < a.rank; ++k)
        (a.strides[k] < 0 ? below : above) += (a.shape[k] - 1) * a.strides[k];
    return {a.address + static_cast<std::uintptr_t>(below), a.address + static_cast<std::uintptr_t>(above)};
}

bool same_array(const Strided &a, const Strided &b) {
    return a.address == b.address && a.rank == b.rank && std::equal(a.shape, a.shape + a.rank, b.shape) &&
           std::equal(a.strides, a.strides + a.rank, b.strides);
}

bool share_memory(const Strided &a, const Strided &b, std::int64_t element) {
    const Extent ea = extent(a, element), eb = extent(b, element);
    if (ea.last < eb.first || eb.last < ea.first)
        return false;
    // Elements of a stand at ea.first + sum of step * i, those of b at eb.first + sum of step * j, all i, j >= 0.
    // They meet where sum of step * i - sum of step * j = eb.first - ea.first; j counted from its end makes all signs
    // +.
    Search search;
    for (int k = 0; k < a.rank; ++k)
        if (a.shape[k] > 1 && a.strides[k] != 0)
            search.add(std::abs(a.strides[k]), a.shape[k] - 1);
    for (int k = 0; k < b.rank; ++k)
        if (b.shape[k] > 1 && b.strides[k] != 0)
            search.add(std::abs(b.strides[k]), b.shape[k] - 1);
    return search.run(static_cast<std::int64_t>(eb.last - ea.first) - (element - 1), element);
}

bool overlaps_itself(const Strided &a, std::int64_t element) {
    std::pair<std::int64_t, std::int64_t> axes[Strided::MAX_RANK]; // stride, largest index
    int count = 0;
    for (int k = 0; k < a.rank; ++k)
        if (a.shape[k] > 1)
            axes[count++] = {std::abs(a.strides[k]), a.shape[k] - 1};
    for (int i = 0; i < count; ++i)
        for (int j = i + 1; j < count; ++j)
            if (axes[j] < axes[i])
                std::swap(axes[i], axes[j]);
    std::int64_t extent = element;
    for (int k = 0; k < count; ++k) {
        if (axes[k].first < extent)
            return true;
        extent += axes[k].first * axes[k].second;
    }
    return false;
}

static Strided strided(const surrogate_field &field) {
    Strided a;
    a.address = reinterpret_cast<std::uintptr_t>(field.data);
    a.rank = field.rank;
    std::copy(field.shape, field.shape + field.rank, a.shape);
    std::copy(field.strides, field.strides + field.rank, a.strides);
    return a;
}

void check_overlap(const State &output, const State &input, const Manifest &manifest) {
    const std::int64_t element = size_of(output.dtype);
    const std::size_t count = manifest.fields.size();
    const auto &fields = manifest.fields;
    for (std::size_t i = 0; i < count; ++i) {
        if (!fields[i].predicted())
            continue;
        const Strided out = strided(*output.fields[i]);
        if (overlaps_itself(out, element))
            fail(SURROGATE_ERROR_OVERLAP, "output field '", fields[i].name, "' has strides ",
                 list_text(out.strides, out.rank), " for shape ", list_text(out.shape, out.rank),
                 ": different elements share memory; give every element its own place");
        for (std::size_t j = 0; j < count; ++j) {
            const Strided in = strided(*input.fields[j]);
            if (!(i == j && same_array(out, in)) && share_memory(out, in, element))
                fail(SURROGATE_ERROR_OVERLAP, "output field '", fields[i].name, "' shares memory with input field '",
                     fields[j].name,
                     "'; expected separate memory, or the same array (same address, shape and strides)"
                     " as output and input of one field");
            if (j < i && fields[j].predicted() && share_memory(out, strided(*output.fields[j]), element))
                fail(SURROGATE_ERROR_OVERLAP, "output fields '", fields[j].name, "' and '", fields[i].name,
                     "' share memory; give each its own");
        }
    }
}

void check_packed(const float *packed, std::int64_t count, const State &state, Role role, const Manifest &manifest) {
    constexpr std::int64_t element = sizeof(float);
    Strided dense;
    dense.address = reinterpret_cast<std::uintptr_t>(packed);
    dense.rank = 1;
    dense.shape[0] = count;
    dense.strides[0] = element;
    for (std::size_t f = 0; f < manifest.fields.size(); ++f) {
        if (role == Role::output && !manifest.fields[f].predicted())
            continue;
        Strided field = strided(*state.fields[f]);
        field.shape[field.rank] = size_of(state.dtype) / element; // a double is two floats
        field.strides[field.rank++] = element;
        if (share_memory(dense, field, element))
            fail(SURROGATE_ERROR_OVERLAP, "packed shares memory with ", role == Role::input ? "input" : "output",
                 " field '", manifest.fields[f].name, "'; expected ", count, " floats apart from all fields");
    }
}

void check_apart(const State &mean, const State &spread, const Manifest &manifest) {
    const auto &fields = manifest.fields;
    for (std::size_t i = 0; i < fields.size(); ++i)
        for (std::size_t j = 0; j < fields.size(); ++j)
            if (fields[i].predicted() && fields[j].predicted() &&
                share_memory(strided(*mean.fields[i]), strided(*spread.fields[j]), size_of(mean.dtype)))
                fail(SURROGATE_ERROR_OVERLAP, "mean field '", fields[i].name, "' and spread field '", fields[j].name,
                     "' share memory; give each its own");
}

} // namespace surrogate::core
