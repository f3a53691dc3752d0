// What loading the states of optimizers, schedules and averages has in common, and how errors write numbers.
#pragma once

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include <autograd/state_dict.hpp>

namespace xtape::optim::detail {

/// A number as short as it can be read: "0.1", "1e-08", "nan".
std::string text(double value);

/// @throws ValueError with the lines of `misfits` and others, if there are any: "Adam: load_state_dict: the state does
/// not fit ...".
void refuse_misfits(const std::string& who, const std::string& lines);

/// Where an option has to lie.
struct Range {
  double low = 0;
  double high = std::numeric_limits<double>::infinity();
  bool high_included = false;
  bool whole = false;  ///< integers only
  bool low_included = true;
  bool finite = true;
};

/// "momentum is -1, needs 0 or more", or nothing for a finite value within the range.
std::string out_of_range(const std::string& option, double value, const Range& range);

/// @throws ValueError "WHO: OPTION is ..." for a value out of range.
void require_in_range(const std::string& who, const std::string& option, double value, const Range& range);

/// Numbers as an array of one axis.
template <class T>
Variable to_variable(const std::vector<T>& values) {
  Array array({values.size()}, dtype_of<T>());
  std::copy(values.begin(), values.end(), array.template mutable_data<T>());
  return Variable(std::move(array));
}

}  // namespace xtape::optim::detail
