// Reading out of JSON what makes a model generative: its sampler, programs of several numbers of steps, captions.
#pragma once

#include "json_node.h"
#include "manifest.h"

namespace surrogate::core {

/// Name of the scalar parameter that weighs the condition; the last one, where there is guidance.
constexpr const char *GUIDANCE = "guidance";
/// The largest number of evaluations that a program may make.
constexpr std::int64_t LARGEST_STEPS = 1000000;

/// Which of a file's programs one is, and how many steps it makes.
void read_variant(ProgramSpec &program, const JsonNode &node);

/// Keys "sampler" and "text", after parameters and programs were read and checked against them.
void read_sampler(Manifest &manifest, const JsonNode &root);

} // namespace surrogate::core
