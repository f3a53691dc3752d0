// What is fuzzed: each target takes any bytes, and throws for a finding. What it tries of xtape gives a value or throws
// an Error.
#pragma once

#include <map>
#include <string>

#include <tests/fuzz/input.hpp>

namespace xtape::fuzz {

// Files, which readers.cpp and states.cpp have.
void npy(Input& input);
void npz(Input& input);
void csv(Input& input);
void idx(Input& input);
void cifar(Input& input);
void safetensors(Input& input);
void checkpoint(Input& input);
void states(Input& input);
void csv_log(Input& input);

// Operations.
void einsum(Input& input);
void slices(Input& input);
void shapes(Input& input);
void joining(Input& input);
void windows(Input& input);
void images(Input& input);
void reductions(Input& input);
void sorting(Input& input);
void gathering(Input& input);
void linalg(Input& input);
void losses(Input& input);
void creation(Input& input);

inline const std::map<std::string, void (*)(Input&)> targets{
    {"npy", npy}, {"npz", npz}, {"csv", csv}, {"idx", idx}, {"cifar", cifar}, {"safetensors", safetensors},
    {"checkpoint", checkpoint}, {"states", states}, {"csv_log", csv_log}, {"einsum", einsum}, {"slices", slices},
    {"shapes", shapes}, {"joining", joining}, {"windows", windows}, {"images", images}, {"reductions", reductions},
    {"sorting", sorting}, {"gathering", gathering}, {"linalg", linalg}, {"losses", losses}, {"creation", creation}};

}  // namespace xtape::fuzz
