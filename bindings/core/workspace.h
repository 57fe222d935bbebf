// Memory that grows to the largest call and is then used again.
#pragma once

#include <cstdint>
#include <memory>
#include <new>

namespace surrogate::core {

/// A buffer of floats, aligned for any vector instruction, whose content does not survive growth.
class Buffer {
  public:
    /// At least `count` floats. `allocations` is raised by one if memory had to be allocated.
    float *get(std::int64_t count, std::int64_t &allocations) {
        if (count > capacity_) {
            data_.reset();
            capacity_ = 0;
            data_.reset(static_cast<float *>(
                ::operator new(static_cast<std::size_t>(count) * sizeof(float), std::align_val_t(ALIGNMENT))));
            capacity_ = count;
            ++allocations;
        }
        return data_.get();
    }

  private:
    static constexpr std::size_t ALIGNMENT = 64;
    struct Free {
        void operator()(float *data) const { ::operator delete(data, std::align_val_t(ALIGNMENT)); }
    };
    std::unique_ptr<float, Free> data_;
    std::int64_t capacity_ = 0;
};

} // namespace surrogate::core
