// A domain that blocks are cut from, each with a model of its own, as ranks would hold it: for tests of predictions in
// parts. What MPI would carry is copied.
#ifndef PARTED_DOMAIN_H
#define PARTED_DOMAIN_H

#include "check.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

constexpr std::int64_t NY = 24, NX = 40, GHOST = 2;
constexpr std::int64_t SPOILT[2] = {13, 29}; // a cell

/// The cells of one rank.
struct Block {
    std::int64_t y, x, ny, nx;
    bool holds(std::int64_t at_y, std::int64_t at_x) const {
        return at_y >= y && at_y < y + ny && at_x >= x && at_x < x + nx;
    }
};

/// A 2-D domain of the bundle's fields in T, dense or with ghost cells, and one opened model a block.
template <class T> class Parted {
  public:
    Parted(const char *name, const char *guards, bool ghosts, bool in_place, std::vector<Block> blocks)
        : ghost_(ghosts ? GHOST : 0), blocks_(std::move(blocks)) {
        surrogate_open_options options;
        surrogate_open_options_init(&options, sizeof options);
        options.guards = guards;
        for (std::size_t r = 0; r < blocks_.size(); ++r) {
            surrogate_model *model = nullptr;
            options.engine = r == 0 ? nullptr : "none"; // the first runs the program for all
            CHECK_STATUS(surrogate_open(&model, bundle(name), &options), SURROGATE_OK, "");
            models_.push_back(model);
        }
        info_.struct_size = sizeof info_;
        surrogate_get_info(models_[0], &info_);
        read_fields();
        surrogate_step_options_init(&step_, sizeof step_);
        step_.step = 5;
        step_.global_shape[0] = NY, step_.global_shape[1] = NX;
        for (int k = 0; k < info_.history; ++k)
            frames_.push_back(filled(k));
        output_ = in_place ? frames_[0] : std::vector<T>(frames_[0].size(), T(-7));
        in_place_ = in_place;
        own_.resize(blocks_.size());
    }
    ~Parted() {
        for (surrogate_model *model : models_)
            surrogate_close(model);
    }
    Parted(const Parted &) = delete;

    T &value(int frame, int channel, std::int64_t y, std::int64_t x) {
        return frames_[static_cast<std::size_t>(frame)][at(channel, y, x)];
    }
    T predicted(int channel, std::int64_t y, std::int64_t x) const { return output_[at(channel, y, x)]; }

    /// By surrogate_predict_begin and _finish of the first block; its sums.
    int predict_serially(std::vector<double> &sums) {
        sums.assign(static_cast<std::size_t>(info_.partial_count), 0.0);
        const auto in = fields(blocks_[0], true), out = fields(blocks_[0], false);
        CHECK_STATUS(surrogate_predict_begin(models_[0], out.data(), in.data(), count(), &step_), SURROGATE_OK, "");
        CHECK_STATUS(surrogate_predict_partials(models_[0], sums.data(), sums.size()), SURROGATE_OK, "");
        return surrogate_predict_finish(models_[0], nullptr, 0);
    }

    /// By all models, the first of which runs the program on the whole domain; the statuses of _finish. totals: instead
    /// of the sums over the blocks.
    std::vector<int> predict_in_parts(const std::vector<double> *totals = nullptr) {
        packed_.assign(static_cast<std::size_t>(info_.history * info_.channel_count * NY * NX), 0.0f);
        for (std::size_t r = 0; r < blocks_.size(); ++r)
            begin(r);
        const std::int64_t shape[] = {NY, NX};
        const float *increments = nullptr;
        CHECK_STATUS(surrogate_parts_run(models_[0], &increments, packed_.data(), 1, shape, nullptr, &step_),
                     SURROGATE_OK, "");
        totals_.assign(static_cast<std::size_t>(info_.partial_count), 0.0);
        std::vector<std::vector<float>> own_increments;
        for (std::size_t r = 0; r < blocks_.size(); ++r) {
            own_increments.push_back(cut(blocks_[r], increments));
            add_partials(r, own_increments[r].data());
        }
        std::vector<int> statuses;
        for (surrogate_model *model : models_)
            statuses.push_back(
                surrogate_predict_finish(model, totals ? totals->data() : totals_.data(), totals_.size()));
        return statuses;
    }

    const std::vector<double> &totals() const { return totals_; }
    const std::vector<float> &packed() const { return packed_; } // of the whole domain
    const surrogate_rejection &own(std::size_t rank) const { return own_[rank]; }
    bool same_frame(const Parted &other) const {
        const std::vector<T> &a = in_place_ ? frames_[0] : output_;
        const std::vector<T> &b = other.in_place_ ? other.frames_[0] : other.output_;
        return std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
    }
    surrogate_rejection rejection(std::size_t rank) const {
        surrogate_rejection result{};
        result.struct_size = sizeof result;
        CHECK_STATUS(surrogate_last_rejection(models_[rank], &result), SURROGATE_OK, "");
        return result;
    }
    surrogate_statistics statistics(std::size_t rank) const {
        surrogate_statistics result{};
        result.struct_size = sizeof result;
        CHECK_STATUS(surrogate_get_statistics(models_[rank], &result), SURROGATE_OK, "");
        return result;
    }

  private:
    std::size_t count() const { return names_.size(); }
    std::int64_t row() const { return NX + 2 * ghost_; }
    std::int64_t plane() const { return (NY + 2 * ghost_) * row(); }
    std::size_t at(std::int64_t channel, std::int64_t y, std::int64_t x) const {
        return static_cast<std::size_t>(channel * plane() + (y + ghost_) * row() + x + ghost_);
    }

    void read_fields() {
        for (int f = 0; f < info_.field_count; ++f) {
            surrogate_field_info field{};
            field.struct_size = sizeof field;
            surrogate_get_field_info(models_[0], f, &field);
            names_.push_back(field.name);
            components_.push_back(field.components);
            predicted_ += field.predicted ? field.components : 0;
        }
    }
    std::vector<T> filled(int frame) const {
        std::vector<T> values(static_cast<std::size_t>(info_.channel_count * plane()));
        for (std::size_t i = 0; i < values.size(); ++i) {
            const auto n = static_cast<double>(i) + 17.0 * frame;
            values[i] = static_cast<T>(std::sin(0.37 * n + 1e-3 * static_cast<double>(i * i % 1009)));
        }
        return values;
    }

    /// The fields of a block: of all frames if `read`, else of the output.
    std::vector<surrogate_field> fields(const Block &block, bool read) {
        const std::int64_t shape[] = {1, block.ny, block.nx};
        std::vector<surrogate_field> result;
        for (std::size_t k = 0; k < (read ? frames_.size() : 1); ++k) {
            std::vector<T> &values = read || in_place_ ? frames_[k] : output_;
            std::int64_t channel = 0;
            for (std::size_t f = 0; f < count(); channel += components_[f++]) {
                surrogate_field field;
                const int vector = components_[f] > 1;
                surrogate_field_init(&field, names_[f].c_str(), &values[at(channel, block.y, block.x)],
                                     sizeof(T) == 4 ? SURROGATE_FLOAT32 : SURROGATE_FLOAT64, 2 + vector,
                                     shape + 1 - vector);
                field.strides[vector] = row() * static_cast<std::int64_t>(sizeof(T));
                if (vector) {
                    field.component_axis = 0;
                    field.shape[0] = components_[f];
                    field.strides[0] = plane() * static_cast<std::int64_t>(sizeof(T));
                }
                result.push_back(field);
            }
        }
        return result;
    }

    /// Pack a block and put it where it belongs in the domain.
    void begin(std::size_t rank) {
        const Block &block = blocks_[rank];
        const auto in = fields(block, true), out = fields(block, false);
        const std::int64_t channels = info_.history * info_.channel_count;
        std::vector<float> dense(static_cast<std::size_t>(channels * block.ny * block.nx));
        surrogate_step_options step = step_;
        step.origin[0] = block.y, step.origin[1] = block.x;
        CHECK_STATUS(surrogate_parts_begin(models_[rank], dense.data(), out.data(), in.data(), count(), &step),
                     SURROGATE_OK, "");
        for (std::int64_t c = 0; c < channels; ++c)
            for (std::int64_t y = 0; y < block.ny; ++y)
                std::copy_n(&dense[static_cast<std::size_t>((c * block.ny + y) * block.nx)], block.nx,
                            &packed_[static_cast<std::size_t>((c * NY + block.y + y) * NX + block.x)]);
    }
    /// The increments of a block, out of those of the domain.
    std::vector<float> cut(const Block &block, const float *increments) const {
        std::vector<float> result;
        for (std::int64_t c = 0; c < predicted_; ++c)
            for (std::int64_t y = block.y; y < block.y + block.ny; ++y) {
                const float *from = increments + (c * NY + y) * NX + block.x;
                result.insert(result.end(), from, from + block.nx);
            }
        return result;
    }
    void add_partials(std::size_t rank, const float *increments) {
        std::vector<double> sums(totals_.size());
        own_[rank].struct_size = sizeof own_[rank];
        for (int again = 0; again < 2; ++again) // which changes nothing
            CHECK_STATUS(surrogate_parts_partials(models_[rank], increments, sums.data(), sums.size(), &own_[rank]),
                         SURROGATE_OK, "");
        for (std::size_t k = 0; k < sums.size(); ++k)
            totals_[k] += sums[k];
    }

    const std::int64_t ghost_;
    const std::vector<Block> blocks_;
    std::vector<surrogate_model *> models_;
    surrogate_info info_{};
    std::vector<std::string> names_;
    std::vector<std::int64_t> components_;
    std::int64_t predicted_ = 0; // channels
    surrogate_step_options step_;
    std::vector<std::vector<T>> frames_; // newest first
    std::vector<T> output_;
    bool in_place_ = false;
    std::vector<float> packed_;
    std::vector<double> totals_;
    std::vector<surrogate_rejection> own_;
};

#endif
