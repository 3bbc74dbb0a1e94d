"""The running system: coordinator, four services with a relay before each, and `pay`.

                                  ┌──► relay ──► order     (its database)
    pay ──► tercetd (journal) ────┼──► relay ──► account   (its database)
                                  ├──► relay ──► points    (its database)
                                  └──► relay ──► coupons   (its database)
"""

import functools
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import processes
import relay
import stores

SERVICES = ("order", "account", "points", "coupons")

PAID, NOT_PAID = 0, 1  # pay's exit codes
END_TIMEOUT_MS = 30000


@dataclass(frozen=True)
class Payment:
    """What one run of `pay` asks for."""

    id: str
    user: int
    order: int
    amount: int
    coupon: str

    @property
    def gid(self):
        return f"pay-{self.id}"


@dataclass(frozen=True)
class PayAnswer:
    """What `pay` said."""

    exit_code: int
    told: dict  # its JSON

    @property
    def paid(self):
        return self.exit_code == PAID

    @property
    def not_paid(self):
        return self.exit_code == NOT_PAID

    @property
    def reason(self):
        return self.told.get("reason", {})

    def __str__(self):
        outcome = self.told.get("outcome", "nothing")
        if outcome != "CANCELLED":
            return f"pay says {outcome} (exit code {self.exit_code})"
        refused = self.told.get("refused_branch", 0)
        names = {each["number"]: each["participant"] for each in self.told.get("branches", [])}
        who = f"{names[refused]}: {self.reason['code']}, " if refused in names else ""
        return f"pay says CANCELLED (exit code {self.exit_code}): {who}{self.reason['text']}"


class Programs:
    """Where the built programs are: in one directory, or in a build directory's folders."""

    def __init__(self, directory):
        top = Path(directory).resolve()
        self._folders = [top, top / "samples" / "payment", top / "coordinator", top / "bin"]
        self._paths = {name: self._find(name) for name in (*SERVICES, "tercetd", "pay")}

    def path(self, name):
        return self._paths[name]

    def _find(self, name):
        for folder in self._folders:
            if (folder / name).is_file():
                return folder / name
        looked = ", ".join(map(str, self._folders))
        raise processes.ProcessFailure(f"the program {name} is not built; looked in {looked}")


class Shop:
    """Starts everything in `directory`; close() stops it."""

    def __init__(self, programs, directory, kinds=None):
        """`kinds`: by service, the kind of its store; SQLite when nothing is said."""
        self.directory = Path(directory)
        kinds = kinds or dict.fromkeys(SERVICES, "sqlite")
        self._stores = stores.Stores(kinds, self.directory, programs.path)
        self.network = relay.Network()
        self._programs = programs
        self._coordinator_port, *ports = processes.free_ports(1 + len(SERVICES))
        self._ports = dict(zip(SERVICES, ports))
        self.services = {name: self._service(name) for name in SERVICES}
        self.coordinator = self._coordinator()
        self.outcomes = {}  # by gid: whether the coordinator says that it was paid

    def database(self, service):
        """What its --database is."""
        return self._stores.of(service).place(service)

    def rows(self, service, sql):
        """Reads what is committed in the service's database."""
        return self._stores.of(service).rows(service, sql)

    def fence_rows(self, service):
        """(gid, branch, state) of each row that the fence has there; None where it is no table."""
        gid = self._stores.of(service).fence_gid
        if gid is None:
            return None
        return self.rows(service, f"SELECT {gid}, branch, state FROM tercet_fence")

    def open(self):
        self._stores.open()
        self.seed(0)
        for service in self.services.values():
            service.start()
        targets = {
            name: self.network.add_relay(name, f"127.0.0.1:{port}")
            for name, port in self._ports.items()
        }
        self._config.write_text(self._config_text(targets))
        processes.run([self._programs.path("tercetd"), "init", self._journal])
        self.coordinator.start()

    def close(self):
        """Returns sentences about programs that did not stop as they should."""
        said = [self.coordinator.stop()] + [each.stop() for each in self.services.values()]
        self.network.close()
        said += self._stores.close()
        return [sentence for sentence in said if sentence]

    def seed(self, number):
        """Demo data set `number` for all services, also while they run."""
        for name, service in self.services.items():
            rests = service.runs and self._stores.of(name).exclusive
            if rests:
                service.stop()
            processes.run([*self._command(name), f"--seed={number}"])
            if rests:
                service.start()

    def start_pay(self, payment, timeout_ms=None):
        """Starts `pay` and does not wait for it."""
        options = ["--payment", payment.id, "--user", payment.user, "--order", payment.order]
        options += ["--amount", payment.amount, "--book", self.directory / "payments.db"]
        if payment.coupon:
            options += ["--coupon", payment.coupon]
        if timeout_ms is not None:
            options += ["--timeout", timeout_ms]
        return self._start_pay(options)

    def pay(self, payment, timeout_ms=None):
        return finish_pay(self.start_pay(payment, timeout_ms))

    def wait_end(self, payment):
        """Asks what became of it, and waits until every service has finished."""
        options = ["--status", "--payment", payment.id, "--wait", "end"]
        options += ["--timeout", END_TIMEOUT_MS]
        answer = finish_pay(self._start_pay(options))
        if not answer.told.get("ended"):
            raise processes.ProcessFailure(f"payment {payment.id} does not end: {answer.told}")
        return answer

    @property
    def coordinator_address(self):
        return f"127.0.0.1:{self._coordinator_port}"

    def _start_pay(self, options):
        command = [self._programs.path("pay"), "--json"]
        command += ["--coordinator", self.coordinator_address, *options]
        return subprocess.Popen(
            processes.tied_to_us(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _service(self, name):
        port = self._ports[name]
        command = [*self._command(name), "--listen", f"127.0.0.1:{port}"]
        return self._server(name, command, port)

    def _command(self, name):
        kind = self._stores.kinds[name]
        return [self._programs.path(name), "--store", kind, "--database", self.database(name)]

    def _server(self, name, command, port):
        accepts = functools.partial(processes.accepts_at, port)
        return processes.Server(name, command, accepts, self.directory / f"{name}.log")

    def _coordinator(self):
        command = [self._programs.path("tercetd"), "--config", self._config]
        return self._server("tercetd", command, self._coordinator_port)

    @property
    def _journal(self):
        return self.directory / "journal"

    @property
    def _config(self):
        return self.directory / "tercetd.yaml"

    def _config_text(self, targets):
        lines = [f"listen: {self.coordinator_address}"]
        lines.append(f"journal: {json.dumps(str(self._journal))}")  # a path may need quotes
        lines.append("participants:")
        for name, target in targets.items():
            lines += [f"  - name: {name}", f"    target: {target}"]
        return "\n".join(lines) + "\n"


def finish_pay(process):
    """Waits for a `pay` that was started."""
    out, error = process.communicate()
    try:
        return PayAnswer(process.returncode, json.loads(out))
    except ValueError:
        raise processes.ProcessFailure(
            f"pay ended with {process.returncode} and said {out!r} {error!r}"
        ) from None
