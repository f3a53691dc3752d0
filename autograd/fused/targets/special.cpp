#include <autograd/fused/beta.hpp>
#include <autograd/fused/special.hpp>
#include <autograd/kernels/targets/compile.hpp>

namespace xtape::kernels {

using namespace fused;

template struct CompiledRules<here, spherical_bessel_j0_rule, erfinv_rule, ndtr_rule, fused::detail::ndtri_slope_rule,
    ndtri_rule, fused::detail::gamma_density_rule, gammainc_rule, gammaincc_rule, WithDerivatives<Lgamma>::rule,
    WithDerivatives<Digamma>::rule, WithDerivatives<Polygamma>::rule, WithDerivatives<Erfcx>::rule,
    WithDerivatives<LogNdtr>::rule, WithDerivatives<BesselI<0>>::rule, WithDerivatives<BesselI<1>>::rule,
    WithDerivatives<ScaledBesselI<0>>::rule, WithDerivatives<ScaledBesselI<1>>::rule,
    WithDerivatives<BesselK<0>>::rule, WithDerivatives<BesselK<1>>::rule, WithDerivatives<ScaledBesselK<0>>::rule,
    WithDerivatives<ScaledBesselK<1>>::rule, WithDerivatives<BesselJ<0>>::rule, WithDerivatives<BesselJ<1>>::rule,
    WithDerivatives<BesselY<0>>::rule, WithDerivatives<BesselY<1>>::rule,
    fused::detail::polygamma_difference_rule, beta_rule>;

}  // namespace xtape::kernels
