// HDF5 handles that close themselves, failures as exceptions, and its error printing held off.
#pragma once

#include <surrogate/surrogate.h>

#include <hdf5.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace recorder {

/// A status with its text, on the way to the plugin's boundary.
struct Failure : std::runtime_error {
    Failure(int status_, const std::string &text) : std::runtime_error(text), status(status_) {}
    int status;
};

[[noreturn]] inline void fail_hdf5(const std::string &what) {
    throw Failure(SURROGATE_ERROR_WRITE, "HDF5 failed: " + what);
}

inline void check(herr_t status, const char *what) {
    if (status < 0)
        fail_hdf5(what);
}

/// Owner of one HDF5 identifier.
class Id {
  public:
    using Close = herr_t (*)(hid_t);
    Id(hid_t id, Close close, const std::string &what) : id_(id), close_(close) {
        if (id < 0)
            fail_hdf5(what);
    }
    Id(Id &&other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
    Id(const Id &) = delete;
    Id &operator=(const Id &) = delete;
    ~Id() {
        if (id_ >= 0)
            close_(id_);
    }
    operator hid_t() const { return id_; }
    /// Close now, and fail if that fails.
    void close(const char *what) { check(close_(std::exchange(id_, -1)), what); }

  private:
    hid_t id_;
    Close close_;
};

/// While it lives HDF5 prints no errors; the host's handler comes back afterwards.
class Silence {
  public:
    Silence() {
        H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
        H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    }
    ~Silence() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }
    Silence(const Silence &) = delete;
    Silence &operator=(const Silence &) = delete;

  private:
    H5E_auto2_t function_ = nullptr;
    void *data_ = nullptr;
};

} // namespace recorder
