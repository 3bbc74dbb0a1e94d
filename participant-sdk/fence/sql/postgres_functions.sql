-- The Tercet fence as functions, version 1: for participants in languages that have no libtercet.
--
-- Run this once, after postgres.sql and in the same database and schema; it needs PostgreSQL 13 or newer:
--
--     psql -v ON_ERROR_STOP=1 -1 -f postgres_functions.sql "dbname=..."
--
-- A participant hands its requests over as they are, in the JSON that protobuf prescribes for messages, and sends the
-- answers on, which are in that form, too.  The payload may be left out; nobody here reads it.  All methods are served in
-- one way:
--
--     SELECT tercet_accept(me, method, request), outside of any transaction
--     BEGIN
--     SELECT run, reply FROM tercet_serve(me, method, request)
--     run: call the business code, in this transaction; was it a try that has a result,
--          SELECT tercet_keep_result(request, result)
--     COMMIT, and only then send the reply
--
-- `method` is how it came: Try, Confirm, Cancel, Describe or Inspect.  `me` is who you are and what you serve, a
-- DescribeReply without its stores: {"participant": "bank", "software": "...", "actions": [{"name": "debit"},
-- {"name": "credit", "confirmOnly": true}]}.  The name, the phase and the action are compared with it here.
--
-- ROLLBACK after any error.  If it is one of these, by its SQLSTATE:
--
--     TC003, TC009   answer the gRPC status of that number, INVALID_ARGUMENT or FAILED_PRECONDITION, with this message
--     40001, 40P01   begin again, with tercet_accept(), a few times
--
-- Else answer Try, Confirm and Cancel with LATER and TERCET_HANDLER_FAILED; but a no of the business code's own with
-- REFUSED and its code if it was a try, and with LATER and TERCET_REFUSED_TOO_LATE if not.  The reason's text has at
-- most 255 bytes.
--
-- The participant's role needs the GRANTs of postgres.sql.  Rows, scopes and locks are the library's own: participants
-- with and without it may share a database.  A scope's lock (an advisory one, to the end of the transaction) is
-- taken shared by claims and alone by whoever changes the epoch or the mark or sweeps; so while a transaction has a
-- claim, nothing of its scope is swept, and its mark is read before the row is inserted as well as behind it.

CREATE OR REPLACE FUNCTION tercet_lock_number(participant text, origin bytea) RETURNS bigint
    LANGUAGE sql IMMUTABLE
    AS $$ SELECT hashtextextended(participant || encode(origin, 'hex'), 8386) $$;

-- Bytes as protobuf's JSON has them.
CREATE OR REPLACE FUNCTION tercet_base64(bytes bytea) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$ SELECT replace(encode(bytes, 'base64'), E'\n', '') $$;

-- A BranchNumber; numbers of 64 bits are texts in that JSON.
CREATE OR REPLACE FUNCTION tercet_number(incarnation bigint, number bigint) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    AS $$ SELECT jsonb_build_object('incarnation', incarnation::text, 'number', number::text) $$;

-- An open list as it is stored: 16 bytes each, in the order of the numbers.
CREATE OR REPLACE FUNCTION tercet_open_bytes(open jsonb) RETURNS bytea
    LANGUAGE sql IMMUTABLE
    AS $$ SELECT coalesce(string_agg(item, ''::bytea ORDER BY item), ''::bytea)
          FROM (SELECT DISTINCT int8send((o ->> 'incarnation')::bigint) || int8send((o ->> 'number')::bigint) AS item
                FROM jsonb_array_elements(open) AS o) AS items $$;

-- ... and back: an array of BranchNumbers.
CREATE OR REPLACE FUNCTION tercet_open_numbers(open bytea) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    AS $$ SELECT coalesce(jsonb_agg(tercet_number(('x' || encode(substr(open, 16 * i + 1, 8), 'hex'))::bit(64)::bigint,
                                                  ('x' || encode(substr(open, 16 * i + 9, 8), 'hex'))::bit(64)::bigint)
                                    ORDER BY i), '[]')
          FROM generate_series(0, octet_length(open) / 16 - 1) AS i $$;

-- Is the context what a coordinator sends?  Raises TC003.
CREATE OR REPLACE FUNCTION tercet_check(context jsonb) RETURNS void
    LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF coalesce(context ->> 'participant', '') = ''
       OR coalesce(octet_length(decode(context ->> 'origin', 'base64')), 0) <> 20
       OR coalesce((context ->> 'incarnation')::bigint, 0) <= 0 OR coalesce((context ->> 'epoch')::bigint, 0) <= 0 THEN
        RAISE SQLSTATE 'TC003'
            USING MESSAGE = 'context: participant, 20 bytes of origin, a positive incarnation and epoch are required';
    END IF;
END $$;

-- The scope, or TC009 for an older start of the coordinator, or 40001 for one that nobody has accepted.  At READ COMMITTED what
-- was committed last.  At the higher levels the snapshot may be older than the lock, and a row that has changed since then
-- fails with 40001.
CREATE OR REPLACE FUNCTION tercet_read_scope(context jsonb) RETURNS tercet_scope
    LANGUAGE plpgsql AS $$
DECLARE
    name text := context ->> 'participant';
    asker_origin bytea := decode(context ->> 'origin', 'base64');
    asked bigint[] := ARRAY[(context ->> 'incarnation')::bigint, (context ->> 'epoch')::bigint];
    scope tercet_scope;
BEGIN
    IF current_setting('transaction_isolation') = 'read committed' THEN
        SELECT * INTO scope FROM tercet_scope s WHERE s.participant = name AND s.origin = asker_origin;
    ELSE
        SELECT * INTO scope FROM tercet_scope s WHERE s.participant = name AND s.origin = asker_origin FOR SHARE;
    END IF;
    IF scope.id IS NULL OR ARRAY[scope.incarnation, scope.epoch] < asked THEN
        RAISE serialization_failure USING MESSAGE = 'this start of the coordinator is new here: tercet_accept()';
    ELSIF ARRAY[scope.incarnation, scope.epoch] > asked THEN
        RAISE SQLSTATE 'TC009' USING MESSAGE = 'TERCET_OLD_EPOCH: a newer start of this coordinator has been seen';
    END IF;
    RETURN scope;
END $$;

-- Stores the (incarnation, epoch) of whoever asks, unless a higher one is stored.  It waits for those who have claimed.
CREATE OR REPLACE FUNCTION tercet_raise_epoch(context jsonb) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    asker_origin bytea := decode(context ->> 'origin', 'base64');
BEGIN
    PERFORM tercet_check(context);
    PERFORM pg_advisory_xact_lock(tercet_lock_number(context ->> 'participant', asker_origin));
    INSERT INTO tercet_scope AS s (participant, origin, incarnation, epoch)
        VALUES (context ->> 'participant', asker_origin, (context ->> 'incarnation')::bigint, (context ->> 'epoch')::bigint)
        ON CONFLICT (participant, origin) DO UPDATE SET incarnation = excluded.incarnation, epoch = excluded.epoch
        WHERE (s.incarnation, s.epoch) < (excluded.incarnation, excluded.epoch);
END $$;

-- How old a mark is; NULL for none, and for one that does not tell all of its age and its low.
CREATE OR REPLACE FUNCTION tercet_mark_age(mark jsonb) RETURNS bigint[]
    LANGUAGE sql IMMUTABLE
    AS $$ SELECT ARRAY[(mark ->> 'asOfIncarnation')::bigint, (mark ->> 'asOfLsn')::bigint]
          WHERE num_nulls(mark ->> 'asOfIncarnation', mark ->> 'asOfLsn',
                          mark #>> '{low,incarnation}', mark #>> '{low,number}') = 0 $$;

-- Stores the context's mark and deletes the rows that it lets go; an older mark, or none, does nothing.  Returns how
-- many were deleted.  TRIED rows hold a reservation: they stay, and an operator looks.
CREATE OR REPLACE FUNCTION tercet_apply_mark(context jsonb) RETURNS bigint
    LANGUAGE plpgsql AS $$
DECLARE
    mark jsonb := context -> 'mark';
    age bigint[] := tercet_mark_age(mark);
    low bigint[] := ARRAY[(mark #>> '{low,incarnation}')::bigint, (mark #>> '{low,number}')::bigint];
    open_now bytea := tercet_open_bytes(mark -> 'open');
    scope tercet_scope;
    removed bigint;
BEGIN
    PERFORM tercet_check(context);
    IF octet_length(open_now) > 256 * 16 THEN
        RAISE SQLSTATE 'TC003' USING MESSAGE = 'mark: at most 256 open';
    ELSIF age IS NULL THEN
        RETURN 0;
    END IF;
    PERFORM pg_advisory_xact_lock(tercet_lock_number(context ->> 'participant', decode(context ->> 'origin', 'base64')));
    scope := tercet_read_scope(context);
    IF age <= ARRAY[scope.mark_incarnation, scope.mark_lsn] THEN
        RETURN 0; -- known, or older: its open list would open what is closed
    END IF;
    UPDATE tercet_scope s SET mark_incarnation = age[1], mark_lsn = age[2], low_incarnation = low[1], low_number = low[2],
                              open = open_now WHERE s.id = scope.id;
    DELETE FROM tercet_fence f WHERE f.scope = scope.id AND (f.incarnation, f.number) < (low[1], low[2]) AND f.state <> 1
        AND (int8send(f.incarnation) || int8send(f.number)) <> ALL (ARRAY(
            SELECT substr(open_now, 16 * i + 1, 16) FROM generate_series(0, octet_length(open_now) / 16 - 1) AS i));
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END $$;

-- The table of docs/protocol.md, section 5.  `state` is the row's, 0 when there is none.
CREATE OR REPLACE FUNCTION tercet_decide(state integer, same_identity boolean, past boolean, phase text, confirm_only boolean)
    RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    answers text[] := ARRAY[
        --  try                 confirm       cancel
        ARRAY['RAN',              'NOT_TRIED',  'EMPTY'],     -- no row
        ARRAY['REPEATED',         'RAN',        'RAN'],       -- TRIED
        ARRAY['REPEATED',         'REPEATED',   'CONFIRMED'], -- CONFIRMED
        ARRAY['TRY_AFTER_CANCEL', 'CANCELLED',  'REPEATED'],  -- CANCELLED
        ARRAY['TRY_AFTER_CANCEL', 'CANCELLED',  'EMPTY'],     -- SUSPENDED
        ARRAY['TRY_FORGOTTEN',    'FORGOTTEN',  'FORGOTTEN']];-- no row, and past
    answer text := answers[CASE WHEN state = 0 AND past THEN 6 ELSE state + 1 END]
                          [array_position(ARRAY['PHASE_TRY', 'PHASE_CONFIRM', 'PHASE_CANCEL'], phase)];
BEGIN
    IF state <> 0 AND NOT same_identity THEN
        RETURN 'OTHER_TRANSACTION';
    ELSIF answer = 'NOT_TRIED' AND confirm_only THEN
        RETURN 'RAN';
    END IF;
    RETURN answer;
END $$;

-- The BranchReply that says so.
CREATE OR REPLACE FUNCTION tercet_reply(answer text, state integer) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    code text := CASE answer
        WHEN 'TRY_FORGOTTEN' THEN 'FORGOTTEN'
        WHEN 'NOT_TRIED' THEN 'CONFIRM_WITHOUT_TRY'
        WHEN 'CONFIRMED' THEN 'CANCEL_AFTER_CONFIRM'
        WHEN 'CANCELLED' THEN 'CONFIRM_AFTER_CANCEL'
        ELSE answer END;
    reason jsonb := jsonb_build_object('code', 'TERCET_' || code);
BEGIN
    IF answer IN ('RAN', 'REPEATED', 'EMPTY') THEN
        RETURN jsonb_build_object('verdict', 'VERDICT_DONE', 'how', 'HOW_' || answer);
    ELSIF answer LIKE 'TRY\_%' THEN
        RETURN jsonb_build_object('verdict', 'VERDICT_REFUSED', 'reason', reason);
    END IF;
    RETURN jsonb_build_object('verdict', 'VERDICT_CONFLICT', 'conflict', 'CONFLICT_KIND_' || answer, 'reason', reason,
        'found', 'FENCE_STATE_' || (ARRAY['NONE', 'TRIED', 'CONFIRMED', 'CANCELLED', 'SUSPENDED'])[state + 1]);
END $$;

-- Claims the request's branch for this transaction and says what to do, as tercet_serve() does.  For DONE the row is
-- written already; roll back, and it was not.  For any other verdict nothing is.
CREATE OR REPLACE FUNCTION tercet_claim(request jsonb, confirm_only boolean, OUT run boolean, OUT reply jsonb)
    LANGUAGE plpgsql AS $$
DECLARE
    context jsonb := request -> 'context';
    phase text := request ->> 'phase';
    key_gid bytea := convert_to(request ->> 'gid', 'UTF8');
    key_branch bigint := (request ->> 'branch')::bigint;
    number bigint[] := ARRAY[(request #>> '{number,incarnation}')::bigint, (request #>> '{number,number}')::bigint];
    its_digest bytea := decode(request ->> 'digest', 'base64');
    -- What stands there if there is no row yet; a confirm after a try may not make one.
    wanted smallint := CASE WHEN phase = 'PHASE_TRY' THEN 1 WHEN phase = 'PHASE_CANCEL' THEN 4 WHEN confirm_only THEN 2 END;
    scope tercet_scope;
    past boolean;
    found_row tercet_fence;
    state integer;
BEGIN
    PERFORM tercet_check(context);
    IF coalesce(request ->> 'gid', '') COLLATE "C" !~ '^[!-~]{1,128}$' OR coalesce(key_branch, 0) NOT BETWEEN 1 AND 64
       OR coalesce(octet_length(its_digest), 0) <> 16 OR coalesce(number[1], 0) <= 0 OR coalesce(number[2], 0) <= 0
       OR coalesce(phase, '') NOT IN ('PHASE_TRY', 'PHASE_CONFIRM', 'PHASE_CANCEL') THEN
        RAISE SQLSTATE 'TC003' USING MESSAGE = 'gid: 1 to 128 of 0x21 to 0x7e; branch: 1 to 64; digest: 16 bytes; number: '
            'positive; phase: one of the three';
    ELSIF confirm_only AND phase = 'PHASE_TRY' THEN
        RAISE SQLSTATE 'TC003' USING MESSAGE = 'this action is confirm-only and has no try';
    END IF;
    PERFORM pg_advisory_xact_lock_shared(tercet_lock_number(context ->> 'participant', decode(context ->> 'origin', 'base64')));
    scope := tercet_read_scope(context);
    past := number < ARRAY[scope.low_incarnation, scope.low_number]
        AND NOT tercet_open_numbers(scope.open) @> jsonb_build_array(tercet_number(number[1], number[2]));
    FOR round IN 1..3 LOOP
        IF wanted IS NOT NULL AND NOT past THEN
            INSERT INTO tercet_fence (gid, branch, scope, state, incarnation, number, digest, action)
                VALUES (key_gid, key_branch, scope.id, wanted, number[1], number[2], its_digest, request ->> 'action')
                ON CONFLICT (gid, branch) DO NOTHING; -- it waits for whoever has inserted the same and not ended
            EXIT WHEN FOUND;
        END IF;
        SELECT * INTO found_row FROM tercet_fence f WHERE f.gid = key_gid AND f.branch = key_branch FOR UPDATE;
        EXIT WHEN FOUND OR wanted IS NULL OR past;
        IF round = 3 THEN
            RAISE serialization_failure USING MESSAGE = 'the row comes and goes under the claim';
        END IF;
    END LOOP;
    state := coalesce(found_row.state, 0);
    reply := tercet_reply(tercet_decide(state, (found_row.scope, found_row.incarnation, found_row.number, found_row.digest)
                                               = (scope.id, number[1], number[2], its_digest), past, phase, confirm_only), state)
             || jsonb_build_object('markIncarnation', scope.mark_incarnation::text, 'markLsn', scope.mark_lsn::text);
    run := coalesce(reply ->> 'how' = 'HOW_RAN', false);
    IF run AND state = 1 THEN
        UPDATE tercet_fence f SET state = CASE phase WHEN 'PHASE_CONFIRM' THEN 2 ELSE 3 END
            WHERE f.gid = key_gid AND f.branch = key_branch;
    ELSIF phase = 'PHASE_TRY' AND reply ->> 'how' = 'HOW_REPEATED' THEN
        reply := reply || jsonb_build_object('result', tercet_base64(found_row.result));
    END IF;
END $$;

-- Keeps a try's result with its row, in the transaction that has claimed it: its repeats are answered with the same.
CREATE OR REPLACE FUNCTION tercet_keep_result(request jsonb, its_result bytea) RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    IF octet_length(its_result) > 1024 THEN
        RAISE string_data_right_truncation
            USING MESSAGE = format('the result has %s bytes, at most 1024 are kept', octet_length(its_result));
    END IF;
    UPDATE tercet_fence f SET result = its_result
        WHERE f.gid = convert_to(request ->> 'gid', 'UTF8') AND f.branch = (request ->> 'branch')::integer;
END $$;

-- What this database has seen of the asker, all of one moment: a StoreDescription.
CREATE OR REPLACE FUNCTION tercet_describe(context jsonb) RETURNS jsonb
    LANGUAGE plpgsql AS $$
DECLARE
    its_origin bytea := decode(context ->> 'origin', 'base64');
    told jsonb;
BEGIN
    PERFORM tercet_check(context);
    PERFORM tercet_read_scope(context);
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'kind', 'postgres', 'storeId', tercet_base64(m.store_id),
        'incarnation', s.incarnation::text, 'epoch', s.epoch::text,
        'mark', CASE WHEN s.mark_incarnation > 0 THEN jsonb_build_object(
            'asOfIncarnation', s.mark_incarnation::text, 'asOfLsn', s.mark_lsn::text,
            'low', tercet_number(s.low_incarnation, s.low_number), 'open', tercet_open_numbers(s.open)) END,
        'highest', (SELECT tercet_number(f.incarnation, f.number) FROM tercet_fence f WHERE f.scope = s.id
                    ORDER BY f.incarnation DESC, f.number DESC LIMIT 1),
        'rows', (SELECT count(*)::text FROM tercet_fence f WHERE f.scope = s.id)))
        INTO told FROM tercet_schema m LEFT JOIN tercet_scope s ON s.participant = context ->> 'participant'
            AND s.origin = its_origin;
    RETURN told;
END $$;

-- Rows for operators and for recovery: an InspectReply.
CREATE OR REPLACE FUNCTION tercet_inspect(request jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    context jsonb := request -> 'context';
    asked_gid text := coalesce(request ->> 'gid', '');
    asked_branch bigint := coalesce((request ->> 'branch')::bigint, 0);
    size integer := least(coalesce(nullif((request ->> 'pageSize')::bigint, 0), 100), 1000);
    first bigint[] := ARRAY[coalesce((request #>> '{from,incarnation}')::bigint, 0),
                            coalesce((request #>> '{from,number}')::bigint, 0)];
    below bigint[] := ARRAY[coalesce((request #>> '{below,incarnation}')::bigint, 9223372036854775807),
                            coalesce((request #>> '{below,number}')::bigint, 9223372036854775807)];
    token text := coalesce(nullif(request ->> 'pageToken', ''), '0.0');  -- the number of the last page's last row
    found_rows tercet_fence[];
    shown jsonb;
BEGIN
    PERFORM tercet_check(context);
    IF token !~ '^[0-9]{1,18}[.][0-9]{1,18}$' THEN
        RAISE SQLSTATE 'TC003' USING MESSAGE = 'page_token: none that was told here';
    ELSIF asked_gid <> '' THEN
        found_rows := ARRAY(SELECT f FROM tercet_fence f WHERE f.gid = convert_to(asked_gid, 'UTF8')
                            AND asked_branch IN (0, f.branch) ORDER BY f.incarnation, f.number LIMIT size + 1);
    ELSE
        found_rows := ARRAY(SELECT f FROM tercet_fence f WHERE f.scope = (SELECT s.id FROM tercet_scope s
                                WHERE s.participant = context ->> 'participant'
                                AND s.origin = decode(context ->> 'origin', 'base64'))
                            AND (f.incarnation, f.number) >= (first[1], first[2])
                            AND (f.incarnation, f.number) < (below[1], below[2])
                            AND (f.incarnation, f.number) > (split_part(token, '.', 1)::bigint, split_part(token, '.', 2)::bigint)
                            ORDER BY f.incarnation, f.number LIMIT size + 1);
    END IF;
    SELECT jsonb_agg(jsonb_build_object(
            'gid', convert_from(f.gid, 'UTF8'), 'branch', f.branch, 'state', f.state, 'origin', tercet_base64(s.origin),
            'number', tercet_number(f.incarnation, f.number), 'digest', tercet_base64(f.digest), 'action', f.action,
            'result', tercet_base64(f.result)) ORDER BY f.incarnation, f.number)
        INTO shown FROM unnest(found_rows[1:size]) AS f JOIN tercet_scope s ON s.id = f.scope;
    IF shown IS NULL AND asked_gid <> '' AND asked_branch <> 0 THEN
        shown := jsonb_build_array(jsonb_build_object('gid', asked_gid, 'branch', asked_branch, 'state', 'FENCE_STATE_NONE'));
    END IF;
    RETURN jsonb_build_object('rows', coalesce(shown, '[]'), 'nextPageToken', CASE WHEN cardinality(found_rows) > size
        THEN (found_rows[size]).incarnation || '.' || (found_rows[size]).number ELSE '' END);
END $$;

-- The request's context.  Asked by Describe under another name, one tells of one's own.
CREATE OR REPLACE FUNCTION tercet_context(me jsonb, method text, request jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    AS $$ SELECT (request -> 'context') || CASE method WHEN 'Describe' THEN jsonb_build_object('participant', me -> 'participant')
                                                       ELSE '{}' END $$;

-- Stores what is new in a request's context: a start of the coordinator, a mark.  In a transaction of its own, for it is to
-- stay whatever becomes of the request, and its lock is not to be held while business code runs.
CREATE OR REPLACE FUNCTION tercet_accept(me jsonb, method text, request jsonb) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    context jsonb := tercet_context(me, method, request);
    scope tercet_scope;
BEGIN
    IF method = 'Inspect' OR context ->> 'participant' IS DISTINCT FROM me ->> 'participant' THEN
        RETURN; -- it looks at neither; another one is meant
    END IF;
    SELECT * INTO scope FROM tercet_scope s
        WHERE s.participant = context ->> 'participant' AND s.origin = decode(context ->> 'origin', 'base64');
    IF scope.id IS NULL OR (scope.incarnation, scope.epoch)
                           < ((context ->> 'incarnation')::bigint, (context ->> 'epoch')::bigint) THEN
        PERFORM tercet_raise_epoch(context);
    END IF;
    IF method <> 'Describe' -- by which a restored database is found out, before a mark hides what is gone
       AND tercet_mark_age(context -> 'mark')
           > ARRAY[coalesce(scope.mark_incarnation, 0), coalesce(scope.mark_lsn, 0)] THEN
        PERFORM tercet_apply_mark(context);
    END IF;
END $$;

-- What to do with a request: `run` the business code and send `reply` if it succeeds, or send `reply` as it is.
CREATE OR REPLACE FUNCTION tercet_serve(me jsonb, method text, request jsonb, OUT run boolean, OUT reply jsonb)
    LANGUAGE plpgsql AS $$
DECLARE
    this_is text := 'this is ' || (me ->> 'participant');
    meant text := nullif(request #>> '{context,participant}', ''); -- where there is none, tercet_check() says so
    action jsonb := (SELECT a FROM jsonb_array_elements(me -> 'actions') AS a WHERE a ->> 'name' = request ->> 'action');
BEGIN
    run := false;
    IF method = 'Describe' THEN
        reply := me || jsonb_build_object('protocol', 1, 'stores',
            jsonb_build_array(tercet_describe(tercet_context(me, method, request))));
    ELSIF meant <> me ->> 'participant' AND method = 'Inspect' THEN
        RAISE SQLSTATE 'TC009' USING MESSAGE = this_is;
    ELSIF meant <> me ->> 'participant' THEN
        reply := jsonb_build_object('verdict', 'VERDICT_LATER', 'reason',
            jsonb_build_object('code', 'TERCET_WRONG_PARTICIPANT', 'text', this_is));
    ELSIF method = 'Inspect' THEN
        reply := tercet_inspect(request);
    ELSIF 'PHASE_' || upper(method) IS DISTINCT FROM request ->> 'phase' THEN
        RAISE SQLSTATE 'TC003' USING MESSAGE = 'phase is not the method''s';
    ELSIF action IS NULL THEN
        RAISE SQLSTATE 'TC009' USING MESSAGE = 'TERCET_UNKNOWN_ACTION';
    ELSE
        SELECT * INTO run, reply FROM tercet_claim(request, coalesce((action ->> 'confirmOnly')::boolean, false));
    END IF;
END $$;

-- Nothing of the above is of use over tables of another version.
DO $$ BEGIN
    IF (SELECT version FROM tercet_schema) IS DISTINCT FROM 1 THEN
        RAISE EXCEPTION 'these functions are for version 1 of the fence''s tables: see postgres.sql';
    END IF;
END $$;
