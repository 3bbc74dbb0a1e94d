"""Describe and Inspect of the participant of flawed.py."""

import os

from flawed_store import TRIED

NAME = "bank"


class Survey:
    """What a participant tells of itself; its store is flawed_store.py's."""

    def describe(self, request):
        pb, context, database = self.pb, request.context, self.database()
        if not self.has("describe_keeps_epoch"):
            self.raise_epoch(context)
        reply = pb.DescribeReply(participant=NAME, protocol=1, software="a test in Python")
        reply.actions.add(name="debit")
        reply.actions.add(name="gift", confirm_only=not self.has("gift_not_told"))
        store = reply.stores.add(kind="sqlite", store_id=b"0123456789abcdef")
        if self.has("store_id_changes"):
            store.store_id = os.urandom(16)
        seen = self.read_mark(database, context)
        rows = database.execute("SELECT incarnation, number FROM fence WHERE origin = ?"
                                " ORDER BY incarnation, number", (context.origin,)).fetchall()
        store.rows = len(rows)
        if rows and not self.has("highest_not_told"):
            store.highest.incarnation, store.highest.number = rows[-1]
        if seen:
            store.incarnation, store.epoch = seen["incarnation"], seen["epoch"]
        if seen and seen["as_of_lsn"] > 0:
            store.mark.as_of_incarnation = seen["as_of_incarnation"]
            store.mark.as_of_lsn = seen["as_of_lsn"]
            store.mark.low.incarnation = seen["low_incarnation"]
            store.mark.low.number = seen["low_number"]
            for each in seen["open"].split():
                incarnation, number = each.split(".")
                store.mark.open.add(incarnation=int(incarnation), number=int(number))
        return reply

    def inspect(self, request):
        database, reply = self.database(), self.pb.InspectReply()
        if request.gid:
            row = self.one(database, "SELECT * FROM fence WHERE gid = ? AND branch = ?",
                           self.key(request))
            self.add_row(reply, row or {"gid": request.gid.encode(), "branch": request.branch})
            return reply
        size, after = request.page_size or 100, int(request.page_token or 0)
        size += 100 * self.has("inspect_one_page")
        first = getattr(request, "from")
        order = "DESC" if self.has("inspect_unsorted") else "ASC"
        rows = [self.one(database, "SELECT * FROM fence WHERE rowid = ?", row) for row in
                database.execute(
                    "SELECT rowid FROM fence WHERE origin = ? AND (incarnation, number) >= (?, ?)"
                    " AND (incarnation, number) < (?, ?) ORDER BY incarnation, number "
                    + order + " LIMIT ? OFFSET ?",
                    (request.context.origin, first.incarnation, first.number,
                     request.below.incarnation, request.below.number, size, after)).fetchall()]
        for row in rows:
            self.add_row(reply, row)
        if len(rows) == size:
            reply.next_page_token = str(after + size)
        return reply

    def add_row(self, reply, row):
        told = reply.rows.add(gid=row["gid"] if isinstance(row["gid"], str)
                              else row["gid"].decode(), branch=row["branch"])
        told.state = self.pb.FENCE_STATE_NONE
        if "state" in row:
            told.state = TRIED if self.has("inspect_stale_state") else row["state"]
            told.origin, told.action = row["origin"], row["action"]
            told.digest = b"" if self.has("inspect_no_digest") else row["digest"]
            told.result = b"" if self.has("inspect_no_result") else row["result"]
            told.number.incarnation, told.number.number = row["incarnation"], row["number"]
