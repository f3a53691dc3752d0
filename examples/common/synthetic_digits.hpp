// Digits that the program draws itself, for where MNIST cannot be had.
#pragma once

#include <autograd/random.hpp>
#include <nn/data/idx.hpp>

namespace example {

/// `count` images of 28 x 28 like MNIST's: the strokes of a digit under a random affine map and an elastic distortion
/// (P. Simard, D. Steinkraus and J. Platt, "Best Practices for Convolutional Neural Networks Applied to Visual
/// Document Analysis", 2003), with a random pen. Each class is drawn equally often, give or take one, in random order.
xtape::nn::LabeledImages synthetic_digits(std::size_t count, xtape::Generator& generator);

}  // namespace example
