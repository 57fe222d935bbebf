// The hot call, in stages: prepare (validate), pack, run, judge, settle (write or reject).
#include "model.h"

#include "error.h"

#include <algorithm>
#include <cstring>

namespace surrogate::core {

Model::Lock Model::claim() {
    Lock lock(mutex_);
    require_nothing_begun();
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
                compute_only();
            } catch (...) {
                failure_ = std::current_exception();
            }
        });
        begun_ = Begun::halves;
    });
}

bool Model::done() {
    const Lock lock(mutex_);
    require_halves();
    return !worker_.busy();
}

int Model::wait(const char *where) {
    const Lock lock(mutex_);
    join();
    return finish_call(where);
}

void Model::prepare(const surrogate_field *output, const surrogate_field *input, std::size_t count,
                    const surrogate_step_options &step, Region region) {
    if (region == Region::domain)
        select_program(step);
    else
        variants_.require(step.steps);
    read_frames(input, count, region);
    resolve(call_.output, manifest_, Role::output, output, count);
    check_output(call_.output, 1);
    call_.in_engine = runs_in_engine();
    call_.states = call_.input().batch;
    inputs_.prepare(step, call_.input().shape, call_.input().batch, statistics_.allocations);
    call_.keep(step, inputs_.parameters());
}

/// Make the program that the step asks for the one that runs; load it and run it once at its first use.
void Model::select_program(const surrogate_step_options &step) {
    Variant &variant = variants_.of(step.steps);
    variant.program->require_loaded();
    program_ = variant.program.get();
    call_.steps = variant.steps;
    if (!variant.warm)
        warm_up(variant);
}

/// `count` entries a frame, newest frame first.
void Model::read_frames(const surrogate_field *input, std::size_t count, Region region) {
    for (std::size_t k = 0; k < call_.frames.size(); ++k) {
        State &frame = call_.frames[k];
        resolve(frame, manifest_, Role::input, input ? input + k * count : nullptr, count);
        if (k == 0 && region == Region::domain)
            check_grid(manifest_.grid, frame.shape);
        else if (k > 0)
            check_same(frame, call_.input(), static_cast<int>(k), manifest_.grid.rank);
    }
}

/// Fail unless `output` agrees with the frames that were read, holds `times` states for each, and lies apart from them.
void Model::check_output(const State &output, std::int64_t times) const {
    check_agreement(output, call_.input(), manifest_.grid.rank, times);
    for (const State &frame : call_.frames)
        check_overlap(output, frame, manifest_);
}

void Model::compute() {
    if (call_.in_engine) {
        compute_in_engine();
        if (accept_input())
            accept_frame(call_.tally, call_.input(), nullptr);
        return;
    }
    const float *packed = pack();
    if (!accept_input())
        return;
    call_.program = run_program(packed, call_.input(), call_.step.member);
    look(call_.tally, call_.input(), call_.program);
    accept_frame(call_.tally, call_.input(), call_.program);
}

/// compute() without the verdicts: only a value that policy rejects keeps the program from running.
void Model::compute_only() {
    if (call_.in_engine)
        return compute_in_engine();
    const float *packed = pack();
    if (!packed)
        return;
    call_.program = run_program(packed, call_.input(), call_.step.member);
    look(call_.tally, call_.input(), call_.program);
}

/// Whether the engine makes the passes: it alone reaches the fields, or was asked to.
bool Model::runs_in_engine() const {
    return call_.input().memory != SURROGATE_HOST || program_->passes_in_engine();
}

/// Pack, run and sum where the fields are. The program runs in any case: its input is judged with its output.
void Model::compute_in_engine() {
    const Stopwatch watch(statistics_.program_seconds);
    const State &input = call_.input();
    begin_tally();
    const auto &inputs = inputs_.fill(nullptr, input.shape, input.batch, {call_.step.member}, statistics_.allocations);
    const auto &layout = engine_pass_.describe(call_.output, call_.frames);
    program_->device_run(engine_pass_.sources(), engine_pass_.targets(), layout, inputs.data() + 1,
                         static_cast<int>(inputs.size()) - 1, call_.step.stream);
    ++statistics_.input_copies;
    engine_pass_.add_to(call_.tally);
}

void Model::begin_tally() {
    call_.begin();
    call_.tally.reset(call_.input().batch, call_.input().channels.size(), statistics_.allocations);
}

const float *Model::pack() {
    const Stopwatch watch(statistics_.pack_seconds);
    begin_tally();
    const InputPass::Result packed = input_pass_.run(call_.frames, call_.tally, packed_, statistics_.allocations);
    statistics_.input_copies += packed.copied;
    return packed.data;
}

/// What the call makes of a verdict; false: it is refused.
bool Model::take(const Verdict &verdict) {
    call_.kept |= verdict.kept;
    call_.offence = verdict.refused;
    return call_.accepted();
}

/// The guards' verdict on the input; false: the call is refused.
bool Model::accept_input() {
    if (take(judge_.input(call_.tally)))
        return true;
    if (call_.in_engine)
        engine_pass_.locate(call_.offence, Role::input);
    else
        input_pass_.locate(call_.offence, call_.frames);
    return false;
}

/// The program's output for `state.batch` states; state b draws its noise as member `member` + b.
const float *Model::run_program(const float *packed, const State &state, std::int64_t member) {
    const Stopwatch watch(statistics_.program_seconds);
    return run_checked(inputs_.fill(packed, state.shape, state.batch, {member}, statistics_.allocations),
                       call_.step.stream);
}

/// Take the sums of a frame that the guards decide by.
void Model::look(Tally &tally, const State &input, const float *program) {
    const Stopwatch watch(statistics_.output_seconds, &statistics_.guard_seconds);
    output_pass_.look(input, program, tally);
}

/// The guards' verdict on a frame; false: the call is refused.
bool Model::accept_frame(const Tally &totals, const State &input, const float *program) {
    if (take(judge_.output(totals)))
        return true;
    if (call_.in_engine)
        engine_pass_.locate(call_.offence, Role::output);
    else
        output_pass_.locate(call_.offence, input, program);
    return false;
}

/// recorded: the frame follows from the input, so that a recording of both can be replayed.
int Model::settle(const char *where, bool recorded) {
    if (!call_.accepted())
        return reject(where);
    if (recorded)
        record_input();
    write();
    if (recorded)
        record_output();
    accept(where, call_.tally);
    return SURROGATE_OK;
}

void Model::write() {
    const Stopwatch watch(statistics_.output_seconds);
    ++statistics_.output_passes;
    if (call_.in_engine)
        return program_->device_write(engine_pass_.with_shifts(call_.tally), call_.step.stream);
    keep_apart(call_.input().batch * manifest_.output_channels * call_.input().cells());
    output_pass_.write(call_.output, call_.input(), call_.program, call_.tally);
}

/// A program that returns its input, which is the caller's memory, must not see it change while we write.
void Model::keep_apart(std::int64_t size) {
    if (!output_pass_.writes_into(call_.output, call_.program, size))
        return;
    float *staged = staged_.get(size, statistics_.allocations);
    std::memcpy(staged, call_.program, static_cast<std::size_t>(size) * sizeof(float));
    call_.program = staged;
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
