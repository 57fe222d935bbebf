// A good bundle of the stub engine, made in memory, to be broken one way at a time; and what it must predict.
#ifndef FLOW_BUNDLE_H
#define FLOW_BUNDLE_H

#include "../c/check.h"
#include "sha256.h"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace fs = std::filesystem;
using nlohmann::json;

enum { NY = 8, NX = 12, N = NY * NX, CHANNELS = 5 };

/// Bytes of a safetensors file of float32 tensors: name, then shape and values.
inline std::string
safetensors(const std::map<std::string, std::pair<std::vector<std::int64_t>, std::vector<float>>> &tensors) {
    json header = json::object();
    std::string data;
    for (const auto &[name, tensor] : tensors) {
        const std::size_t begin = data.size();
        data.append(reinterpret_cast<const char *>(tensor.second.data()), tensor.second.size() * sizeof(float));
        header[name] = {{"dtype", "F32"}, {"shape", tensor.first}, {"data_offsets", {begin, data.size()}}};
    }
    const std::string text = header.dump();
    std::string file;
    for (int i = 0; i < 8; ++i)
        file += static_cast<char>(text.size() >> (8 * i) & 0xff);
    return file + text + data;
}

/// manifest.json and the other files of a bundle; sizes and hashes are filled in when it is put together.
struct FlowBundle {
    json manifest = json::parse(R"({
        "format": {"name": "surrogate-bundle", "version": 1}, "name": "flow",
        "fields": [
          {"name": "rho", "unit": "kg m-3", "normalisation": {"mean": [0], "std": [1]},
           "prediction": {"kind": "increment", "scale": [1], "offset": [0]}},
          {"name": "v", "unit": "m s-1", "components": 2, "normalisation": {"mean": [0.5, -0.5], "std": [2, 4]},
           "prediction": {"kind": "increment", "scale": [1, 1], "offset": [0, 0]}},
          {"name": "mask", "normalisation": {"mean": [0], "std": [1]}},
          {"name": "p", "normalisation": {"mean": [0], "std": [1]},
           "prediction": {"kind": "frame", "scale": [0.5], "offset": [1]}}],
        "grid": {"axes": ["y", "x"], "multiple_of": [4, 4], "minimum_shape": [4, 4],
                 "boundary": ["periodic", "wall"], "spacing": [0.1, 0.2], "spacing_unit": "m"},
        "time": {"step": 0.5, "unit": "s"},
        "parameters": [{"name": "nu", "unit": "m2 s-1", "range": [0, 1], "preset": 0.25}],
        "locality": {"receptive_field": [1, 2], "stride": [1, 1]},
        "guards": {"finite": true, "bounds": {"p": {"lower": -1000, "upper": 1000}}},
        "example": {"file": "example.safetensors", "tolerance": 1e-6},
        "programs": [{"name": "stub", "engine": "stub", "format": "stub", "file": "programs/stub.json"}]})");
    json program = json::parse(R"({"operation": "affine", "scale": [0.5, 2, -1, 3], "offset": [0, 0.25, 0, 1],
        "channels": [0, 2, 1, 4], "shift": [1, -2], "parameter": 0})");
    std::map<std::string, std::string> files; // more files, or other bytes for these

    FlowBundle() {
        const std::vector<float> zeros(CHANNELS * 16), parameters = {0.25f};
        std::vector<float> expected(4 * 16, 0.25f);
        for (int i = 0; i < 16; ++i) {
            expected[16 + static_cast<std::size_t>(i)] = 0.5f;
            expected[48 + static_cast<std::size_t>(i)] = 1.25f;
        }
        files["example.safetensors"] = safetensors({{"input", {{1, CHANNELS, 4, 4}, zeros}},
                                                    {"expected", {{1, 4, 4, 4}, expected}},
                                                    {"parameters", {{1, 1}, parameters}}});
    }

    /// Every file by its name.
    std::map<std::string, std::string> put_together() const {
        std::map<std::string, std::string> all = files;
        all.emplace("programs/stub.json", program.dump());
        json whole = manifest;
        for (const auto &[name, bytes] : all)
            if (name != "manifest.json" && !whole["files"].contains(name))
                whole["files"][name] = {{"bytes", bytes.size()},
                                        {"sha256", surrogate::core::sha256(bytes.data(), bytes.size())}};
        all.emplace("manifest.json", whole.dump());
        return all;
    }

    /// Write it to a folder that does not exist yet.
    void write(const fs::path &folder) const {
        for (const auto &[name, bytes] : put_together()) {
            fs::create_directories((folder / name).parent_path());
            std::ofstream(folder / name, std::ios::binary) << bytes;
        }
    }
};

/// The same model, stochastic and reading two frames: its noise weighs nothing and it looks at the newest frame alone,
/// so that it predicts the same.
inline FlowBundle deep_flow() {
    FlowBundle bundle;
    bundle.manifest["history"] = 2;
    bundle.manifest["noise"] = json::parse(R"([{"name": "xi", "channels": 2}])");
    bundle.manifest.erase("example");
    bundle.files.clear();
    return bundle;
}

/// One prediction with the flow model: good until a test breaks a part of it.
struct FlowCall {
    static constexpr double CANARY = -77.125;
    double now[CHANNELS * N], next[CHANNELS * N];
    surrogate_field in[8], out[4]; // the older frame, of models that read it, is the newest again
    std::size_t count = 4;
    surrogate_step_options step;

    FlowCall() {
        static const char *const names[4] = {"rho", "v", "mask", "p"};
        static const int first[4] = {0, 1, 3, 4};
        const std::int64_t shape[3] = {2, NY, NX};
        for (int f = 0; f < 4; ++f) {
            const int vector = f == 1;
            surrogate_field_init(&in[f], names[f], now + first[f] * N, SURROGATE_FLOAT64, 2 + vector,
                                 shape + 1 - vector);
            if (vector)
                in[f].component_axis = 0;
            out[f] = in[4 + f] = in[f];
            out[f].data = next + first[f] * N;
        }
        for (int i = 0; i < CHANNELS * N; ++i) {
            now[i] = 0.5 + 0.001 * i;
            next[i] = CANARY;
        }
        surrogate_step_options_init(&step, sizeof step);
        step.step = 0;
    }

    int predict(surrogate_model *model) { return surrogate_predict(model, out, in, count, &step); }

    bool untouched() const {
        for (const double value : next)
            if (value != CANARY)
                return false;
        return true;
    }
};

/// Fields of `states` whole states behind one another at `values`, [states][CHANNELS][NY][NX].
struct FlowBatch {
    surrogate_field fields[4];
    FlowBatch(double *values, std::int64_t states) {
        FlowCall call;
        for (int f = 0; f < 4; ++f) {
            surrogate_field &field = fields[f] = call.out[f];
            field.data = values + (static_cast<double *>(call.out[f].data) - call.next);
            field.shape[field.rank] = states;
            field.strides[field.rank] = CHANNELS * N * std::int64_t{sizeof(double)};
            field.batch_axis = field.rank++;
        }
    }
};

/// Whether a good call on `model` returns the right bits: those of a NumPy-like loop written out here.
inline bool predicts_right(surrogate_model *model) {
    FlowCall call;
    if (call.predict(model) != SURROGATE_OK)
        return false;
    static const double mean[CHANNELS] = {0, 0.5, -0.5, 0, 0}, inverse[CHANNELS] = {1, 0.5, 0.25, 1, 1};
    static const int channel[4] = {0, 2, 1, 4}, target[4] = {0, 1, 2, 4};
    static const float scale[4] = {0.5f, 2, -1, 3}, offset[4] = {0.25f, 0.5f, 0.25f, 1.25f}; // the parameter is 0.25
    for (int k = 0; k < 4; ++k)
        for (int y = 0; y < NY; ++y)
            for (int x = 0; x < NX; ++x) {
                const int from = channel[k] * N + (y + NY - 1) % NY * NX + (x + 2) % NX,
                          to = target[k] * N + y * NX + x;
                const auto packed = static_cast<float>((call.now[from] - mean[channel[k]]) * inverse[channel[k]]);
                const double jump = scale[k] * packed + offset[k];
                const double expected = target[k] == 4 ? 1 + 0.5 * jump : call.now[to] + jump;
                if (call.next[to] != expected)
                    return false;
            }
    return true;
}

#endif
