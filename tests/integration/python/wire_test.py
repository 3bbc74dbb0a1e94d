"""The wire is plain gRPC: Python as initiator and as participant against a real tercetd.

usage: wire_test.py TERCETD PROTOS
"""

import os
import queue
import resource
import sys
import unittest

import grpc

import stubs
from daemon import Daemon, free_port, wait_until
from participant import Participant

PROGRAM, PROTOS = sys.argv[1], sys.argv[2]
pb, pb_grpc, co, co_grpc = stubs.make(PROTOS)


class Wire(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.a = Participant(pb, pb_grpc, "a")
        cls.b = Participant(pb, pb_grpc, "b", work=True)
        cls.dead_port = free_port()
        cls.daemon = Daemon(PROGRAM, {"a": f"127.0.0.1:{cls.a.port}",
                                      "b": f"127.0.0.1:{cls.b.port}",
                                      "dead": f"127.0.0.1:{cls.dead_port}"})
        cls.channel = grpc.insecure_channel(f"127.0.0.1:{cls.daemon.port}")
        cls.stub = co_grpc.CoordinatorStub(cls.channel)

    @classmethod
    def tearDownClass(cls):
        cls.channel.close()
        code = cls.daemon.close()
        cls.a.stop()
        cls.b.stop()
        assert code == 0, f"tercetd ended with {code}"
        assert cls.b.streamed > len(cls.b.requests) // 2, "it serves Work and was not asked by it"

    def branches(self, payload_a=b"1", payload_b=b"2"):
        return [co.Branch(participant="a", action="act", payload=payload_a),
                co.Branch(participant="b", action="act", payload=payload_b)]

    def execute(self, gid, branches=None, wait=None, **more):
        request = co.ExecuteRequest(gid=gid, branches=branches or self.branches(),
                                    wait=co.WAIT_END if wait is None else wait, **more)
        return self.stub.Execute(request, timeout=30)

    def effects(self, gid):
        return sorted((effect[2], one.name) for one in (self.a, self.b)
                      for effect in one.effects if effect[0] == gid)

    def refusal(self, call):
        with self.assertRaises(grpc.RpcError) as caught:
            call()
        trailers = {key: value for key, value in caught.exception.trailing_metadata()}
        return caught.exception, trailers

    def test_a_payment_is_confirmed_everywhere_once(self):
        told = self.execute("paid")
        self.assertEqual(co.OUTCOME_CONFIRMED, told.outcome)
        self.assertEqual(co.TRANSACTION_STATE_CONFIRMED, told.state)
        self.assertEqual(b"result of 1", told.branches[0].result)
        self.assertEqual([("confirm", "a"), ("confirm", "b"), ("try", "a"), ("try", "b")],
                         self.effects("paid"))

    def test_requests_carry_what_the_protocol_says(self):
        self.execute("fields", traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01")
        request = next(r for r in self.a.requests if r.gid == "fields")
        self.assertEqual(pb.PHASE_TRY, request.phase)
        self.assertEqual(1, request.branch)
        self.assertEqual(16, len(request.digest))
        self.assertEqual(20, len(request.context.origin))
        self.assertEqual("a", request.context.participant)
        self.assertGreater(request.context.incarnation, 10**12)
        self.assertGreater(request.context.epoch, 0)
        self.assertGreater(request.number.number, 0)
        self.assertEqual(1, request.attempt)
        self.assertGreater(request.timeout_ms, 0)
        self.assertGreater(request.expires_unix_ms, 10**12)
        self.assertEqual("00-" + "1" * 32 + "-" + "2" * 16 + "-01", request.traceparent)

    def test_marks_reach_participants_and_never_pass_what_is_open(self):
        for i in range(20):
            self.execute(f"mark-{i}")
        marks = [r.context.mark for r in self.a.requests if r.context.HasField("mark")]
        self.assertTrue(marks)
        for request in self.a.requests:
            if request.context.HasField("mark") and request.phase == pb.PHASE_TRY:
                low = request.context.mark.low
                self.assertLessEqual((low.incarnation, low.number),
                                     (request.number.incarnation, request.number.number))

    def test_many_over_one_stream_are_each_an_execute(self):
        requests = queue.Queue()
        stream = self.stub.ExecuteStream(iter(requests.get, None), timeout=60)
        self.assertGreater(next(stream).window, 0)  # it speaks first
        batch = [co.ExecuteRequest(gid=f"stream-{i}", branches=self.branches(), call=i,
                                   wait=co.WAIT_END) for i in range(1, 21)]
        batch.append(co.ExecuteRequest(gid="stream-bad", call=21))
        requests.put(co.ExecuteBatch(requests=batch))
        requests.put(co.ExecuteBatch(requests=[co.ExecuteRequest(  # joins
            gid="stream-1", branches=self.branches(), call=22, wait=co.WAIT_END)]))
        requests.put(None)  # half-closes; all is answered before it ends
        replies = {reply.call: reply for message in stream for reply in message.replies}
        self.assertEqual(set(range(1, 23)), set(replies))
        self.assertEqual(grpc.StatusCode.OK, stream.code())
        for i in range(1, 21):
            self.assertEqual(co.OUTCOME_CONFIRMED, replies[i].transaction.outcome)
            self.assertEqual(4, len(self.effects(f"stream-{i}")))
        self.assertEqual(replies[1].transaction.sequence, replies[22].transaction.sequence)
        self.assertFalse(replies[21].HasField("transaction"))
        self.assertTrue(replies[21].refused)
        self.assertEqual(3, replies[21].error.status)  # INVALID_ARGUMENT
        self.assertEqual("branches", replies[21].error.field)
        self.assertEqual(co.OUTCOME_CONFIRMED, self.execute("stream-2").outcome)

    def test_a_refusal_cancels_everywhere_and_says_why(self):
        told = self.execute("refused", self.branches(payload_b=b"refuse"))
        self.assertEqual(co.OUTCOME_CANCELLED, told.outcome)
        self.assertEqual(co.CAUSE_REFUSED, told.cause)
        self.assertEqual(2, told.refused_branch)
        self.assertEqual("NO_MONEY", told.reason.code)
        self.assertEqual("suspended", self.b.rows[("refused", 2)][0])
        self.assertNotEqual("tried", self.a.rows[("refused", 1)][0])

    def test_the_same_again_is_told_the_same_and_has_one_effect(self):
        first = self.execute("twice")
        again = self.execute("twice")
        self.assertEqual(first.outcome, again.outcome)
        self.assertEqual(first.sequence, again.sequence)
        self.assertEqual(4, len(self.effects("twice")))

    def test_the_same_gid_with_other_content_is_refused(self):
        self.execute("other")
        error, trailers = self.refusal(lambda: self.execute("other", self.branches(b"9")))
        self.assertEqual(grpc.StatusCode.ALREADY_EXISTS, error.code())
        self.assertEqual("1", trailers["tercet-refused"])

    def test_step_by_step(self):
        self.stub.Begin(co.BeginRequest(gid="steps"), timeout=10)
        for number, branch in enumerate(self.branches(), 1):
            told = self.stub.Try(co.TryRequest(gid="steps", number=number, branch=branch),
                                 timeout=10)
            self.assertEqual(pb.VERDICT_DONE, told.verdict)
        told = self.stub.Confirm(co.ConfirmRequest(gid="steps", wait=co.WAIT_END), timeout=10)
        self.assertEqual(co.TRANSACTION_STATE_CONFIRMED, told.state)
        self.assertEqual(4, len(self.effects("steps")))

    def test_cancel_of_an_unknown_gid_stops_what_is_still_on_its_way(self):
        told = self.stub.Cancel(co.CancelRequest(gid="late"), timeout=10)
        self.assertEqual(co.OUTCOME_CANCELLED, told.outcome)
        self.assertEqual(co.OUTCOME_CANCELLED, self.execute("late").outcome)
        self.assertEqual([], self.effects("late"))

    def test_watch_tells_until_the_end(self):
        self.stub.Begin(co.BeginRequest(gid="watched"), timeout=10)
        stream = self.stub.Watch(co.WatchRequest(gid="watched"), timeout=20)
        self.assertEqual(co.TRANSACTION_STATE_TRYING, next(stream).state)
        self.stub.Cancel(co.CancelRequest(gid="watched"), timeout=10)
        states = [told.state for told in stream]
        self.assertEqual(co.TRANSACTION_STATE_CANCELLED, states[-1])

    def test_list_pages_through_everything_once(self):
        gids = {f"listed-{i}" for i in range(25)}
        for gid in gids:
            self.execute(gid)
        seen, token = [], ""
        for _ in range(100):
            page = self.stub.List(co.ListRequest(page_size=7, page_token=token,
                                                 gid_prefix="listed-"), timeout=10)
            self.assertLessEqual(len(page.transactions), 7)
            seen += [one.gid for one in page.transactions]
            token = page.next_page_token
            if not token:
                break
        self.assertEqual("", token)
        self.assertEqual(gids, set(seen))
        self.assertEqual(len(gids), len(seen))

    def test_an_unspecified_verdict_is_never_success(self):
        self.a.script[("garbage", pb.PHASE_TRY)] = [pb.BranchReply()] * 3
        told = self.execute("garbage")
        self.assertEqual(co.OUTCOME_CONFIRMED, told.outcome)
        tries = [r for r in self.a.requests if r.gid == "garbage" and r.phase == pb.PHASE_TRY]
        self.assertEqual(4, len(tries))

    def test_an_unknown_verdict_is_cancelled_at_the_deadline(self):
        self.a.script[("never", pb.PHASE_TRY)] = [pb.BranchReply(verdict=77)] * 1000
        told = self.execute("never", try_timeout_ms=500)
        self.assertEqual(co.OUTCOME_CANCELLED, told.outcome)
        self.assertEqual(co.CAUSE_TIMEOUT, told.cause)
        self.assertEqual([("never", 1)], [key for key in self.a.rows if key[0] == "never"])
        self.assertEqual("suspended", self.a.rows[("never", 1)][0])

    def test_confirm_is_asked_until_it_is_done(self):
        self.b.script[("stubborn", pb.PHASE_CONFIRM)] = [
            pb.BranchReply(verdict=pb.VERDICT_LATER), grpc.StatusCode.INTERNAL,
            self.b.refused("NEVER"), grpc.StatusCode.UNAVAILABLE]
        told = self.execute("stubborn")
        self.assertEqual(co.TRANSACTION_STATE_CONFIRMED, told.state)
        self.assertEqual(4, len(self.effects("stubborn")))

    def test_an_unknown_action_cancels(self):
        self.a.script[("noaction", pb.PHASE_TRY)] = [grpc.StatusCode.FAILED_PRECONDITION]
        told = self.execute("noaction")
        self.assertEqual(co.OUTCOME_CANCELLED, told.outcome)

    def test_an_unknown_participant_is_named_and_nothing_is_begun(self):
        error, trailers = self.refusal(
            lambda: self.execute("stranger", [co.Branch(participant="stranger", action="x")]))
        self.assertEqual(grpc.StatusCode.FAILED_PRECONDITION, error.code())
        self.assertIn("stranger", error.details())
        self.assertEqual("1", trailers["tercet-refused"])
        error, _ = self.refusal(lambda: self.stub.Get(co.GetRequest(gid="stranger"), timeout=10))
        self.assertEqual(grpc.StatusCode.NOT_FOUND, error.code())

    def test_bad_fields_are_named_with_limit_and_value(self):
        cases = [
            (dict(gid="x" * 129), "gid"),
            (dict(gid="a b"), "gid"),
            (dict(gid="g", branches=[]), "branches"),
            (dict(gid="g", branches=self.branches() * 33), "branches"),
            (dict(gid="g", branches=self.branches(b"x" * 65537)), "payload"),
            (dict(gid="g", branches=self.branches(), try_timeout_ms=3600001), "try_timeout_ms"),
        ]
        for fields, name in cases:
            error, trailers = self.refusal(
                lambda: self.stub.Execute(co.ExecuteRequest(**fields), timeout=10))
            self.assertEqual(grpc.StatusCode.INVALID_ARGUMENT, error.code(), name)
            self.assertIn(name, error.details())
            self.assertEqual("1", trailers["tercet-refused"])
            detail = co.ErrorDetail.FromString(trailers["tercet-error-bin"])
            self.assertIn(name, detail.field)

    def test_a_gid_with_a_nul_is_not_the_gid_before_it(self):
        self.execute("nul")
        error, _ = self.refusal(lambda: self.stub.Get(co.GetRequest(gid="nul\0x"), timeout=10))
        self.assertEqual(grpc.StatusCode.INVALID_ARGUMENT, error.code())
        self.assertIn("gid", error.details())

    def test_garbage_and_unknown_methods_have_clear_answers(self):
        def raw(method, payload):
            call = self.channel.unary_unary("/tercet.v1.Coordinator/" + method,
                                            request_serializer=lambda b: b,
                                            response_deserializer=lambda b: b)
            return lambda: call(payload, timeout=10)
        for method in ("Execute", "Begin", "Try", "Confirm", "Cancel", "Get", "List", "Resolve"):
            error, _ = self.refusal(raw(method, b"\xff\xff\xff\xff\x01garbage"))
            self.assertEqual(grpc.StatusCode.INVALID_ARGUMENT, error.code(), method)
            error, _ = self.refusal(raw(method, b"\xfa\x7f\x01x"))  # a field that nobody knows
            self.assertEqual(grpc.StatusCode.INVALID_ARGUMENT, error.code(), method)
        error, _ = self.refusal(raw("Bogus", b""))
        self.assertEqual(grpc.StatusCode.UNIMPLEMENTED, error.code())

    def test_a_participant_that_is_down_is_refused_by_name(self):
        def refused():
            try:
                self.execute(f"dead-{free_port()}",
                             [co.Branch(participant="dead", action="x")], try_timeout_ms=300)
                return None
            except grpc.RpcError as error:
                return error
        error = wait_until(refused, "the circuit opens")
        self.assertEqual(grpc.StatusCode.UNAVAILABLE, error.code())
        self.assertIn("dead", error.details())
        self.assertEqual(co.OUTCOME_CONFIRMED, self.execute("others-go-on").outcome)

    def test_killed_between_decision_and_confirm_it_goes_on(self):
        self.b.script[("killed", pb.PHASE_CONFIRM)] = [
            pb.BranchReply(verdict=pb.VERDICT_LATER, after_ms=60000)]
        told = self.execute("killed", wait=co.WAIT_DECISION)
        self.assertEqual(co.OUTCOME_CONFIRMED, told.outcome)
        wait_until(lambda: not self.b.script[("killed", pb.PHASE_CONFIRM)], "confirm was asked")
        self.daemon.kill()
        self.daemon.start()
        told = wait_until(lambda: self.ended("killed"), "it has ended")
        self.assertEqual(co.TRANSACTION_STATE_CONFIRMED, told.state)
        self.assertEqual(4, len(self.effects("killed")))

    def ended(self, gid):
        try:
            told = self.stub.Get(co.GetRequest(gid=gid), timeout=5, wait_for_ready=True)
            return told if told.ended_unix_ms else None
        except grpc.RpcError:
            return None

class Waiting(unittest.TestCase):
    """The same large request from as many as may wait: its payloads are counted once, so kept once."""

    CALLS = 150

    def setUp(self):
        self.participant = Participant(pb, pb_grpc, "a")
        # AddressSanitizer, where it is built in, keeps what is freed.
        os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"
        self.daemon = Daemon(PROGRAM, {"a": f"127.0.0.1:{self.participant.port}"},
                             f"waiting_calls_max: {self.CALLS}\nstop_grace_ms: 100\n")
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.daemon.port}")
        self.stub = co_grpc.CoordinatorStub(self.channel)

    def tearDown(self):
        self.channel.close()
        self.assertEqual(0, self.daemon.close())
        self.participant.stop()

    def resident_mib(self):
        with open(f"/proc/{self.daemon.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * resource.getpagesize() / 2**20

    def test_a_call_that_waits_does_not_keep_its_request(self):
        later = pb.BranchReply(verdict=pb.VERDICT_LATER, after_ms=60000)
        self.participant.script[("large", pb.PHASE_TRY)] = [later] * 1000
        branches = [co.Branch(participant="a", action="act", payload=b"x" * 65000)] * 15
        self.stub.Execute(co.ExecuteRequest(gid="large", wait=co.WAIT_BEGIN, branches=branches), timeout=30)
        request = co.ExecuteRequest(gid="large", wait_timeout_ms=20000, branches=branches)
        before = self.resident_mib()
        calls = [self.stub.Execute.future(request, timeout=60) for _ in range(self.CALLS + 1)]
        wait_until(lambda: any(call.done() for call in calls), "one is too many")
        grown = self.resident_mib() - before
        refused = [call for call in calls if call.done()]
        self.assertEqual([grpc.StatusCode.RESOURCE_EXHAUSTED], [call.code() for call in refused])
        self.assertLess(grown, self.CALLS * 0.8, "MiB")
        for call in calls:
            call.cancel()



if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
