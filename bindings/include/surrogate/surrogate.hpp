// surrogate.hpp - the C++17 face of surrogate.h: header-only, over the C API alone.
//
// clang-format off
//     auto model = surrogate::Model::open("flow.surrogate");
//     const auto rho = surrogate::field("rho", rho_data, {ny, nx});      // dense: pointer and shape
//     const auto p = surrogate::ghosted("p", p_data, {ny, nx}, {2, 2});  // interior of an array with ghost cells
//     if (model.predict({rho, p}, {rho, p}) == surrogate::Outcome::rejected)
//         solver_advance(model.info().time_step);
// clang-format on
//
// - Errors throw surrogate::Error; a REJECTED step is an outcome, not an error.  try_open and try_predict never throw
//   and return the C status, with the text in surrogate_last_error().
// - A Field describes memory and owns none: it must outlive the call only.  A ConstField is only read.
// - Axes stand slowest first, as in C; strides are in bytes.
// - What holds for threads, overlap and ownership is written in surrogate.h.
#ifndef SURROGATE_SURROGATE_HPP
#define SURROGATE_SURROGATE_HPP

#include <surrogate/surrogate.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace surrogate {

// ------------------------------------------------------------------------------------ outcomes and errors --

enum class Outcome { ok = SURROGATE_OK, rejected = SURROGATE_REJECTED };

/// Something broke: `status()` is one of SURROGATE_ERROR_*, `what()` says where, what was given, what was expected.
class Error : public std::runtime_error {
  public:
    Error(int status, const std::string &text) : std::runtime_error(text), status_(status) {}
    int status() const noexcept { return status_; }

  private:
    int status_;
};

namespace detail {

/// OK and REJECTED pass, errors throw with the library's text.
inline int checked(int status) {
    if (status < 0)
        throw Error(status, surrogate_last_error());
    return status;
}

template <class T> struct dtype_of { static_assert(!std::is_same_v<T, T>, "surrogate takes float and double"); };
template <> struct dtype_of<float> : std::integral_constant<std::int32_t, SURROGATE_FLOAT32> {};
template <> struct dtype_of<double> : std::integral_constant<std::int32_t, SURROGATE_FLOAT64> {};

} // namespace detail

// --------------------------------------------------------------------------------------------- fields --

/// Extents of up to SURROGATE_MAX_RANK axes, from any integers: {ny, nx}.
class Shape {
  public:
    template <class... Integer, class = std::enable_if_t<(std::is_integral_v<Integer> && ...)>>
    Shape(Integer... extents) noexcept // implicit, so that {ny, nx} is a Shape
        : rank_(static_cast<int>(sizeof...(Integer))), extents_{static_cast<std::int64_t>(extents)...} {
        static_assert(sizeof...(Integer) <= SURROGATE_MAX_RANK, "at most SURROGATE_MAX_RANK axes");
    }
    int rank() const noexcept { return rank_; }
    const std::int64_t *data() const noexcept { return extents_.data(); }
    std::int64_t operator[](int axis) const { return extents_[static_cast<std::size_t>(axis)]; }

  private:
    int rank_;
    std::array<std::int64_t, SURROGATE_MAX_RANK> extents_;
};

/// A named array that is read: surrogate_field, with setters that return a changed copy.
struct ConstField : surrogate_field {};

/// A named array that is read or written.
struct Field : ConstField {};

static_assert(sizeof(Field) == sizeof(surrogate_field), "an array of Field is an array of surrogate_field");

/// `field` with axis `axis` counting components, for instance 0 for v[3][ny][nx].
template <class F> F components(F field, int axis) {
    field.component_axis = axis;
    return field;
}

/// `field` with axis `axis` counting independent states.
template <class F> F batched(F field, int axis) {
    field.batch_axis = axis;
    return field;
}

/// `field` with the unit of its values, which is compared with the manifest's.  `unit` is borrowed.
template <class F> F unit(F field, const char *unit) {
    field.unit = unit;
    return field;
}

/// `field` in the memory of CUDA device `device`.
template <class F> F on_cuda(F field, int device) {
    field.memory = SURROGATE_CUDA;
    field.device = device;
    return field;
}

namespace detail {

template <class T> using field_of = std::conditional_t<std::is_const_v<T>, ConstField, Field>;

template <class T> field_of<T> describe(const char *name, T *data, int rank) {
    field_of<T> field{};
    field.name = name;
    field.data = const_cast<std::remove_const_t<T> *>(data); // a ConstField is never given as output
    field.dtype = dtype_of<std::remove_const_t<T>>::value;
    field.memory = SURROGATE_HOST;
    field.rank = rank;
    field.component_axis = -1;
    field.batch_axis = -1;
    return field;
}

template <class M, class = void> struct handle {
    static auto of(const M &array) { return array.data(); }
};
template <class M> struct handle<M, std::void_t<decltype(std::declval<const M &>().data_handle())>> {
    static auto of(const M &array) { return array.data_handle(); }
};

template <class M, class = void> struct is_strided : std::false_type {};
template <class M>
struct is_strided<
    M, std::void_t<decltype(handle<M>::of(std::declval<const M &>())), decltype(std::declval<const M &>().rank()),
                   decltype(std::declval<const M &>().extent(0)), decltype(std::declval<const M &>().stride(0))>>
    : std::true_type {};

} // namespace detail

/// A dense array data[shape[0]]...[shape[rank-1]].  `name` is borrowed; nullptr: fields in the manifest's order.
template <class T> detail::field_of<T> field(const char *name, T *data, const Shape &shape) {
    auto result = detail::describe(name, data, shape.rank());
    auto step = static_cast<std::int64_t>(sizeof(T));
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
        result.shape[axis] = shape[axis];
        result.strides[axis] = step;
        step *= shape[axis];
    }
    return result;
}

/// An array with any strides, in bytes; `data` is the address of element [0]...[0].
template <class T> detail::field_of<T> strided(const char *name, T *data, const Shape &shape, const Shape &strides) {
    if (shape.rank() != strides.rank())
        throw Error(SURROGATE_ERROR_SHAPE, "surrogate::strided: " + std::to_string(shape.rank()) + " extents and " +
                                               std::to_string(strides.rank()) + " strides; give one stride an axis");
    auto result = detail::describe(name, data, shape.rank());
    for (int axis = 0; axis < shape.rank(); ++axis) {
        result.shape[axis] = shape[axis];
        result.strides[axis] = strides[axis];
    }
    return result;
}

/// The interior, of extents `shape`, of a dense array whose axis k has shape[k] + 2*ghost[k] elements.
/// `data` is the address of the whole array.
template <class T> detail::field_of<T> ghosted(const char *name, T *data, const Shape &shape, const Shape &ghost) {
    if (shape.rank() != ghost.rank())
        throw Error(SURROGATE_ERROR_SHAPE, "surrogate::ghosted: " + std::to_string(shape.rank()) + " extents and " +
                                               std::to_string(ghost.rank()) + " ghost widths; give one width an axis");
    auto result = detail::describe(name, data, shape.rank());
    std::int64_t elements = 1;
    std::int64_t first = 0;
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
        result.shape[axis] = shape[axis];
        result.strides[axis] = elements * static_cast<std::int64_t>(sizeof(T));
        first += ghost[axis] * elements;
        elements *= shape[axis] + 2 * ghost[axis];
    }
    result.data = const_cast<std::remove_const_t<T> *>(data + first);
    return result;
}

/// Anything that looks like std::mdspan: data_handle() or data(), rank(), extent(k), stride(k) in elements.
template <class M, class = std::enable_if_t<detail::is_strided<M>::value>>
auto field(const char *name, const M &array) {
    auto *data = detail::handle<M>::of(array);
    const int rank = static_cast<int>(array.rank());
    if (rank > SURROGATE_MAX_RANK)
        throw Error(SURROGATE_ERROR_SHAPE, "surrogate::field: rank " + std::to_string(rank) + ", at most " +
                                               std::to_string(SURROGATE_MAX_RANK) + " axes are taken");
    auto result = detail::describe(name, data, rank);
    using Axis = decltype(array.rank());
    for (int axis = 0; axis < rank; ++axis) {
        const auto k = static_cast<Axis>(axis);
        result.shape[axis] = static_cast<std::int64_t>(array.extent(k));
        result.strides[axis] = static_cast<std::int64_t>(array.stride(k)) * static_cast<std::int64_t>(sizeof(*data));
    }
    return result;
}

namespace detail {

inline void check_size(std::size_t size, const Shape &shape) {
    std::int64_t expected = 1;
    for (int axis = 0; axis < shape.rank(); ++axis)
        expected *= shape[axis];
    if (static_cast<std::int64_t>(size) != expected)
        throw Error(SURROGATE_ERROR_SHAPE, "surrogate: the vector has " + std::to_string(size) +
                                               " elements, its shape has " + std::to_string(expected));
}

} // namespace detail

/// A dense array in a vector, whose size must be that of `shape`.
template <class T> Field field(const char *name, std::vector<T> &data, const Shape &shape) {
    detail::check_size(data.size(), shape);
    return field(name, data.data(), shape);
}

template <class T> ConstField field(const char *name, const std::vector<T> &data, const Shape &shape) {
    detail::check_size(data.size(), shape);
    return field(name, data.data(), shape);
}

/// A borrowed sequence of fields: {a, b}, an array, or a vector of them.
template <class F> class Fields {
  public:
    Fields(std::initializer_list<F> fields) noexcept : first_(fields.begin()), count_(fields.size()) {}
    /// Any container with data() and size() of F, or of Field where F is ConstField.
    template <class C, class E = std::remove_pointer_t<decltype(std::declval<const C &>().data())>,
              class = std::enable_if_t<std::is_base_of_v<F, std::remove_const_t<E>>>>
    Fields(const C &fields) noexcept : first_(fields.data()), count_(fields.size()) {}
    template <class E, std::size_t N, class = std::enable_if_t<std::is_base_of_v<F, E>>>
    Fields(const E (&fields)[N]) noexcept : first_(fields), count_(N) {}

    const surrogate_field *data() const noexcept { return first_; }
    std::size_t size() const noexcept { return count_; }

  private:
    const surrogate_field *first_;
    std::size_t count_;
};

// --------------------------------------------------------------------------------- options of open and predict --

/// surrogate_open_options; an empty string is "not given".
struct Options {
    std::string engine, program, device, precision;
    int threads = 0;                      ///< CPU threads of a prediction; 0: what the engine finds
    bool verify = false;                  ///< replay the example pair too
    std::string guards;                   ///< JSON object that replaces guards of the manifest
    std::string engine_path;              ///< ':'-separated folders searched first for engines
    std::string engine_options;           ///< JSON object handed to the engine
    surrogate_log_function log = nullptr; ///< nullptr: silent
    void *log_user = nullptr;
    std::optional<std::string>
        overlay;              ///< folder of programs lowered for this machine; "": none; not given: the user's
    std::string record_calls; ///< path of a recording of every accepted prediction
    bool preload = false;     ///< load the programs of all steps of a generative model at open
};

/// surrogate_step_options with its defaults: Step step; step.step = 7; step.steps = 4; step.caption = "two vortices";
struct Step : surrogate_step_options {
    Step() noexcept : surrogate_step_options{} {
        struct_size = sizeof(surrogate_step_options);
        step = -1;
        time = std::numeric_limits<double>::quiet_NaN();
        members = 1;
        guidance = std::numeric_limits<double>::quiet_NaN();
    }
};

// --------------------------------------------------------------------------------------------- model --

/// An opened bundle.  Moved, never copied; closed by its destructor.  A moved-from model can only be assigned to.
class Model {
  public:
    Model() noexcept = default;

    /// Open the bundle folder at `path`; throws Error.
    static Model open(const std::string &path, const Options &options = {}) {
        Model model;
        detail::checked(try_open(model, path, options));
        return model;
    }

    /// The same without exceptions: the status; `model` is replaced only if it is SURROGATE_OK.
    static int try_open(Model &model, const std::string &path, const Options &options = {}) noexcept {
        const surrogate_open_options c = options_of(options);
        surrogate_model *handle = nullptr;
        const int status = surrogate_open(&handle, path.c_str(), &c);
        if (status == SURROGATE_OK)
            model.handle_.reset(handle);
        return status;
    }

    /// Open a bundle that is in memory already; `files` are borrowed during the call.
    static Model open_memory(const std::vector<surrogate_file> &files, const Options &options = {}) {
        const surrogate_open_options c = options_of(options);
        surrogate_model *handle = nullptr;
        detail::checked(surrogate_open_memory(&handle, files.data(), files.size(), &c));
        return Model(handle);
    }

    /// Take over a handle of the C API.
    explicit Model(surrogate_model *handle) noexcept : handle_(handle) {}

    explicit operator bool() const noexcept { return handle_ != nullptr; }
    surrogate_model *get() const noexcept { return handle_.get(); }
    /// Hand the C handle over to the caller, who closes it.
    surrogate_model *release() noexcept { return handle_.release(); }
    void close() noexcept { handle_.reset(); }

    /// Predict the state one time step later into `output`, which is written only if the outcome is ok and may be the
    /// input.  Fields that are only read may be missing in `output`.  Throws Error.
    Outcome predict(const Fields<Field> &output, const Fields<ConstField> &input, const Step &step = Step()) {
        return static_cast<Outcome>(detail::checked(try_predict(output, input, step)));
    }

    /// The same without exceptions: SURROGATE_OK, SURROGATE_REJECTED or SURROGATE_ERROR_*.
    int try_predict(const Fields<Field> &output, const Fields<ConstField> &input, const Step &step = Step()) noexcept {
        if (output.size() == input.size())
            return surrogate_predict(handle_.get(), output.data(), input.data(), input.size(), &step);
        if (output.size() > input.size())
            return refuse_lengths(output, input, step);
        std::array<surrogate_field, 32> few;
        std::unique_ptr<surrogate_field[]> many;
        surrogate_field *padded = few.data();
        if (input.size() > few.size()) {
            many.reset(new (std::nothrow) surrogate_field[input.size()]);
            padded = many.get();
            if (padded == nullptr)
                return refuse_lengths(output, input, step);
        }
        fill_missing(padded, output, input);
        return surrogate_predict(handle_.get(), padded, input.data(), input.size(), &step);
    }

    /// The short form: the whole state in dense arrays [C][ny][nx], channels in the manifest's order.  Throws Error.
    template <class T> Outcome predict(T *output, const T *input, const Shape &shape, const Step &step = Step()) {
        return static_cast<Outcome>(detail::checked(try_predict(output, input, shape, step)));
    }

    template <class T>
    int try_predict(T *output, const T *input, const Shape &shape, const Step &step = Step()) noexcept {
        return surrogate_predict_array(handle_.get(), output, input, detail::dtype_of<T>::value, shape.rank(),
                                       shape.data(), &step);
    }

    template <class T>
    Outcome predict(std::vector<T> &output, const std::vector<T> &input, const Shape &shape,
                    const Step &step = Step()) {
        detail::check_size(output.size(), shape);
        detail::check_size(input.size(), shape);
        return predict(output.data(), input.data(), shape, step);
    }

    /// Begin a prediction on a thread of the library's; fields are borrowed until `wait`, which decides, writes and
    /// returns the outcome.  `input` holds every frame of the model's history; each list names all fields.  Throw
    /// Error.
    void begin(const Fields<Field> &output, const Fields<ConstField> &input, const Step &step = Step()) {
        detail::checked(surrogate_predict_begin(handle_.get(), output.data(), input.data(), output.size(), &step));
    }
    bool done() const {
        int value = 0;
        detail::checked(surrogate_predict_test(handle_.get(), &value));
        return value != 0;
    }
    Outcome wait() { return static_cast<Outcome>(detail::checked(surrogate_predict_wait(handle_.get()))); }

    /// Instead of `wait`, where several ranks hold the domain: wait for the program and take the sums of this rank's
    /// part of `states` states, which are added over all ranks (MPI_SUM); an error of the program ends the call.
    std::vector<double> partials(std::size_t states = 1) {
        std::vector<double> sums(states * static_cast<std::size_t>(info().partial_count));
        detail::checked(surrogate_predict_partials(handle_.get(), sums.data(), sums.size()));
        return sums;
    }
    /// What `wait` does, decided by the sums over all ranks.  Throw Error.
    Outcome finish(const std::vector<double> &totals) {
        return static_cast<Outcome>(
            detail::checked(surrogate_predict_finish(handle_.get(), totals.data(), totals.size())));
    }

    /// Mean and standard deviation over step.members members of a stochastic model; an empty list: not wanted.
    Outcome predict_ensemble(const Fields<Field> &mean, const Fields<Field> &spread, const Fields<ConstField> &input,
                             const Step &step) {
        return static_cast<Outcome>(detail::checked(
            surrogate_predict_ensemble(handle_.get(), mean.size() ? mean.data() : nullptr,
                                       spread.size() ? spread.data() : nullptr, input.data(), field_count(), &step)));
    }

    /// All members, in the batch axis of `output`.
    Outcome predict_members(const Fields<Field> &output, const Fields<ConstField> &input, const Step &step) {
        return static_cast<Outcome>(detail::checked(
            surrogate_predict_members(handle_.get(), output.data(), input.data(), output.size(), &step)));
    }

    /// What a rollout came to: the outcome of its last frame, and how many were accepted before.
    struct Rollout {
        Outcome outcome;
        std::int64_t completed;
    };
    /// Up to `steps` frames into the batch axis of `output`, or the last alone if it has none.  Throws Error.
    Rollout rollout(const Fields<Field> &output, const Fields<ConstField> &input, std::int64_t steps,
                    const Step &step = Step()) {
        std::int64_t completed = 0;
        const int status =
            surrogate_rollout(handle_.get(), &completed, output.data(), input.data(), output.size(), steps, &step);
        return {static_cast<Outcome>(detail::checked(status)), completed};
    }

    /// Facts; strings in them belong to the model.  Throw Error (no such index, model not open).
    surrogate_info info() const { return fact<surrogate_info>(surrogate_get_info); }
    surrogate_statistics statistics() const { return fact<surrogate_statistics>(surrogate_get_statistics); }
    surrogate_rejection rejection() const { return fact<surrogate_rejection>(surrogate_last_rejection); }
    surrogate_field_info field_info(int index) const {
        return fact<surrogate_field_info>(surrogate_get_field_info, index);
    }
    surrogate_parameter_info parameter_info(int index) const {
        return fact<surrogate_parameter_info>(surrogate_get_parameter_info, index);
    }
    /// Hash every file and replay the example pair.
    surrogate_verification verify() const { return fact<surrogate_verification>(surrogate_verify); }

  private:
    std::size_t field_count() const { return static_cast<std::size_t>(info().field_count); }

    struct Close {
        void operator()(surrogate_model *handle) const noexcept { surrogate_close(handle); }
    };
    std::unique_ptr<surrogate_model, Close> handle_;

    template <class Fact, class Function, class... Index> Fact fact(Function ask, Index... index) const {
        Fact result{};
        result.struct_size = sizeof(Fact);
        detail::checked(ask(handle_.get(), index..., &result));
        return result;
    }

    static surrogate_open_options options_of(const Options &options) noexcept {
        const auto given = [](const std::string &text) { return text.empty() ? nullptr : text.c_str(); };
        surrogate_open_options c{};
        c.struct_size = sizeof(c);
        c.engine = given(options.engine);
        c.program = given(options.program);
        c.device = given(options.device);
        c.precision = given(options.precision);
        c.threads = options.threads;
        c.verify = options.verify ? SURROGATE_VERIFY_EXAMPLE : SURROGATE_VERIFY_HASHES;
        c.guards = given(options.guards);
        c.engine_path = given(options.engine_path);
        c.engine_options = given(options.engine_options);
        c.log = options.log;
        c.log_user = options.log_user;
        c.overlay = options.overlay ? options.overlay->c_str() : nullptr;
        c.record_calls = given(options.record_calls);
        c.preload = options.preload;
        return c;
    }

    /// Two lists that differ in length: the library refuses the one that has not an entry for each field of the model,
    /// and writes the text.
    int refuse_lengths(const Fields<Field> &output, const Fields<ConstField> &input, const Step &step) const noexcept {
        surrogate_info info{};
        info.struct_size = sizeof info;
        const int status = surrogate_get_info(handle_.get(), &info);
        if (status != SURROGATE_OK)
            return status;
        const bool input_fits = input.size() == static_cast<std::size_t>(info.field_count);
        const surrogate_field *refused = input_fits ? output.data() : input.data();
        return surrogate_predict(handle_.get(), output.data(), refused, input_fits ? output.size() : input.size(),
                                 &step);
    }

    /// The library wants an entry for each field; one without data will do for a field that is only read.
    static void fill_missing(surrogate_field *padded, const Fields<Field> &output, const Fields<ConstField> &input) {
        std::size_t filled = 0;
        for (; filled < output.size(); ++filled)
            padded[filled] = output.data()[filled];
        for (std::size_t k = 0; k < input.size() && filled < input.size(); ++k) {
            const surrogate_field &candidate = input.data()[k];
            if (contains(output, candidate.name))
                continue;
            padded[filled] = candidate;
            padded[filled++].data = nullptr;
        }
        // Only if `output` names a field that `input` lacks: a repeated name lets the library say what is wrong.
        for (; filled < input.size(); ++filled)
            padded[filled] = input.data()[0];
    }

    static bool contains(const Fields<Field> &fields, const char *name) noexcept {
        for (std::size_t k = 0; k < fields.size(); ++k) {
            const char *other = fields.data()[k].name;
            if (name != nullptr && other != nullptr && std::strcmp(name, other) == 0)
                return true;
        }
        return false;
    }
};

// ------------------------------------------------------------------------------------------ recorder --

/// surrogate_recorder_options with its defaults; its strings and arrays are borrowed until open returns.
struct RecorderOptions : surrogate_recorder_options {
    RecorderOptions() noexcept : surrogate_recorder_options{} {
        struct_size = sizeof(surrogate_recorder_options);
        trajectory = -1;
    }
};

/// A recording of the solver's states.  Moved, never copied; ended by its destructor, which cannot tell whether the
/// frames could be joined: call close() to know.
class Recorder {
  public:
    Recorder() noexcept = default;

    /// Begin a recording at `path`; throws Error.
    static Recorder open(const std::string &path, const RecorderOptions &options = RecorderOptions()) {
        surrogate_recorder *handle = nullptr;
        detail::checked(surrogate_recorder_open(&handle, path.c_str(), &options));
        Recorder recorder;
        recorder.handle_.reset(handle);
        return recorder;
    }

    /// Add the frame of time `time`; throws Error.
    void write(double time, const Fields<ConstField> &fields) { detail::checked(try_write(time, fields)); }

    /// The same without exceptions: SURROGATE_OK or SURROGATE_ERROR_*.
    int try_write(double time, const Fields<ConstField> &fields) noexcept {
        return surrogate_recorder_write(handle_.get(), time, fields.data(), fields.size());
    }

    /// End the recording; throws Error if the frames could not be joined.
    void close() { detail::checked(surrogate_recorder_close(handle_.release())); }

    explicit operator bool() const noexcept { return handle_ != nullptr; }
    surrogate_recorder *get() const noexcept { return handle_.get(); }

  private:
    struct Close {
        void operator()(surrogate_recorder *handle) const noexcept { surrogate_recorder_close(handle); }
    };
    std::unique_ptr<surrogate_recorder, Close> handle_;
};

} // namespace surrogate

#endif
