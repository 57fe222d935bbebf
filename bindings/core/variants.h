// The programs of a model: of a generative one, one for each number of steps that its sampler may make.
#pragma once

#include "program.h"

#include <exception>

namespace surrogate::core {

/// A program and how far it is; it keeps its place once it was loaded.
struct Variant {
    std::int64_t steps = 0;           // 0: the model has no sampler
    std::unique_ptr<Program> program; // none before its first use
    std::exception_ptr failure;       // why it could not be loaded while that was possible
    bool warm = false;                // it has run once
};

class Variants {
  public:
    /// Loads the program that the request names, else that of the preset.
    Variants(const Bundle &bundle, const Request &request);

    /// What a call runs that asks for no number of steps: always loaded, unless no program was wanted.
    Variant &standard() { return variants_[standard_]; }
    const Variant &standard() const { return variants_[standard_]; }

    /// Fail with ERROR_PARAMETER unless a call may ask for `steps` (0: for none).
    void require(std::int64_t steps) const;
    /// The variant of `steps`, loaded now if it was not. Throws ERROR_PARAMETER, and what loading throws.
    Variant &of(std::int64_t steps);
    /// Load all that are not, while the bundle's files are there; what fails does so again when it is asked for.
    void load_all();
    std::vector<Variant> &all() { return variants_; }

  private:
    Variant *find(std::int64_t steps);
    void load(Variant &variant);

    const Bundle &bundle_;
    const Request request_;
    std::vector<Variant> variants_; // in the manifest's order of steps; one where there is no sampler
    std::size_t standard_ = 0;
};

} // namespace surrogate::core
