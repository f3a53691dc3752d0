// What the list of samples is written with, and the families of it that stand in files of their own.
#pragma once

#include <autograd/autograd.hpp>

#include "samples.hpp"

namespace samples {

inline xtape::Variable part(const Variables& parts, std::size_t i) {
  if (i >= parts.size()) throw NoSuchPart();
  return parts[i];
}

inline xtape::Variable mask(const xtape::Shape& shape) { return numbers(shape) > 0; }

inline xtape::Variable ascending(const xtape::Shape& shape) { return sort(numbers(shape)).values; }

inline Operation general(const char* name, std::vector<Sample> samples) { return {name, true, std::move(samples)}; }

/// Comparisons and the like: only their values are of interest.
inline Operation constant(const char* name, Variables inputs, std::function<xtape::Variable(const Variables&)> f) {
  return {name, false, {{"values", std::move(inputs), std::move(f)}}};
}
inline Operation constants(const char* name, std::vector<Sample> samples) { return {name, false, std::move(samples)}; }

/// The operation with further samples.
inline Operation with(Operation operation, const std::vector<Sample>& samples) {
  operation.samples.insert(operation.samples.end(), samples.begin(), samples.end());
  return operation;
}

inline xtape::Variable wide(const xtape::Shape& shape) { return numbers(shape, -60, 60); }

std::vector<Operation> reductions();
std::vector<Operation> linear_algebra();
std::vector<Operation> decompositions();
std::vector<Operation> arrangements();
std::vector<Operation> convolutions();
std::vector<Operation> neural();
std::vector<Operation> creation();
std::vector<Operation> statistics();
std::vector<Operation> joined();
std::vector<Operation> distances();
std::vector<Operation> matrix_functions();
std::vector<Operation> sampled_images();
std::vector<Operation> arrays();
std::vector<Operation> searches();
std::vector<Operation> segments();
std::vector<Operation> signals();
std::vector<Operation> factors();
std::vector<Operation> distributions();

}  // namespace samples
