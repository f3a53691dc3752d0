// The results as a picture.
#pragma once

#include <filesystem>

#include "evaluation.hpp"

namespace mnist {

/// Writes a PNG picture: the confusion matrix as a heat map, and the worst mistakes with what they are and what they
/// were taken for. @throws xtape::FileError when the file cannot be written.
void write_picture(const std::filesystem::path& file, const Evaluation& evaluation,
                   const xtape::nn::LabeledImages& set);

}  // namespace mnist
