// The hot call, in stages: prepare (validate), pack, run, judge, settle (write or reject).
#include "model.h"

#include "error.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace surrogate::core {

Model::Lock Model::claim() {
    Lock lock(mutex_);
    if (under_way_)
        fail(SURROGATE_ERROR_ARGUMENT,
             "a prediction of this model is under way (surrogate_predict_begin); call surrogate_predict_wait first");
    return lock;
}

int Model::predict(const char *where, const surrogate_field *output, const surrogate_field *input, std::size_t count,
                   const surrogate_step_options &step) {
    const Lock lock = claim();
    return predict_locked(where, output, input, count, step);
}

int Model::predict_locked(const char *where, const surrogate_field *output, const surrogate_field *input,
                          std::size_t count, const surrogate_step_options &step) {
    return counted([&] {
        prepare(output, input, count, step);
        compute();
        return settle(where);
    });
}

void Model::begin(const surrogate_field *output, const surrogate_field *input, std::size_t count,
                  const surrogate_step_options &step) {
    const Lock lock = claim();
    counted([&] {
        prepare(output, input, count, step);
        failure_ = nullptr;
        worker_.start([this] {
            try {
                compute();
            } catch (...) {
                failure_ = std::current_exception();
            }
        });
        under_way_ = true;
    });
}

bool Model::done() {
    const Lock lock(mutex_);
    if (!under_way_)
        fail(SURROGATE_ERROR_ARGUMENT, "no prediction of this model is under way; call surrogate_predict_begin first");
    return !worker_.busy();
}

int Model::wait(const char *where) {
    const Lock lock(mutex_);
    if (!under_way_)
        fail(SURROGATE_ERROR_ARGUMENT, "no prediction of this model is under way; call surrogate_predict_begin first");
    worker_.wait();
    under_way_ = false;
    if (failure_) {
        ++statistics_.errors;
        std::rethrow_exception(std::exchange(failure_, nullptr));
    }
    return settle(where);
}

void Model::prepare(const surrogate_field *output, const surrogate_field *input, std::size_t count,
                    const surrogate_step_options &step) {
    read_frames(input, count);
    resolve(call_.output, manifest_, Role::output, output, count);
    check_agreement(call_.output, call_.input(), manifest_.grid.rank, 1);
    for (const State &frame : call_.frames)
        check_overlap(call_.output, frame, manifest_);
    call_.step = step;
    call_.states = call_.input().batch;
    inputs_.prepare(step, call_.input(), call_.input().batch, statistics_.allocations);
}

/// `count` entries a frame, newest frame first.
void Model::read_frames(const surrogate_field *input, std::size_t count) {
    for (std::size_t k = 0; k < call_.frames.size(); ++k) {
        State &frame = call_.frames[k];
        resolve(frame, manifest_, Role::input, input ? input + k * count : nullptr, count);
        if (k == 0)
            check_grid(manifest_.grid, frame.shape);
        else
            check_same(frame, call_.input(), static_cast<int>(k), manifest_.grid.rank);
    }
}

void Model::compute() {
    call_.offence = Offence();
    const float *packed = pack();
    if (!packed)
        return;
    call_.program = run_program(packed, call_.input(), call_.step.member);
    judge(call_.input(), call_.program);
}

const float *Model::pack() {
    const Stopwatch watch(statistics_.pack_seconds);
    const InputPass::Result packed = input_pass_.run(call_.frames, packed_, statistics_.allocations);
    statistics_.input_copies += packed.copied;
    if (!packed.data)
        call_.offence = input_pass_.find(call_.frames);
    return packed.data;
}

/// The program's output for `state.batch` states; state b draws its noise as member `member` + b.
const float *Model::run_program(const float *packed, const State &state, std::int64_t member) {
    const Stopwatch watch(statistics_.program_seconds);
    return run_checked(inputs_.fill(packed, state, state.batch, member, statistics_.allocations), call_.step.stream);
}

bool Model::judge(const State &input, const float *program) {
    const Stopwatch watch(statistics_.output_seconds);
    if (!output_pass_.accepted(input, program))
        call_.offence = output_pass_.find(input, program);
    return call_.accepted();
}

int Model::settle(const char *where) {
    if (!call_.accepted())
        return reject(where);
    write();
    ++statistics_.ok;
    return SURROGATE_OK;
}

void Model::write() {
    const Stopwatch watch(statistics_.output_seconds);
    keep_apart(call_.input().batch * manifest_.output_channels * call_.input().cells());
    output_pass_.write(call_.output, call_.input(), call_.program);
    ++statistics_.output_passes;
}

/// A program that returns its input, which is the caller's memory, must not see it change while we write.
void Model::keep_apart(std::int64_t size) {
    if (!output_pass_.writes_into(call_.output, call_.program, size))
        return;
    float *staged = staged_.get(size, statistics_.allocations);
    std::memcpy(staged, call_.program, static_cast<std::size_t>(size) * sizeof(float));
    call_.program = staged;
}

int Model::reject(const char *where) {
    const Offence &offence = call_.offence;
    ++statistics_.rejected;
    rejection_.reason = offence.reason;
    rejection_.field = offence.field;
    rejection_.component = offence.component;
    rejection_.batch = offence.batch;
    std::copy(offence.cell, offence.cell + 3, rejection_.cell);
    rejection_.value = offence.value;
    rejection_.lower = offence.bounds.lower;
    rejection_.upper = offence.bounds.upper;
    rejection_.call = statistics_.calls;
    describe(rejection_text_, offence, manifest_, call_.states);
    set_last_error(where, rejection_text_);
    bool &warned = warned_[offence.reason];
    if (!warned) {
        warned = true;
        log(SURROGATE_LOG_WARNING,
            text(where, ": ", rejection_text_, " (further rejections of this kind are not logged)"));
    }
    return SURROGATE_REJECTED;
}

int Model::predict_array(const char *where, void *output, const void *input, int dtype, int rank,
                         const std::int64_t *shape, const surrogate_step_options &step) {
    const Lock lock = claim();
    refused([&] { describe_array(output, input, dtype, rank, shape); });
    return predict_locked(where, array_output_.data(), array_input_.data(), manifest_.fields.size(), step);
}

/// The whole state in one dense array as fields, in array_output_ and array_input_.
void Model::describe_array(void *output, const void *input, int dtype, int rank, const std::int64_t *shape) {
    if (!output || !input || !shape)
        fail(SURROGATE_ERROR_ARGUMENT, !output ? "output" : !input ? "input" : "shape", " is NULL");
    if (manifest_.history > 1)
        fail(SURROGATE_ERROR_UNSUPPORTED, "the model reads ", manifest_.history,
             " frames, one array is the newest only; call surrogate_predict with the fields of all frames");
    const int spatial = manifest_.grid.rank;
    if (rank != 1 + spatial)
        fail(SURROGATE_ERROR_SHAPE, "rank ", rank, " given, expected ", 1 + spatial, ": a channel axis and ", spatial,
             " spatial axes");
    if (shape[0] != manifest_.input_channels)
        fail(SURROGATE_ERROR_FIELD, shape[0], " channels given (shape ", list_text(shape, rank), "), expected ",
             manifest_.input_channels, ": fields ", names_text(manifest_.field_names()));
    std::int64_t plane = size_of(dtype);
    for (int k = 1; k < rank; ++k)
        if (shape[k] < 1 || __builtin_mul_overflow(plane, shape[k], &plane) ||
            plane > (std::int64_t{1} << 56) / shape[0])
            fail(SURROGATE_ERROR_SHAPE, "shape ", list_text(shape, rank),
                 " given, expected sizes of at least 1 that fit in memory");
    for (std::size_t f = 0; f < manifest_.fields.size(); ++f) {
        const FieldSpec &spec = manifest_.fields[f];
        std::int64_t part[SURROGATE_MAX_RANK] = {spec.components};
        std::copy(shape + 1, shape + rank, part + 1);
        const std::int64_t offset = spec.first_input * plane;
        surrogate_field_init(&array_output_[f], nullptr, static_cast<char *>(output) + offset, dtype, rank, part);
        surrogate_field_init(&array_input_[f], nullptr, const_cast<char *>(static_cast<const char *>(input)) + offset,
                             dtype, rank, part);
        array_output_[f].component_axis = array_input_[f].component_axis = 0;
    }
}

} // namespace surrogate::core
