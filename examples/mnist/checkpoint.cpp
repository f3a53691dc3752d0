#include "checkpoint.hpp"

#include <nlohmann/json.hpp>

#include <autograd/error.hpp>
#include <nn/checkpoint.hpp>

#include "network.hpp"

namespace mnist {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Settings, network, seed, batch_size, lr, lr_step, synthetic, synthetic_train, synthetic_test)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Standing, epoch, step, loss_sum, seconds, generator)

void save(const std::filesystem::path& file, const Checkpoint& checkpoint) {
  xtape::nn::Checkpoint content;
  content.step = static_cast<std::int64_t>(checkpoint.standing.step);
  content.states = {{"network", checkpoint.network}, {"optimizer", checkpoint.optimizer},
                    {"schedule", checkpoint.schedule}};
  content.texts = {{"settings", nlohmann::json(checkpoint.settings).dump()},
                   {"standing", nlohmann::json(checkpoint.standing).dump()},
                   {"data_checksum", std::to_string(checkpoint.data_checksum)}};
  content.save(file);
}

Checkpoint load(const std::filesystem::path& file) {
  xtape::nn::Checkpoint content = xtape::nn::Checkpoint::load(file);
  auto require = [&](bool there, const std::string& name) {
    if (!there)
      throw xtape::FileError(file.string() + ": lacks \"" + name + "\", so it is no checkpoint of a training on MNIST");
  };
  auto entry = [&](const char* name) {
    require(content.texts.contains(name), name);
    return nlohmann::json::parse(content.texts.at(name));
  };
  auto part = [&](const char* name) {
    require(content.states.contains(name), name);
    return content.states.at(name);
  };
  try {
    Checkpoint checkpoint{.settings = entry("settings"),
                          .data_checksum = entry("data_checksum"),
                          .standing = entry("standing"),
                          .network = part("network"),
                          .optimizer = part("optimizer"),
                          .schedule = part("schedule")};
    make_network(checkpoint.settings.network);  // throws where there is none of that name
    if (checkpoint.settings.batch_size == 0) throw xtape::FileError(file.string() + ": has a batch size of 0");
    return checkpoint;
  } catch (const nlohmann::json::exception& error) {
    throw xtape::FileError(file.string() + ": is no checkpoint of a training on MNIST: " + error.what());
  }
}

}  // namespace mnist
