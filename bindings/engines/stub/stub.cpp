// An engine without dependencies: shifted affine maps of channels, and deliberate faults. For tests of all that
// surrounds an engine.
//
// A program is JSON:
//   {"operation": "affine",        output channel c = scale[c] * input channel channels[c] + offset[c]
//    "scale": [2.0], "offset": [0.0], "channels": [0],
//    "shift": [1, -2],             periodic, one number a spatial axis: out[y, x] = in[y - 1, x + 2] (default 0)
//    "parameter": 0,               and + parameter[0] (default: none)
//    "weights": [0.1, 2],          and + 0.1 * parameter[0] + 2 * parameter[1] (default: none)
//    "noise": 0.5,                 and + 0.5 * channel c modulo their number of the last input (default 0)
//    "view": true,                 with one state: return the input's own memory from channel channels[0] on, as a
//                                  program that changes nothing may
//    "anywhere": true,             pass for a program of any format on any device (it runs on the CPU)
//    "fail": "run",                a fault: "load" or "throw load" while it is loaded, or one of FAULTS below while it
//    runs, "after": 5, "times": 1,       from run `after` on, counted from 0 (default 0), in so many runs (default:
//    all)
//    "methods": {"steps_4": {...}}}      what a program of the file that is named so has in place of these keys
// Opening a model runs its program once.
#include "../../core/json_document.h"
#include "../engine.h"

#include <surrogate/surrogate.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <new>
#include <string>
#include <utility>
#include <vector>

struct surrogate_program {
    std::vector<float> scale, offset, weights;
    std::vector<std::int64_t> channels, shift;
    int parameter = -1;
    float noise = 0;
    bool view = false;
    std::string fault;
    std::int64_t after = 0, times = 0, runs = 0;
    std::vector<float> result;
};

namespace {

void tell(surrogate_engine_error *error, const char *text) {
    if (error && error->text && error->size)
        std::snprintf(error->text, error->size, "%s", text);
}

void read_program(surrogate::core::JsonDocument &document, const surrogate_engine_load &request) {
    if (request.data)
        return document.parse({static_cast<const char *>(request.data), request.size});
    std::ifstream file(request.path);
    document.parse(std::string(std::istreambuf_iterator<char>(file), {}));
}

/// The keys of one program of a file. Nothing is copied: a value of JSON allocates while it is destroyed.
class Keys {
  public:
    Keys(const nlohmann::json &file, const char *method) : file_(file), own_(file) {
        if (!method)
            return;
        const auto methods = file.find("methods");
        if (methods == file.end() || !methods->contains(method))
            throw std::runtime_error(std::string("the file has no program '") + method + "'");
        own_ = std::cref(methods->at(method));
    }
    const nlohmann::json &at(const char *key) const {
        return own_.get().contains(key) ? own_.get().at(key) : file_.at(key);
    }
    template <class T> T value(const char *key, T otherwise) const {
        const auto &from = own_.get().contains(key) ? own_.get() : file_;
        const auto found = from.find(key);
        return found == from.end() ? otherwise : found->template get<T>();
    }

  private:
    const nlohmann::json &file_;
    std::reference_wrapper<const nlohmann::json> own_;
};

surrogate_program make_program(const Keys &json) {
    surrogate_program program;
    if (json.at("operation").get<std::string>() != "affine")
        throw std::runtime_error("the only operation is 'affine'");
    json.at("scale").get_to(program.scale);
    json.at("offset").get_to(program.offset);
    json.at("channels").get_to(program.channels);
    program.shift = json.value("shift", std::vector<std::int64_t>{});
    program.parameter = json.value("parameter", -1);
    program.weights = json.value("weights", std::vector<float>{});
    program.noise = json.value("noise", 0.0f);
    program.view = json.value("view", false);
    program.fault = json.value("fail", std::string());
    program.after = std::max(json.value("after", std::int64_t{0}), std::int64_t{0});
    program.times = json.value("times", std::numeric_limits<std::int64_t>::max());
    if (program.scale.size() != program.channels.size() || program.offset.size() != program.channels.size())
        throw std::runtime_error("scale, offset and channels must have one entry for each output channel");
    return program;
}

int load(surrogate_program **program, const surrogate_engine_load *request, surrogate_engine_error *error) {
    try {
        surrogate::core::JsonDocument document;
        read_program(document, *request);
        const bool own = std::string(request->format) == "stub" && std::strncmp(request->device, "cpu", 3) == 0;
        if (!own && !document.root().value("anywhere", false)) {
            tell(error, "the stub engine runs programs of format stub on cpu");
            return SURROGATE_ERROR_UNSUPPORTED;
        }
        auto made = make_program(Keys(document.root(), request->method));
        if (made.fault == "load") {
            tell(error, "the stub program asks to fail in load");
            return SURROGATE_ERROR_ENGINE;
        }
        if (made.fault == "throw load")
            throw 1; // against the rules of the interface
        *program = new surrogate_program(std::move(made));
        return 0;
    } catch (const std::bad_alloc &) {
        tell(error, "out of memory");
        return SURROGATE_ERROR_MEMORY;
    } catch (const std::exception &exception) {
        tell(error, exception.what());
    }
    return SURROGATE_ERROR_ENGINE;
}

/// Axes as (z, y, x), leading ones 1.
struct Cells {
    std::int64_t shape[3] = {1, 1, 1}, shift[3] = {};
    Cells(const surrogate_tensor &state, const std::vector<std::int64_t> &shift_by) {
        const int rank = state.rank - 2;
        for (int k = 0; k < rank; ++k) {
            const std::int64_t n = state.shape[2 + k];
            shape[3 - rank + k] = n;
            if (k < static_cast<int>(shift_by.size()))
                shift[3 - rank + k] = (shift_by[static_cast<std::size_t>(k)] % n + n) % n;
        }
    }
    std::int64_t count() const { return shape[0] * shape[1] * shape[2]; }
    std::int64_t from(std::int64_t z, std::int64_t y, std::int64_t x) const {
        z = (z + shape[0] - shift[0]) % shape[0];
        y = (y + shape[1] - shift[1]) % shape[1];
        x = (x + shape[2] - shift[2]) % shape[2];
        return (z * shape[1] + y) * shape[2] + x;
    }
};

void map_channel(float *to, const float *from, const Cells &cells, float scale, float offset) {
    if (cells.shift[0] == 0 && cells.shift[1] == 0 && cells.shift[2] == 0) {
        for (std::int64_t i = 0; i < cells.count(); ++i)
            to[i] = scale * from[i] + offset;
        return;
    }
    for (std::int64_t z = 0; z < cells.shape[0]; ++z)
        for (std::int64_t y = 0; y < cells.shape[1]; ++y)
            for (std::int64_t x = 0; x < cells.shape[2]; ++x)
                *to++ = scale * from[cells.from(z, y, x)] + offset;
}

void add_noise(surrogate_program &program, const surrogate_tensor &noise, std::int64_t written, std::int64_t n) {
    for (std::int64_t b = 0; b < noise.shape[0]; ++b)
        for (std::int64_t c = 0; c < written; ++c) {
            const auto *from = static_cast<const float *>(noise.data) + (b * noise.shape[1] + c % noise.shape[1]) * n;
            float *to = program.result.data() + (b * written + c) * n;
            for (std::int64_t i = 0; i < n; ++i)
                to[i] += program.noise * from[i];
        }
}

/// What the parameters of state `b` add to its channels.
float of_parameters(const surrogate_program &program, const surrogate_tensor &parameters, std::int64_t b) {
    const auto *values = static_cast<const float *>(parameters.data) + b * parameters.shape[1];
    float sum = program.parameter >= 0 && program.parameter < parameters.shape[1] ? values[program.parameter] : 0;
    for (std::size_t p = 0; p < program.weights.size() && static_cast<std::int64_t>(p) < parameters.shape[1]; ++p)
        sum += program.weights[p] * values[p];
    return sum;
}

int run_affine(surrogate_program &program, surrogate_tensor &output, const surrogate_tensor *inputs, int input_count) {
    const surrogate_tensor &state = inputs[0];
    const Cells cells(state, program.shift);
    const std::int64_t batch = state.shape[0], read = state.shape[1], n = cells.count();
    const auto written = static_cast<std::int64_t>(program.channels.size());
    output = state;
    output.shape[1] = written;
    if (program.view && batch == 1 && written > 0 && program.channels[0] >= 0 &&
        program.channels[0] <= read - written) {
        output.data = static_cast<float *>(state.data) + program.channels[0] * n;
        return 0;
    }
    program.result.resize(static_cast<std::size_t>(batch * written * n));
    for (std::int64_t b = 0; b < batch; ++b)
        for (std::int64_t c = 0; c < written; ++c) {
            const auto k = static_cast<std::size_t>(c);
            if (program.channels[k] < 0 || program.channels[k] >= read)
                return SURROGATE_ERROR_EXECUTION;
            const float offset = program.offset[k] + (input_count > 1 ? of_parameters(program, inputs[1], b) : 0);
            map_channel(program.result.data() + (b * written + c) * n,
                        static_cast<const float *>(state.data) + (b * read + program.channels[k]) * n, cells,
                        program.scale[k], offset);
        }
    if (program.noise != 0)
        add_noise(program, inputs[input_count - 1], written, n);
    output.data = program.result.data();
    return 0;
}

float &middle(surrogate_program &program) {
    return program.result[program.result.size() / 2];
}

/// What a faulty run does in place of, or with the output of, a good one.
using Fault = int (*)(surrogate_program &, surrogate_tensor &output, surrogate_engine_error *);
const std::pair<const char *, Fault> FAULTS[] = {
    {"run",
     [](surrogate_program &, surrogate_tensor &, surrogate_engine_error *error) -> int {
         tell(error, "the stub program asks to fail in run");
         return SURROGATE_ERROR_EXECUTION;
     }},
    {"message", // a failure without a text
     [](surrogate_program &, surrogate_tensor &, surrogate_engine_error *) -> int {
         return SURROGATE_ERROR_EXECUTION;
     }},
    {"text", // a text without its NUL
     [](surrogate_program &, surrogate_tensor &, surrogate_engine_error *error) -> int {
         std::memset(error->text, 'x', error->size);
         return SURROGATE_ERROR_EXECUTION;
     }},
    {"status", [](surrogate_program &, surrogate_tensor &, surrogate_engine_error *) { return 7; }},
    {"throw", [](surrogate_program &, surrogate_tensor &, surrogate_engine_error *) -> int { throw 1; }},
    {"nan",
     [](surrogate_program &program, surrogate_tensor &, surrogate_engine_error *) {
         middle(program) = std::numeric_limits<float>::quiet_NaN();
         return 0;
     }},
    {"inf",
     [](surrogate_program &program, surrogate_tensor &, surrogate_engine_error *) {
         middle(program) = std::numeric_limits<float>::infinity();
         return 0;
     }},
    {"shape",
     [](surrogate_program &, surrogate_tensor &output, surrogate_engine_error *) {
         output.shape[output.rank - 1] += 1;
         return 0;
     }},
    {"batch",
     [](surrogate_program &, surrogate_tensor &output, surrogate_engine_error *) {
         output.shape[0] = 0;
         return 0;
     }},
    {"rank",
     [](surrogate_program &, surrogate_tensor &output, surrogate_engine_error *) {
         output.rank = 99;
         return 0;
     }},
    {"negative rank",
     [](surrogate_program &, surrogate_tensor &output, surrogate_engine_error *) {
         output.rank = -1;
         return 0;
     }},
    {"dtype",
     [](surrogate_program &, surrogate_tensor &output, surrogate_engine_error *) {
         output.dtype = SURROGATE_FLOAT64;
         return 0;
     }},
    {"memory",
     [](surrogate_program &, surrogate_tensor &output, surrogate_engine_error *) {
         output.memory = SURROGATE_CUDA;
         return 0;
     }},
    {"null",
     [](surrogate_program &, surrogate_tensor &output, surrogate_engine_error *) {
         output.data = nullptr;
         return 0;
     }},
    {"nothing",
     [](surrogate_program &, surrogate_tensor &output, surrogate_engine_error *) { // success, no output
         output = surrogate_tensor{};
         return 0;
     }},
};

int spoil(surrogate_program &program, surrogate_tensor &output, surrogate_engine_error *error) {
    for (const auto &[name, fault] : FAULTS)
        if (program.fault == name)
            return fault(program, output, error);
    return 0; // a fault of loading
}

int run(surrogate_program *program, surrogate_tensor *output, const surrogate_tensor *inputs, int32_t input_count,
        void *, surrogate_engine_error *error) {
    bool faulty = false;
    try {
        const std::int64_t index = program->runs++ - program->after;
        faulty = !program->fault.empty() && index >= 0 && index < program->times;
        if (const int status = run_affine(*program, *output, inputs, input_count); status != 0) {
            tell(error, "channels: an index is outside the input");
            return status;
        }
    } catch (const std::bad_alloc &) {
        tell(error, "out of memory");
        return SURROGATE_ERROR_MEMORY;
    } catch (const std::exception &exception) {
        tell(error, exception.what());
        return SURROGATE_ERROR_EXECUTION;
    }
    return faulty ? spoil(*program, *output, error) : 0;
}

void destroy(surrogate_program *program) {
    delete program;
}

const surrogate_engine engine = {SURROGATE_ENGINE_ABI, "stub", "stub 1", load, run, destroy, nullptr, nullptr};

} // namespace

extern "C" __attribute__((visibility("default"))) int
surrogate_engine_entry(const surrogate_engine **entry, uint32_t abi, surrogate_engine_error *error) {
    if (abi != SURROGATE_ENGINE_ABI) {
        tell(error, "built for another engine interface");
        return SURROGATE_ERROR_ENGINE;
    }
    *entry = &engine;
    return 0;
}
