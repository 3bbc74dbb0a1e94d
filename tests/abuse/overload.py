"""Five times what it can do, for a while: what is accepted goes on, the rest is refused cheaply.

capacity   closed loop: the most that is confirmed in a second
nominal    open loop at NOMINAL of that
overload   open loop at FACTOR times the capacity
after      open loop at nominal again: how long until the latency is what it was

Generator, participants and daemon share the processors, so figures are set against the time of
processors that was left for the work: the daemon's and the participants' own, without what refusals
took, and what nobody used.  What a refusal costs is measured in a phase of its own, under the same
offered load, of which nothing can be accepted.
"""

import os
import resource
import uuid

from generator import Generator, latencies, total
from world import Honest, Watch, World, cpu_s, idle_s, memory_mib, percentile

FACTOR, NOMINAL = 5, 0.7
GOODPUT_RAW_MIN = 0.35  # of the peak, with all that the refusals take
CONCURRENCY = 512
RSS_MIB_MAX = 256
GOODPUT_MIN = 0.9
BACK_S_MAX, BACK_RATIO, BACK_FLOOR_S = 10, 2.0, 0.050


class Meter:
    """Time of processors between two moments."""

    def __init__(self, world):
        self.world = world
        self.begin = self.read()

    def read(self):
        own = resource.getrusage(resource.RUSAGE_SELF)
        return {"daemon": cpu_s(self.world.pid), "idle": idle_s(),
                "participants": sum(cpu_s(one.pid) for one in self.world.participants),
                "generator": own.ru_utime + own.ru_stime}

    def stop(self):
        end = self.read()
        return {name: round(end[name] - self.begin[name], 2) for name in end}


def phase(world, run, seconds):
    meter = Meter(world)
    answered = run()
    cpu = meter.stop()
    count = total(answered)
    times = latencies(answered)
    return {"seconds": seconds, "cpu_s": cpu, **count,
            "per_s": round(count["confirmed"] / max(len(answered), 1), 1),
            "p50_ms": round(percentile(times, 0.5) * 1000, 1),
            "p99_ms": round(percentile(times, 0.99) * 1000, 1)}, answered


def refusal_cost(world, run_id, rate, seconds):
    """Seconds of the daemon's processor for one refusal: a participant that nobody has heard of."""
    generator = Generator(world.port, run_id, ("p8", "p9"))
    row, _ = phase(world, lambda: generator.open(rate, seconds), seconds)
    generator.close()
    return row["cpu_s"]["daemon"] / max(row["refused"], 1)


def efficiency(row, cost):
    """Confirmed for each second of processor that was left for the work."""
    cpu = row["cpu_s"]
    left = cpu["daemon"] + cpu["participants"] + cpu["idle"] - cost * row["refused"]
    return row["confirmed"] / max(left, 0.01)


def back_after(seconds, nominal_ms):
    """The first second from which the latency is nominal again; None: never."""
    limit = max(BACK_RATIO * nominal_ms, BACK_FLOOR_S * 1000)
    for number, one in enumerate(seconds):
        if one.refused == 0 and percentile(one.latencies, 0.99) * 1000 <= limit:
            return number
    return None


def measure(world, options):
    brief = max(1, options.seconds / 6)
    generator = Generator(world.port, uuid.uuid4().hex[:8])
    generator.closed(CONCURRENCY, 1)  # warm
    capacity, _ = phase(world, lambda: generator.closed(CONCURRENCY, brief), brief)
    generator.drain(5)
    cost = refusal_cost(world, uuid.uuid4().hex[:8], FACTOR * capacity["per_s"], brief)
    rate = NOMINAL * capacity["per_s"]
    nominal, _ = phase(world, lambda: generator.open(rate, brief), brief)
    long = 2 * options.seconds
    over, _ = phase(world, lambda: generator.open(FACTOR * capacity["per_s"], long), long)
    wait = max(BACK_S_MAX + 2, 3) if not options.short else 1
    after, seconds = phase(world, lambda: generator.open(rate, wait), wait)
    generator.drain(5)
    lost = generator.under_way()
    generator.close()
    return {"capacity": capacity, "nominal": nominal, "overload": over, "after": after,
            "refusal_us": round(cost * 1e6, 1), "unanswered": lost,
            "goodput_raw": round(over["per_s"] / max(capacity["per_s"], 1), 3),
            "goodput": round(efficiency(over, cost) / max(efficiency(capacity, cost), 0.01), 3),
            "back_s": back_after(seconds, nominal["p99_ms"])}


def run(options):
    world = World(options.tercetd, options.bench)
    try:
        Honest(world.port).wait_ready()
        base_mib = memory_mib(world.pid, "VmRSS")
        watch = Watch(world.pid)
        row = {"scenario": "overload", **measure(world, options), "rss_base_mib": round(base_mib, 1),
               "rss_mib": round(watch.stop(), 1), "hwm_mib": round(memory_mib(world.pid, "VmHWM"), 1),
               "alive": world.alive(), "served_after": Honest(world.port).ask(), "processors": os.cpu_count()}
    finally:
        code = world.close()
    row["exit"] = code
    row["broken"] = judge(row, options.short)
    return row


def judge(row, short):
    broken = []
    if not row["alive"] or row["exit"] != 0:
        broken.append(f"the daemon has died or ended with {row['exit']}")
    if row["rss_mib"] > RSS_MIB_MAX:
        broken.append(f"memory {row['rss_mib']} MiB > {RSS_MIB_MAX}")
    if not row["served_after"]:
        broken.append("nobody is served afterwards")
    if not short:
        if row["goodput"] < GOODPUT_MIN:
            broken.append(f"goodput {row['goodput']} < {GOODPUT_MIN}")
        if row["goodput_raw"] < GOODPUT_RAW_MIN:
            broken.append(f"goodput without account of processors {row['goodput_raw']} < {GOODPUT_RAW_MIN}")
        if row["back_s"] is None or row["back_s"] > BACK_S_MAX:
            broken.append(f"latency is back after {row['back_s']} s")
        if row["overload"]["other"] or row["unanswered"]:
            broken.append(f"{row['overload']['other']} calls failed otherwise, "
                          f"{row['unanswered']} have no answer")
    return broken


def tell(row):
    print(f"overload   RSS {row['rss_base_mib']:6.1f} -> {row['rss_mib']:6.1f} MiB"
          f" (HWM {row['hwm_mib']:.1f})  goodput {row['goodput']:.3f}"
          f" (without account of processors {row['goodput_raw']:.3f}),"
          f" back after {row['back_s']} s, a refusal costs {row['refusal_us']} us")
    for name in ("capacity", "nominal", "overload", "after"):
        one = row[name]
        print(f"{'':12}{name:10}{one['per_s']:8.1f} confirmed/s  p50 {one['p50_ms']:8.1f}"
              f"  p99 {one['p99_ms']:8.1f} ms  refused {one['refused']}, unsent {one['unsent']},"
              f" other {one['other']}  cpu {one['cpu_s']}")
