// What a call of surrogate_mpi_predict says: the fields of this rank's block, where it lies, what all must give alike.
#pragma once

#include "agreement.h"
#include "grid.h"

#include <vector>

namespace surrogate::mpi {

/// As they stand in surrogate_mpi_predict; borrowed.
struct Arguments {
    const surrogate_field *output, *input;
    std::size_t count;
    const surrogate_step_options *step;
};

/// Cells of the block that the first input field describes, as (z, y, x); all 0 where it describes none, which the core
/// refuses. It also refuses fields of other shapes.
Index block_shape(const Arguments &given, int spatial_rank);

/// The same of the array of surrogate_mpi_predict_array.
Index array_shape(int rank, const std::int64_t *shape, int spatial_rank);

/// Reads the arguments of one model's calls; kept from call to call.
class Reading {
  public:
    Reading(surrogate_model *local, const surrogate_info &info, bool one_rank);

    /// Of arguments that the core accepted. Throws ERROR_ARGUMENT or ERROR_SHAPE where they say no place in a domain.
    void read(const Arguments &given);

    const Grid &grid() const { return grid_; }
    const Box &block() const { return block_; }
    /// The step with its defaults, global_shape too; valid during the call.
    const surrogate_step_options &step() const { return step_; }
    std::size_t quantity_count() const {
        return static_cast<std::size_t>(info_.spatial_rank) + 4 + has_steps() + has_caption() + presets_.size();
    }
    /// What must be equal on all ranks.
    const std::vector<Quantity> &quantities() const { return quantities_; }

  private:
    bool has_steps() const { return info_.step_count > 0; }
    bool has_caption() const { return info_.caption_length > 0; }
    double parameter(std::size_t index) const;
    void read_grid(const Index &shape);
    void read_block(const Index &shape);
    void list_quantities(const Arguments &given);

    const surrogate_info info_;
    const bool one_rank_;
    std::vector<std::string> parameter_names_;
    std::vector<double> presets_;
    surrogate_step_options step_{};
    Index global_shape_{}; // that grid_ was made for
    Grid grid_;
    Box block_;
    std::vector<Quantity> quantities_;
};

/// One dense array [C][ny][nx] as the fields of surrogate_mpi_predict, in the manifest's order; kept from call to call.
class ArrayFields {
  public:
    ArrayFields(surrogate_model *local, const surrogate_info &info);
    /// Arguments of a whole state in one array. Throws as surrogate_predict_array does.
    Arguments describe(void *output, const void *input, int dtype, int rank, const std::int64_t *shape,
                       const surrogate_step_options *step);

  private:
    const surrogate_info info_;
    std::vector<int> components_;
    std::vector<surrogate_field> output_, input_;
};

} // namespace surrogate::mpi
