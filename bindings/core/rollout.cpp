// Many frames, each from the ones before.
#include "model.h"

#include "error.h"
#include "rows.h"

#include <algorithm>

namespace surrogate::core {

namespace {

/// Copy one channel's cells, element by element of type T.
template <class T> void copy_channel(const Channel &to, const Channel &from, const State &grid) {
    for (std::int64_t b = 0; b < grid.batch; ++b) {
        const Rows<2> rows(grid.shape, {to.strides, from.strides});
        rows.each([&](const std::int64_t(&offset)[2]) {
            char *target = to.data + b * to.batch_stride + offset[0];
            const char *source = from.data + b * from.batch_stride + offset[1];
            for (std::int64_t i = 0; i < rows.length(); ++i)
                *reinterpret_cast<T *>(target + i * rows.strides[0][2]) =
                    *reinterpret_cast<const T *>(source + i * rows.strides[1][2]);
            return true;
        });
    }
}

} // namespace

int Model::rollout(const char *where, std::int64_t *completed, const surrogate_field *output,
                   const surrogate_field *input, std::size_t count, std::int64_t steps,
                   const surrogate_step_options &step) {
    const Lock lock = claim();
    std::int64_t done = 0;
    if (completed)
        *completed = 0;
    const bool every = refused([&] { return prepare_rollout(output, input, count, steps, step); });
    int status = SURROGATE_OK;
    const auto finish = [&] { // in all cases: the frames that were completed are the caller's
        if (completed)
            *completed = done;
        if (done > 0 && !every && manifest_.history > 1)
            copy_frame(rolled_, call_.frames.front());
    };
    try {
        for (; done < steps && status == SURROGATE_OK; done += status == SURROGATE_OK)
            status = counted([&] { return roll(where, every, done, step); });
    } catch (...) {
        finish();
        throw;
    }
    finish();
    return status;
}

/// Whether every frame is wanted; else the last.
bool Model::prepare_rollout(const surrogate_field *output, const surrogate_field *input, std::size_t count,
                            std::int64_t steps, const surrogate_step_options &step) {
    constexpr std::int64_t MOST = std::int64_t{1} << 32;
    if (steps < 0 || steps > MOST)
        fail(SURROGATE_ERROR_ARGUMENT, "steps ", steps, " given, expected 0 or more");
    if (step.step > INT64_MAX - steps)
        fail(SURROGATE_ERROR_ARGUMENT, "step.step ", step.step, " given, expected at most ", INT64_MAX - steps,
             ": it counts on with the steps");
    if (steps == 0)
        return true;
    select_program(step);
    read_frames(input, count);
    resolve(rolled_, manifest_, Role::output, output, count);
    const std::int64_t batch = call_.input().batch;
    const bool every = rolled_.batch != batch;
    check_output(rolled_, every ? steps : 1);
    if (!every && manifest_.history > 1)
        require_host("rollouts to the last frame alone, with a history of frames,");
    inputs_.prepare(step, call_.input().shape, batch, statistics_.allocations);
    call_.in_engine = runs_in_engine();
    call_.states = batch;
    return every;
}

/// Predict frame `k` and shift the history by it.
int Model::roll(const char *where, bool every, std::int64_t k, const surrogate_step_options &step) {
    const std::int64_t batch = call_.input().batch;
    if (every)
        select(call_.output, rolled_, k * batch, batch);
    else if (manifest_.history == 1)
        call_.output = rolled_;
    else
        place_frame(call_.output, k % manifest_.history);
    surrogate_step_options at = step;
    at.step = step.step < 0 ? step.step : step.step + k;
    at.time = step.time + static_cast<double>(k) * manifest_.time_step;
    inputs_.prepare(at, call_.input().shape, batch, statistics_.allocations);
    call_.keep(at, inputs_.parameters());
    compute();
    const int status = settle(where);
    if (status != SURROGATE_OK)
        return status;
    std::vector<State> &frames = call_.frames;
    for (std::size_t j = frames.size() - 1; j > 0; --j)
        frames[j] = frames[j - 1];
    for (std::size_t c = 0; c < frames[0].channels.size(); ++c) // what is not predicted stays the newest input's
        if (call_.output.channels[c].data)
            frames[0].channels[c] = call_.output.channels[c];
    return status;
}

/// A dense frame of our own memory for the predicted channels, slot 0 .. history - 1: the caller wants the last frame
/// only, and the program reads those before. The slot of frame k holds frame k - history, which is read before k is
/// written.
void Model::place_frame(State &state, std::int64_t slot) {
    const State &input = call_.input();
    const std::int64_t size = size_of(input.dtype), plane = input.cells() * size;
    const std::int64_t frame = input.batch * manifest_.output_channels * plane;
    const auto floats = static_cast<std::int64_t>(sizeof(float));
    char *at = reinterpret_cast<char *>(history_.get(manifest_.history * frame / floats, statistics_.allocations)) +
               slot * frame;
    state = rolled_;
    for (Channel &channel : state.channels)
        if (channel.data) {
            channel = {at,
                       manifest_.output_channels * plane,
                       {input.shape[1] * input.shape[2] * size, input.shape[2] * size, size}};
            at += plane;
        }
}

void Model::copy_frame(const State &to, const State &from) {
    for (std::size_t c = 0; c < to.channels.size(); ++c)
        if (to.channels[c].data) {
            if (to.dtype == SURROGATE_FLOAT32)
                copy_channel<float>(to.channels[c], from.channels[c], to);
            else
                copy_channel<double>(to.channels[c], from.channels[c], to);
        }
}

} // namespace surrogate::core
