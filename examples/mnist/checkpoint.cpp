#include "checkpoint.hpp"

#include <nlohmann/json.hpp>

#include <autograd/error.hpp>
#include <nn/serialization.hpp>

namespace mnist {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Settings, seed, batch_size, lr, lr_step, synthetic, synthetic_train, synthetic_test)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Standing, epoch, step, loss_sum, seconds, generator)

namespace {

const std::string network_prefix = "network.", optimizer_prefix = "optimizer.", schedule_prefix = "schedule.";

xtape::StateDict without_prefix(const xtape::StateDict& tensors, const std::string& prefix) {
  xtape::StateDict result;
  for (const auto& [name, value] : tensors)
    if (name.starts_with(prefix)) result.emplace(name.substr(prefix.size()), value);
  return result;
}

}  // namespace

void save(const std::filesystem::path& file, const Checkpoint& checkpoint) {
  xtape::StateDict tensors;
  for (const auto& [name, value] : checkpoint.network) tensors.emplace(network_prefix + name, value);
  for (const auto& [name, value] : checkpoint.optimizer) tensors.emplace(optimizer_prefix + name, value);
  for (const auto& [name, value] : checkpoint.schedule) tensors.emplace(schedule_prefix + name, value);
  xtape::nn::save_safetensors(file, tensors,
                              {{"settings", nlohmann::json(checkpoint.settings).dump()},
                               {"standing", nlohmann::json(checkpoint.standing).dump()},
                               {"data_checksum", std::to_string(checkpoint.data_checksum)}});
}

Checkpoint load(const std::filesystem::path& file) {
  xtape::nn::Safetensors content = xtape::nn::load_safetensors(file);
  auto entry = [&](const char* name) {
    auto found = content.metadata.find(name);
    if (found == content.metadata.end())
      throw xtape::FileError(file.string() + ": lacks \"" + name + "\", so it is no checkpoint of a training on MNIST");
    return nlohmann::json::parse(found->second);
  };
  try {
    Checkpoint checkpoint{.settings = entry("settings"),
            .data_checksum = entry("data_checksum"),
            .standing = entry("standing"),
            .network = without_prefix(content.tensors, network_prefix),
            .optimizer = without_prefix(content.tensors, optimizer_prefix),
            .schedule = without_prefix(content.tensors, schedule_prefix)};
    if (checkpoint.settings.batch_size == 0) throw xtape::FileError(file.string() + ": has a batch size of 0");
    return checkpoint;
  } catch (const nlohmann::json::exception& error) {
    throw xtape::FileError(file.string() + ": is no checkpoint of a training on MNIST: " + error.what());
  }
}

}  // namespace mnist
