// A row of softmax and of what is made of it, for each target.
#pragma once

#include <cstddef>

#include <autograd/kernels/target.hpp>

namespace xtape::kernels {

template <Target target, class T>
void softmax_row_on(const T* x, std::size_t n, T* out);
template <Target target, class T>
void log_softmax_row_on(const T* x, std::size_t n, T* out);

/// The negative logarithm of the probability of one of n classes, and the probabilities of all.
template <Target target, class T>
T cross_entropy_row_on(const T* x, std::size_t n, std::size_t label, T* probabilities);
/// out = scale (probabilities - 1 for the label)
template <Target target, class T>
void cross_entropy_gradient_row_on(T scale, const T* probabilities, std::size_t n, std::size_t label, T* out);

}  // namespace xtape::kernels
