#include <autograd/kernels/targets/compile.hpp>
#include <optim/updates.hpp>

namespace xtape::kernels {

using namespace optim;

template struct CompiledUpdates<here, SGDUpdate, MomentumUpdate, AdamUpdate, AMSGradUpdate, AdamaxUpdate, NAdamUpdate,
                                UnrectifiedUpdate, LAMBDirection, LAMBUpdate, LionUpdate, AdagradUpdate,
                                AdadeltaUpdate, RMSPropUpdate, CenteredRMSPropUpdate, RMSPropMomentumUpdate,
                                CenteredRMSPropMomentumUpdate, RpropUpdate, AverageUpdate, Swap>;

}  // namespace xtape::kernels
