"""Compares the optimizers and schedules with PyTorch's: torch_optim.py PROGRAM, which prints what ours do."""
import math
import subprocess
import sys
import warnings

try:
    import torch
except ImportError:
    print("there is no PyTorch to compare with")
    sys.exit(77)  # skipped

torch.set_default_dtype(torch.float64)
warnings.simplefilter("ignore")
TOLERANCE = 1e-9
O, S = torch.optim, torch.optim.lr_scheduler


def parameters():
    return [torch.tensor([math.cos(1 + 0.7 * k) for k in range(n)], requires_grad=True) for n in (3, 18)]


def optimizer(make, first, second, **defaults):
    xs = parameters()
    method = make([dict(params=[xs[0]], **first), dict(params=[xs[1]], **second)], **defaults)
    values = []
    for t in range(1, 21):
        for x in xs:
            p = x.detach()
            k = torch.arange(len(p), dtype=torch.float64)
            x.grad = p ** 3 - 0.3 * p + 0.1 * torch.sin(t + 2 * k)
        if t == 3:
            xs[1].grad = None
        method.step()
        values += [v for x in xs for v in x.tolist()]
    return values


class NAdam(O.NAdam):
    """As PyTorch defines it since 2.0; before, its product of the next step had the momentum of this one twice."""

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            (beta1, beta2), decay = group["betas"], group["momentum_decay"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                s = self.state[p]
                if not s:
                    s.update(t=0, product=1.0, m=torch.zeros_like(p), v=torch.zeros_like(p))
                s["t"] += 1
                mu, mu_next = (beta1 * (1 - 0.5 * 0.96 ** (t * decay)) for t in (s["t"], s["t"] + 1))
                s["product"] *= mu
                g = p.grad + group["weight_decay"] * p
                s["m"].lerp_(g, 1 - beta1)
                s["v"].mul_(beta2).addcmul_(g, g, value=1 - beta2)
                denominator = (s["v"] / (1 - beta2 ** s["t"])).sqrt() + group["eps"]
                p.addcdiv_(g, denominator, value=-group["lr"] * (1 - mu) / (1 - s["product"]))
                p.addcdiv_(s["m"], denominator, value=-group["lr"] * mu_next / (1 - s["product"] * mu_next))


if int(torch.__version__.split(".")[0]) >= 2:
    NAdam = O.NAdam


def lbfgs(**options):
    xs = parameters()
    method = O.LBFGS(xs, **options)

    def closure():
        method.zero_grad()
        x = torch.cat(xs)
        left, right = x[:20], x[1:]
        loss = (5 * (right - left ** 2) ** 2 + (1 - left) ** 2).sum() + 0.01 * (x ** 4).sum()
        loss.backward()
        return loss

    values = []
    for _ in range(20):
        method.step(closure)
        values += [v for x in xs for v in x.tolist()]
    return values


def schedule(make, method=O.SGD):
    xs = parameters()
    momentum = {"momentum": 0.0} if method is O.SGD else {}
    method = method([{"params": [xs[0]], "lr": 0.1}, {"params": [xs[1]], "lr": 0.02}], lr=1, **momentum)
    rule = make(method)
    values = []
    for t in range(61):
        for group in method.param_groups:
            values += [group["lr"], group["momentum"] if "momentum" in group else group["betas"][0]]
        if t == 60:
            break
        if isinstance(rule, S.ReduceLROnPlateau):
            rule.step(1 + 0.5 * math.cos(0.4 * t) * math.exp(-0.05 * t))
        else:
            rule.step()
    return values


def warm(o):
    return S.LinearLR(o, 0.1, total_iters=10)


def cosine(o):
    return S.CosineAnnealingLR(o, 20, 1e-5)


def decay(o):
    return S.ExponentialLR(o, 0.95)


EXPECTED = {
    "SGD": lambda: optimizer(O.SGD, {}, dict(lr=0.05, momentum=0.9, weight_decay=0.02, nesterov=True), lr=0.1),
    "SGD dampened": lambda: optimizer(O.SGD, {}, dict(lr=0.05, momentum=0.8, dampening=0.3), lr=1e-3),
    "SGD maximize": lambda: optimizer(O.SGD, dict(maximize=True), dict(momentum=0.8, weight_decay=0.3, maximize=True),
                                      lr=0.01),
    "AdamW maximize": lambda: optimizer(O.AdamW, {}, dict(lr=0.01, weight_decay=0.3, maximize=True)),
    "Adagrad": lambda: optimizer(O.Adagrad, {}, dict(lr=0.1, lr_decay=0.01, weight_decay=0.02, eps=1e-4)),
    # PyTorch does not look at this option in a group.
    "Adagrad accumulator": lambda: optimizer(O.Adagrad, {}, {}, initial_accumulator_value=0.3),
    "Adadelta": lambda: optimizer(O.Adadelta, {}, dict(lr=0.5, rho=0.8, eps=1e-4, weight_decay=0.02)),
    "RMSprop": lambda: optimizer(O.RMSprop, {}, dict(lr=0.02, alpha=0.9, eps=1e-4, weight_decay=0.02)),
    "RMSprop centered": lambda: optimizer(O.RMSprop, {"centered": True},
                                          dict(lr=0.02, alpha=0.9, momentum=0.8, centered=True)),
    "RMSprop momentum": lambda: optimizer(O.RMSprop, {"momentum": 0.5}, dict(lr=0.02, weight_decay=0.1, momentum=0.9)),
    "Rprop": lambda: optimizer(O.Rprop, {}, dict(lr=0.05, etas=(0.3, 1.5), step_sizes=(0.01, 0.2))),
    "Rprop maximize": lambda: optimizer(O.Rprop, {}, dict(lr=0.05), maximize=True),
    "Adam": lambda: optimizer(O.Adam, {}, dict(lr=0.02, betas=(0.8, 0.95), eps=1e-4, weight_decay=0.1)),
    "Adam amsgrad": lambda: optimizer(O.Adam, {"amsgrad": True},
                                      dict(lr=0.02, betas=(0.9, 0.5), weight_decay=0.1, amsgrad=True)),
    "AdamW": lambda: optimizer(O.AdamW, {}, dict(lr=0.02, betas=(0.8, 0.95), weight_decay=0.3, amsgrad=True)),
    "Adamax": lambda: optimizer(O.Adamax, {}, dict(lr=0.02, betas=(0.8, 0.95), weight_decay=0.1)),
    "NAdam": lambda: optimizer(NAdam, {}, dict(lr=0.02, betas=(0.8, 0.999), weight_decay=0.1, momentum_decay=0.1)),
    "RAdam": lambda: optimizer(O.RAdam, {}, dict(lr=0.02, betas=(0.8, 0.95), weight_decay=0.1)),
    "LBFGS": lambda: lbfgs(lr=0.01, max_iter=4),
    "LBFGS short history": lambda: lbfgs(lr=0.01, max_iter=5, history_size=3),
    "LBFGS strong_wolfe": lambda: lbfgs(max_iter=3, line_search_fn="strong_wolfe"),
    "StepLR": lambda: schedule(lambda o: S.StepLR(o, 7, 0.5)),
    "MultiStepLR": lambda: schedule(lambda o: S.MultiStepLR(o, [30, 5, 12, 12], 0.5)),
    "ExponentialLR": lambda: schedule(lambda o: S.ExponentialLR(o, 0.93)),
    "LinearLR": lambda: schedule(lambda o: S.LinearLR(o, 0.2, 0.9, 40)),
    "LinearLR default": lambda: schedule(S.LinearLR),
    "ConstantLR": lambda: schedule(lambda o: S.ConstantLR(o, 0.2, 40)),
    "ConstantLR default": lambda: schedule(S.ConstantLR),
    "PolynomialLR default": lambda: schedule(S.PolynomialLR),
    "PolynomialLR": lambda: schedule(lambda o: S.PolynomialLR(o, 50, 1.7)),
    "CosineAnnealingLR": lambda: schedule(lambda o: S.CosineAnnealingLR(o, 17, 0.003)),
    "CosineAnnealingWarmRestarts": lambda: schedule(lambda o: S.CosineAnnealingWarmRestarts(o, 6, 2, 0.003)),
    "CosineAnnealingWarmRestarts 1": lambda: schedule(lambda o: S.CosineAnnealingWarmRestarts(o, 7)),
    "LambdaLR": lambda: schedule(lambda o: S.LambdaLR(o, lambda t: 1 / (1 + t))),
    "MultiplicativeLR": lambda: schedule(lambda o: S.MultiplicativeLR(o, lambda t: 0.9 if t % 2 else 1.05)),
    "CyclicLR": lambda: schedule(lambda o: S.CyclicLR(o, 0.01, [0.1, 0.2], 7)),
    "CyclicLR triangular2": lambda: schedule(lambda o: S.CyclicLR(
        o, [0.01, 0.02], 0.1, 5, 9, "triangular2", base_momentum=0.7, max_momentum=[0.8, 0.95])),
    "CyclicLR exp_range": lambda: schedule(lambda o: S.CyclicLR(
        o, 0.01, 0.1, 8, mode="exp_range", gamma=0.97, cycle_momentum=False)),
    "OneCycleLR": lambda: schedule(lambda o: S.OneCycleLR(o, [0.1, 0.2], 61), O.Adam),
    "OneCycleLR linear": lambda: schedule(lambda o: S.OneCycleLR(
        o, 0.1, 70, pct_start=0.4, anneal_strategy="linear", base_momentum=0.7, div_factor=10, final_div_factor=100)),
    "OneCycleLR three_phase": lambda: schedule(lambda o: S.OneCycleLR(o, 0.1, 65, three_phase=True)),
    "ReduceLROnPlateau default": lambda: schedule(S.ReduceLROnPlateau),
    "ReduceLROnPlateau": lambda: schedule(lambda o: S.ReduceLROnPlateau(
        o, factor=0.6, patience=2, cooldown=3, min_lr=[0.001, 0.005])),
    "ReduceLROnPlateau max abs": lambda: schedule(lambda o: S.ReduceLROnPlateau(
        o, "max", 0.7, 1, 0.01, "abs")),
    "ChainedScheduler": lambda: schedule(lambda o: S.ChainedScheduler([warm(o), decay(o), cosine(o)])),
    "SequentialLR": lambda: schedule(lambda o: S.SequentialLR(o, [warm(o), cosine(o), decay(o)], [10, 35])),
}
EXPECTED["Adam as AMSGrad"] = EXPECTED["Adam amsgrad"]


def compare(name, ours, expected):
    if len(ours) != len(expected):
        return f"{len(ours)} numbers, PyTorch has {len(expected)}"
    worst = max((abs(a - b) / abs(b) if b else abs(a), i) for i, (a, b) in enumerate(zip(ours, expected)))
    print(f"{name}: {worst[0]:.1e}")
    if not worst[0] <= TOLERANCE:
        return f"number {worst[1]} is {ours[worst[1]]}, PyTorch's {expected[worst[1]]}"
    return None


def main():
    lines = subprocess.run([sys.argv[1]], check=True, capture_output=True, text=True).stdout.splitlines()
    failures, seen = [], set()
    for line in lines:
        name, numbers = line.split(":")
        ours = [float(number) for number in numbers.split()]
        seen.add(name)
        problem = compare(name, ours, EXPECTED[name]())
        if problem:
            failures.append(f"{name}: {problem}")
    failures += [f"{name}: is not compared" for name in EXPECTED.keys() - seen]
    print("\n".join(failures) or f"all {len(seen)} agree with PyTorch {torch.__version__}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
