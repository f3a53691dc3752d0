// Reads the binary version of CIFAR-10 and CIFAR-100 (A. Krizhevsky, "Learning Multiple Layers of Features from Tiny
// Images", 2009): 32 x 32 images in color.
#pragma once

#include <filesystem>
#include <vector>

#include <nn/data/images.hpp>

namespace xtape::nn {

/// The images of some files, one after the other: `load_cifar10({folder / "data_batch_1.bin", ...})`, plain or gzip.
/// Each image is a byte for its class, and 3 x 32 x 32 for its levels of red, green and blue.
/// @throws FileError naming the file when it is missing, empty, cut short, or has a class that is not below 10.
LabeledImages load_cifar10(const std::vector<std::filesystem::path>& files);

/// CIFAR-100's classes: 100 fine ones, in 20 groups.
enum class CifarLabels { fine, coarse };

/// The same for CIFAR-100, whose images have two bytes for their classes, the group first.
LabeledImages load_cifar100(const std::vector<std::filesystem::path>& files, CifarLabels labels = CifarLabels::fine);

}  // namespace xtape::nn
