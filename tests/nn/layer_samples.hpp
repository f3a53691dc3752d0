// The one list of layers: every public class of nn that derives from Module stands here with an input to try it on.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include <nn/module.hpp>

namespace layer_samples {

struct Sample {
  std::string name;  ///< the class
  std::string text;  ///< what is special about it
  /// A new layer, behind a pointer that knows the class.
  std::function<std::shared_ptr<xtape::nn::Module>()> make;
  xtape::Variable input;      ///< float64 or int64
  bool same_in_training = true;  ///< whether calls in training give the same output each time
};

std::ostream& operator<<(std::ostream& out, const Sample& sample);

/// All of them.
const std::vector<Sample>& all();

}  // namespace layer_samples
