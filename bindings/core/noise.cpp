#include "noise.h"

#include "error.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace surrogate::core {

namespace {

constexpr int BLOCK = 256; // cells at a time: words and uniforms stay in the nearest cache

__extension__ typedef unsigned __int128 Wide;

std::uint64_t multiply(std::uint64_t a, std::uint64_t b, std::uint64_t &high) {
    const Wide product = static_cast<Wide>(a) * b;
    high = static_cast<std::uint64_t>(product >> 64);
    return static_cast<std::uint64_t>(product);
}

double from_bits(std::uint64_t bits) {
    double value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

std::uint64_t to_bits(double value) {
    std::uint64_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}

/// Coefficients from the highest power down.
template <std::size_t N> double polynomial(const double (&c)[N], double x) {
    double sum = c[0];
    for (std::size_t k = 1; k < N; ++k)
        sum = sum * x + c[k];
    return sum;
}

// AS241, PPND16: for |u - 1/2| <= CENTRE, then for sqrt(-log p) up to 5, then beyond.
constexpr double CENTRE = 0.425, CENTRE_SQUARED = 0.180625;
constexpr double A[] = {2.5090809287301226727e+3, 3.3430575583588128105e+4, 6.7265770927008700853e+4,
                        4.5921953931549871457e+4, 1.3731693765509461125e+4, 1.9715909503065514427e+3,
                        1.3314166789178437745e+2, 3.3871328727963666080e+0};
constexpr double B[] = {
    5.2264952788528545610e+3, 2.8729085735721942674e+4, 3.9307895800092710610e+4, 2.1213794301586595867e+4,
    5.3941960214247511077e+3, 6.8718700749205790830e+2, 4.2313330701600911252e+1, 1.0};
constexpr double C[] = {7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
                        1.27045825245236838258e+0, 3.64784832476320460504e+0, 5.76949722146069140550e+0,
                        4.63033784615654529590e+0, 1.42343711074968357734e+0};
constexpr double D[] = {
    1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
    6.89767334985100004550e-1, 1.67638483018380384940e+0, 2.05319162663775882187e+0, 1.0};
constexpr double E[] = {2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
                        2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e+0,
                        5.46378491116411436990e+0, 6.65790464350110377720e+0};
constexpr double F[] = {
    2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
    1.48753612908506148525e-2,  1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0};

// log x = e log 2 + 2 artanh((m - 1) / (m + 1)), x = m 2^e with m in [sqrt(1/2), sqrt 2): odd powers up to the 21st.
constexpr double ARTANH[] = {1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13, 1.0 / 11,
                             1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3,  1.0};
constexpr double LOG2_HIGH = 0x1.62e42fee00000p-1, LOG2_LOW = 0x1.a39ef35793c76p-33;
constexpr std::uint64_t SQRT_HALF_BITS = 0x3fe6a09e667f3bcd, ONE_BITS = 0x3ff0000000000000;

/// log of a positive, normal number.
double logarithm(double x) {
    const std::uint64_t bits = to_bits(x) + (ONE_BITS - SQRT_HALF_BITS);
    const double exponent = static_cast<double>(static_cast<std::int64_t>(bits >> 52) - 1023);
    const double m = from_bits((bits & 0x000fffffffffffff) + SQRT_HALF_BITS);
    const double s = (m - 1.0) / (m + 1.0);
    return exponent * LOG2_HIGH + (2.0 * s * polynomial(ARTANH, s * s) + exponent * LOG2_LOW);
}

/// The uniform's distance to the nearer end, (k + 1/2) / 2^53 with k < 2^52: exact.
double tail_probability(std::uint64_t word) {
    const std::uint64_t k = word >> 11, upper = 0 - (k >> 52); // all ones above 1/2
    const std::uint64_t folded = (k ^ upper) & 0x000fffffffffffff;
    return (from_bits(folded | 0x4330000000000000) - 0x1p52 + 0.5) * 0x1p-53;
}

double central(double q) {
    const double r = CENTRE_SQUARED - q * q;
    return q * polynomial(A, r) / polynomial(B, r);
}

double tail(double p) {
    const double r = std::sqrt(-logarithm(p));
    return r <= 5.0 ? polynomial(C, r - 1.6) / polynomial(D, r - 1.6) : polynomial(E, r - 5.0) / polynomial(F, r - 5.0);
}

void fill_normals(float *values, const std::uint64_t *words, int count) {
    double z[BLOCK];
    for (int i = 0; i < count; ++i)
        z[i] = central(0.5 - tail_probability(words[i])); // without a branch, for all: most lie there
    for (int i = 0; i < count; ++i) {
        const double p = tail_probability(words[i]);
        if (0.5 - p > CENTRE)
            z[i] = tail(p);
    }
    for (int i = 0; i < count; ++i)
        values[i] = static_cast<float>(words[i] >> 63 ? z[i] : -z[i]);
}

/// Walks the cells of a block in C's order and tells their global index.
class Cells {
  public:
    Cells(const std::int64_t *shape, const Domain &domain) : shape_(shape), domain_(domain) {}
    std::uint64_t next() {
        const auto at = [&](int k) {
            const std::int64_t n = domain_.shape[k], i = (domain_.origin[k] + cell_[k]) % n;
            return i < 0 ? i + n : i;
        };
        if (fresh_) // divisions once a row
            row_ = (at(0) * domain_.shape[1] + at(1)) * domain_.shape[2], column_ = at(2), fresh_ = false;
        const auto index = static_cast<std::uint64_t>(row_ + column_);
        if (++column_ == domain_.shape[2])
            column_ = 0;
        if (++cell_[2] == shape_[2]) {
            cell_[2] = 0, fresh_ = true;
            if (++cell_[1] == shape_[1])
                cell_[1] = 0, ++cell_[0];
        }
        return index;
    }

  private:
    const std::int64_t *shape_;
    const Domain &domain_;
    std::int64_t cell_[3] = {}, row_ = 0, column_ = 0;
    bool fresh_ = true;
};

} // namespace

void philox(std::uint64_t (&out)[4], const std::uint64_t (&counter)[4], const std::uint64_t (&key)[2]) {
    std::uint64_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3], k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; ++round) {
        std::uint64_t high0, high1;
        const std::uint64_t low0 = multiply(0xD2E7470EE14C6C93, c0, high0);
        const std::uint64_t low1 = multiply(0xCA5A826395121157, c2, high1);
        c0 = high1 ^ c1 ^ k0;
        c1 = low1;
        c2 = high0 ^ c3 ^ k1;
        c3 = low0;
        k0 += 0x9E3779B97F4A7C15;
        k1 += 0xBB67AE8584CAA73B;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

double normal(std::uint64_t word) {
    const double p = tail_probability(word), q = 0.5 - p;
    const double z = q <= CENTRE ? central(q) : tail(p);
    return word >> 63 ? z : -z;
}

NoiseKey read_noise_key(const surrogate_step_options &step) {
    if (step.step < 0)
        fail(SURROGATE_ERROR_PARAMETER, "step.step is not given (", step.step,
             "), expected 0 or more: random numbers belong to a step; count the steps of the solver, so that a",
             " restart continues them");
    if (step.member < 0 || step.member > INT64_MAX / 2) // states of a batch count on from it
        fail(SURROGATE_ERROR_ARGUMENT, "step.member ", step.member, " given, expected 0 to ", INT64_MAX / 2);
    return {step.seed, static_cast<std::uint64_t>(step.step)};
}

Domain read_domain(const surrogate_step_options &step, int rank, const std::int64_t *shape) {
    Domain domain;
    std::int64_t cells = 1;
    for (int k = 0; k < rank; ++k) {
        const std::int64_t whole = step.global_shape[k] ? step.global_shape[k] : shape[k];
        const bool far = step.origin[k] > INT64_MAX / 2 || step.origin[k] < -(INT64_MAX / 2);
        if (whole < 1 || __builtin_mul_overflow(cells, whole, &cells) || far)
            fail(SURROGATE_ERROR_ARGUMENT, "step.origin ", list_text(step.origin, rank), " and step.global_shape ",
                 list_text(step.global_shape, rank), " given, expected the index of the first cell and the shape of",
                 " the whole domain (0: that of the fields)");
        domain.origin[k] = step.origin[k];
        domain.shape[k] = whole;
    }
    return domain;
}

void fill_noise(float *values, NoiseKey key, std::uint64_t member, std::uint64_t input, std::int64_t channels,
                const std::int64_t *shape, const Domain &domain) {
    const std::int64_t count = shape[0] * shape[1] * shape[2];
    for (std::int64_t first = 0; first < channels; first += 4) {
        const int lanes = static_cast<int>(std::min<std::int64_t>(4, channels - first));
        Cells cells(shape, domain);
        for (std::int64_t start = 0; start < count; start += BLOCK) {
            const int n = static_cast<int>(std::min<std::int64_t>(BLOCK, count - start));
            std::uint64_t words[4][BLOCK];
            for (int i = 0; i < n; ++i) {
                std::uint64_t drawn[4];
                philox(drawn, {cells.next(), static_cast<std::uint64_t>(first / 4), member, input},
                       {key.seed, key.step});
                for (int lane = 0; lane < 4; ++lane)
                    words[lane][i] = drawn[lane];
            }
            for (int lane = 0; lane < lanes; ++lane)
                fill_normals(values + (first + lane) * count + start, words[lane], n);
        }
    }
}

} // namespace surrogate::core
