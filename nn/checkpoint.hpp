// Checkpoints: all that it takes to go on with a training as if nothing had happened, in one file.
#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <autograd/random.hpp>
#include <autograd/scalar.hpp>
#include <autograd/state_dict.hpp>

namespace xtape::nn {

/// What can hand over its state and take it back: modules, optimizers, schedules, and classes of one's own.
/// `load_state_dict` throws, and changes nothing, when the state does not fit. A class may have an `undo_point()` as well, as
/// modules and optimizers do: a function that brings back the present state, which cannot fail.
template <class T>
concept Stateful = requires(T& object, const T& constant, const StateDict& state) {
  { constant.state_dict() } -> std::convertible_to<StateDict>;
  object.load_state_dict(state);
};

/// A part of a training, by the name that it has in the checkpoint. It refers to the object, which must outlive it.
class CheckpointPart {
 public:
  template <Stateful T>
  CheckpointPart(std::string name, T& object)
      : name_(std::move(name)), is_module_(requires { object.materialized(); }),
        state_([&object]() -> StateDict { return object.state_dict(); }),
        load_state_([&object](const StateDict& state) { object.load_state_dict(state); }) {
    if constexpr (requires { std::function<void()>(object.undo_point()); })
      undo_point_ = [&object] { return std::function<void()>(object.undo_point()); };
  }
  /// A number: how many epochs are done, the best score so far. @throws ValueError, where it is restored, for a saved
  /// number that T does not have.
  template <class T>
    requires std::is_arithmetic_v<T>
  CheckpointPart(std::string name, T& number)
      : name_(std::move(name)), state_([&number] { return state_of(number); }),
        load_state_([&number](const StateDict& state) { number = number_in(state).template to<T>("restore"); }),
        undo_point_([&number] { return [&number, before = number] { number = before; }; }) {}
  CheckpointPart(std::string name, Generator& generator)
      : name_(std::move(name)), generator_(&generator) {}

 private:
  friend struct Checkpoint;
  static StateDict state_of(const Scalar& number);
  static Scalar number_in(const StateDict& state);
  std::function<void()> undo_point() const;

  std::string name_;
  bool is_module_ = false;
  std::function<StateDict()> state_;
  std::function<void(const StateDict&)> load_state_;
  std::function<std::function<void()>()> undo_point_;
  Generator* generator_ = nullptr;  // instead of the two functions
};

/// What a checkpoint holds:
///
///     nn::Checkpoint({{"model", net}, {"optimizer", adam}, {"schedule", schedule}, {"random", default_generator()}},
///                    step).save("last.ckpt");
///     ...
///     nn::Checkpoint last = nn::Checkpoint::load("last.ckpt");
///     last.restore({{"model", net}, {"optimizer", adam}, {"schedule", schedule}, {"random", default_generator()}});
///     step = last.step;
///
/// A file is in the safetensors format: the tensors are named PART.NAME. It carries checksums of all that is in it, and
/// replaces an older one as a whole: a program that is killed while it saves leaves the old file or the new one.
struct Checkpoint {
  Checkpoint() = default;
  /// The state of these parts as it is now. @throws ValueError for names that are empty, taken or have a '.'.
  explicit Checkpoint(const std::vector<CheckpointPart>& parts, std::int64_t step = 0);

  /// Brings parts to the saved state, modules first: what an optimizer's state has to fit may take its extents from the
  /// module's. What else the checkpoint holds is left alone. When one part cannot take its state, all are as they were,
  /// parameters that were not materialized included.
  /// @throws ValueError naming the parts that are missing, or what does not fit.
  void restore(const std::vector<CheckpointPart>& parts) const;

  /// @throws FileError when the file cannot be written, ValueError for names with a '.', and text that is no UTF-8.
  void save(const std::filesystem::path& file) const;
  /// @throws FileError when the file is missing, damaged, or no checkpoint.
  static Checkpoint load(const std::filesystem::path& file);

  std::int64_t step = 0;
  std::map<std::string, StateDict> states;          ///< by part
  std::map<std::string, std::string> generators;    ///< by part, as text
  std::map<std::string, std::string> texts;         ///< whatever else is to be kept, by names of the caller's

 private:
  void bring_back(const std::vector<CheckpointPart>& parts) const;
  void write(const std::filesystem::path& file) const;
  static Checkpoint read(const std::filesystem::path& file);
};

}  // namespace xtape::nn
