// The results as a picture.
#pragma once

#include <filesystem>

#include <examples/common/digits.hpp>

/// Writes a PNG picture: the confusion matrix, and the mistakes where the right answer got the least probability, with
/// what they are and what they were taken for. @throws xtape::FileError
void draw_results(const std::filesystem::path& file, const xtape::Variable& logits, const example::Digits& digits);
