// The one list of operations: every public operation stands here with inputs to try it on. The tests of derivatives,
// of dtypes and of the headers' completeness all run over it.
#pragma once

#include <exception>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include <autograd/variable.hpp>

namespace samples {

using Variables = std::vector<xtape::Variable>;

struct Sample {
  std::string text;   ///< what is special about it
  Variables inputs;   ///< float64, away from points where derivatives do not exist
  std::function<xtape::Variable(const Variables&)> f;
};

/// What samples throw that ask for more parts of an operand than there are, when a test gave them another.
struct NoSuchPart : std::exception {};

struct Operation {
  std::string name;
  bool differentiable;
  std::vector<Sample> samples;
};

std::ostream& operator<<(std::ostream& out, const Operation& operation);

/// All of them.
const std::vector<Operation>& operations();

/// Numbers in [low, high) that are the same each time, none within `gap` of 0 and no two within about 1e-3.
xtape::Variable numbers(const xtape::Shape& shape, double low = -2, double high = 2, double gap = 0.05);

}  // namespace samples
