// The chosen program of a bundle, loaded into its engine.
#pragma once

#include "bundle.h"
#include "engine_registry.h"

namespace surrogate::core {

struct OverlayEntry;

/// What the caller asks for; "" means: any.
struct Request {
    std::string engine, program, device = "cpu", precision, engine_path, engine_options;
    std::string overlay; // folder of programs lowered for this machine; "": none
    int threads = 0;
};

class Program {
  public:
    /// The fastest program of the bundle and its overlay that fits the request and this machine and can be loaded;
    /// those without a timing come after those with one, in the manifest's order.
    /// Engine "none": no program.
    /// steps: of the sampler that it makes; nothing: any. siblings: programs that were loaded for the same model.
    static Program choose(const Bundle &bundle, const Request &request, std::optional<std::int64_t> steps,
                          const std::vector<const Program *> &siblings);

    bool loaded() const { return engine_ != nullptr; }
    /// Fail with ERROR_UNSUPPORTED unless a program was loaded.
    void require_loaded() const;

    /// The program's output, dense float32 in host memory, valid until the next run; its shape is not yet checked.
    surrogate_tensor run(const surrogate_tensor *inputs, int count, void *stream);

    /// Whether fields of the host are to be packed, counted and written by the engine too (engine option "passes").
    bool passes_in_engine() const { return passes_in_engine_; }
    /// surrogate_engine.device_run and device_write; ERROR_UNSUPPORTED if the engine has none.
    void device_run(surrogate_engine_sums *sources, surrogate_engine_sums *targets,
                    const surrogate_engine_layout &layout, const surrogate_tensor *inputs, int count, void *stream);
    void device_write(const surrogate_engine_layout &layout, void *stream);

    const ProgramSpec &spec() const { return spec_; }
    const std::string &device() const { return device_; }
    const std::string &choice() const { return choice_; } ///< one sentence: why this program
    /// How far the program may leave the expected output on the example besides the manifest's tolerance: what it was
    /// accepted with where it was lowered; 0 for a program of the bundle itself.
    double deviation() const { return deviation_; }
    const char *engine_version() const {
        return !loaded() ? spec_.engine.c_str() : engine_->version ? engine_->version : engine_->name;
    }

  private:
    /// `entry`: of the overlay, whose files have been checked; NULL: a program of the bundle itself.
    static Program load(const Bundle &bundle, const Request &request, const ProgramSpec &spec,
                        const OverlayEntry *entry, const std::vector<const Program *> &siblings);
    /// Loads nothing.
    explicit Program(const Request &request);
    /// Loads `path` ("": only `bytes` are there), or the bytes if there are any.
    Program(const ProgramSpec &spec, const Request &request, const std::string &path, const Bytes &bytes, int inputs,
            const std::vector<const Program *> &siblings);

    surrogate_program *share(const std::vector<const Program *> &siblings) const;
    void require_passes() const;
    [[noreturn]] void fail_run(int status, const EngineText &message) const;

    struct Destroy {
        const surrogate_engine *engine;
        void operator()(surrogate_program *program) const { engine->destroy(program); }
    };
    ProgramSpec spec_;
    std::string device_, choice_;
    double deviation_ = 0;
    bool passes_in_engine_ = false;
    const surrogate_engine *engine_;
    std::unique_ptr<surrogate_program, Destroy> handle_;
};

} // namespace surrogate::core
