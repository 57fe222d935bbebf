// This rank's rows of a domain of 24 x 40 cells with four channels, and the call that predicts them.
#pragma once

#include <surrogate/surrogate_mpi.h>

#include <cstdint>
#include <vector>

struct Block {
    std::vector<float> values, frame;
    std::int64_t shape[3];
    surrogate_step_options step;

    Block(std::int64_t place, std::int64_t size) {
        const std::int64_t first = 24 * place / size;
        shape[0] = 4;
        shape[1] = 24 * (place + 1) / size - first;
        shape[2] = 40;
        values.resize(static_cast<std::size_t>(4 * shape[1] * 40));
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = static_cast<float>(i % 100);
        frame.assign(values.size(), -1.0f);
        surrogate_step_options_init(&step, sizeof step);
        step.step = 0;
        step.origin[0] = first;
        step.global_shape[0] = 24;
        step.global_shape[1] = 40;
    }
    int predict(surrogate_mpi_model *model) {
        return surrogate_mpi_predict_array(model, frame.data(), values.data(), SURROGATE_FLOAT32, 3, shape, &step);
    }
    bool untouched() const { return frame == std::vector<float>(frame.size(), -1.0f); }
};
