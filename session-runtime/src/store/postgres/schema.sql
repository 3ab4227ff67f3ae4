-- What a session store keeps in PostgreSQL, as the default options create it.
--
-- Times are milliseconds since the Unix epoch by the server's clock. Ids are 64 random bits. `state` is 0 for a
-- stored session, 1 for an emptied, 2 for a destroyed and 3 for a renewed one.

-- One row per key. What every commit changes stands last, because the log of an update leaves out the part of the
-- row before the first change. No column that a commit usually changes is indexed, so that updates stay on the page
-- and touch no index: `due` is only a time at which to look whether the key can be purged, never later than
-- `retained_until`, and commits leave it alone unless that comes nearer.
--
-- `fields` are small fields that differ from their initial value, the name of each and its value as text: `#` and
-- hexadecimal digits for bytes that are no text or begin with `#`. They are here, and not in the table of fields,
-- because one row is read and changed in half the time of two.
CREATE TABLE IF NOT EXISTS sessions.header (
    name           text COLLATE "C" NOT NULL,
    key            bytea            NOT NULL,
    incarnation    bigint           NOT NULL,
    origin         bigint,
    created_at     bigint           NOT NULL,
    version        bigint           NOT NULL,
    registration   bigint           NOT NULL,
    fixed_end      bigint,
    sliding        bigint,                    -- a sliding lifetime of the session's own
    retention      bigint           NOT NULL, -- how long the header is kept once the session has ended
    due            bigint,
    has_rows       boolean          NOT NULL, -- whether fields of this life are in the table of fields
    state          smallint         NOT NULL,
    revision       bigint           NOT NULL,
    expires_at     bigint,
    retained_until bigint,
    commits        bigint[]         NOT NULL, -- the last eight of the key, of whatever life, newest first
    fields         jsonb            NOT NULL,
    PRIMARY KEY (name, key)
);

CREATE INDEX ON sessions.header (due) WHERE due IS NOT NULL;

-- One row for each other field that differs from its initial value: large ones, those that an index finds, and small
-- ones that found no room in the header. A row belongs to one life of the key: what another life left is never seen.
CREATE TABLE IF NOT EXISTS sessions.field (
    name        text COLLATE "C" NOT NULL,
    key         bytea            NOT NULL,
    incarnation bigint           NOT NULL,
    field       text COLLATE "C" NOT NULL,
    value       bytea            NOT NULL,
    term        text COLLATE "C", -- what an indexed value is found by
    PRIMARY KEY (name, key, incarnation, field)
);

CREATE INDEX ON sessions.field (name, field, term) WHERE term IS NOT NULL;

CREATE TABLE IF NOT EXISTS sessions.registration (
    name    text COLLATE "C" NOT NULL,
    version bigint           NOT NULL,
    id      bigint           NOT NULL,
    codec   text             NOT NULL,
    PRIMARY KEY (name, version)
);

CREATE TABLE IF NOT EXISTS sessions.registered_field (
    name      text COLLATE "C" NOT NULL,
    version   bigint           NOT NULL,
    field     text COLLATE "C" NOT NULL,
    position  bigint           NOT NULL,
    initial   bytea, -- none for a pinned field
    sensitive boolean          NOT NULL,
    PRIMARY KEY (name, version, field)
);

-- Room on each page for the next versions of its rows. A partitioned table has pages in its partitions only.
DO $body$
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = 'sessions.header'::regclass) = 'r' THEN
        ALTER TABLE sessions.header SET (fillfactor = 70);
    END IF;
    IF (SELECT relkind FROM pg_class WHERE oid = 'sessions.field'::regclass) = 'r' THEN
        ALTER TABLE sessions.field SET (fillfactor = 80);
    END IF;
END
$body$;

-- The clock itself, because now() is the time at which the transaction began: before it waited for a lock.
CREATE OR REPLACE FUNCTION sessions.clock(p_offset bigint) RETURNS bigint LANGUAGE sql VOLATILE AS $body$
    SELECT floor(date_part('epoch', clock_timestamp()) * 1000)::bigint + p_offset
$body$;

CREATE OR REPLACE FUNCTION sessions.plus(a bigint, b bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $body$
    SELECT CASE
        WHEN b > 0 AND a > 9223372036854775807 - b THEN 9223372036854775807
        ELSE a + b
    END
$body$;

CREATE OR REPLACE FUNCTION sessions.expires_at(
    p_created_at bigint, p_fixed_end bigint, p_sliding bigint, p_now bigint, p_inactivity bigint, p_creation bigint
) RETURNS bigint LANGUAGE sql IMMUTABLE AS $body$
    SELECT coalesce(p_fixed_end,
        least(sessions.plus(p_now, coalesce(p_sliding, p_inactivity)), sessions.plus(p_created_at, p_creation)))
$body$;

CREATE OR REPLACE FUNCTION sessions.retained_until(
    p_state smallint, p_expires_at bigint, p_now bigint, p_retention bigint
) RETURNS bigint LANGUAGE sql IMMUTABLE AS $body$
    SELECT sessions.plus(CASE WHEN p_state = 0 THEN p_expires_at ELSE p_now END, p_retention)
$body$;

CREATE OR REPLACE FUNCTION sessions.live(h sessions.header, p_now bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS $body$
    SELECT h.state IN (0, 1) AND (h.expires_at IS NULL OR h.expires_at > p_now)
$body$;

-- The first column that holds what this store never writes.
CREATE OR REPLACE FUNCTION sessions.malformed(h sessions.header) RETURNS text LANGUAGE sql IMMUTABLE AS $body$
    SELECT CASE
        WHEN h.incarnation IS NULL THEN NULL
        WHEN h.state NOT BETWEEN 0 AND 3 THEN 'state'
        WHEN h.revision < 1 THEN 'revision'
        WHEN h.version NOT BETWEEN 0 AND 4294967295 THEN 'version'
        WHEN array_ndims(h.commits) IS DISTINCT FROM 1 OR array_lower(h.commits, 1) <> 1
            OR array_length(h.commits, 1) > 8 OR array_position(h.commits, NULL) IS NOT NULL THEN 'commits'
        WHEN jsonb_typeof(h.fields) <> 'object' THEN 'fields'
    END
$body$;

-- Locks a key's header and reads it; all nulls if there is none.
CREATE OR REPLACE FUNCTION sessions.lock_header(p_name text, p_key bytea) RETURNS sessions.header
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    h sessions.header;
    wrong text;
BEGIN
    SELECT t.* INTO h FROM sessions.header t WHERE t.name = p_name AND t.key = p_key FOR UPDATE;
    wrong := sessions.malformed(h);
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'the header of a session is not as the session store writes it'
            USING ERRCODE = 'SSC01', COLUMN = wrong;
    END IF;
    RETURN h;
END
$body$;

-- The rule: what is to be done about a commit where the key holds h (all nulls if nothing). A base of absence has no
-- p_incarnation. p_writes is the life that a commit creates if it only writes: what ended a former life of the key is
-- answered as it was, and a change of one is not.
CREATE OR REPLACE FUNCTION sessions.decide(
    h sessions.header, p_id bigint, p_incarnation bigint, p_revision bigint, p_last_commit bigint, p_saw bigint,
    p_valid_until bigint, p_writes bigint, p_destroy boolean, p_now bigint
) RETURNS text LANGUAGE sql IMMUTABLE AS $body$
    SELECT CASE
        WHEN p_id = ANY (h.commits) AND (p_writes IS NULL OR h.incarnation = coalesce(p_incarnation, p_writes))
            THEN 'repeated'
        WHEN p_incarnation IS NOT NULL THEN CASE
            WHEN h.incarnation IS NULL THEN 'absent'
            WHEN h.incarnation <> p_incarnation THEN 'replaced'
            WHEN h.state = 2 THEN 'destroyed'
            WHEN h.state = 3 THEN 'renewed'
            WHEN NOT sessions.live(h, p_now) THEN 'expired'
            WHEN p_destroy OR (h.revision = p_revision AND h.commits[1] = p_last_commit) THEN 'apply'
            ELSE 'conflict'
        END
        WHEN h.incarnation IS NOT NULL AND (sessions.live(h, p_now) OR h.incarnation IS DISTINCT FROM p_saw) THEN CASE
            WHEN p_valid_until <= h.created_at THEN 'expired'
            WHEN h.origin IS DISTINCT FROM p_saw THEN 'replaced'
            WHEN h.state = 2 THEN 'destroyed'
            WHEN h.state = 3 THEN 'renewed'
            WHEN NOT sessions.live(h, p_now) THEN 'expired'
            ELSE 'conflict'
        END
        WHEN p_valid_until <= p_now THEN 'expired'
        WHEN p_destroy THEN 'nothing'
        ELSE 'apply'
    END
$body$;

-- Whether the registration that a commit names is there. A record that was set aside has the name of its session and an
-- ending.
CREATE OR REPLACE FUNCTION sessions.is_registered(p_name text, p_version bigint, p_registration bigint) RETURNS boolean
LANGUAGE sql STABLE AS $body$
    SELECT EXISTS (
        SELECT FROM sessions.registration r
        WHERE r.name = split_part(p_name, '#', 1) AND r.version = p_version AND r.id = p_registration
    )
$body$;

-- The fields of one life of a key that have rows: the name of each, and its value behind it. In a statement that reads a
-- header, a function takes time only where there are rows, and a join always.
CREATE OR REPLACE FUNCTION sessions.rows_of(p_name text, p_key bytea, p_incarnation bigint) RETURNS bytea[]
LANGUAGE plpgsql STABLE AS $body$
BEGIN
    RETURN (
        SELECT array_agg(x.part)
        FROM sessions.field f, LATERAL (VALUES (convert_to(f.field, 'UTF8')), (f.value)) AS x (part)
        WHERE f.name = p_name AND f.key = p_key AND f.incarnation = p_incarnation
    );
END
$body$;

-- Whether one of these fields has a row.
CREATE OR REPLACE FUNCTION sessions.have_rows(p_name text, p_key bytea, p_incarnation bigint, p_fields text[])
RETURNS boolean LANGUAGE plpgsql STABLE AS $body$
BEGIN
    RETURN EXISTS (
        SELECT FROM sessions.field f
        WHERE f.name = p_name AND f.key = p_key AND f.incarnation = p_incarnation AND f.field = ANY (p_fields)
    );
END
$body$;

-- Gives fields rows, or changes those that they have: small ones, and others, of which those in p_indexed are found by
-- the terms in p_terms.
CREATE OR REPLACE FUNCTION sessions.put_rows(
    p_name text, p_key bytea, p_incarnation bigint, p_small jsonb, p_set text[], p_values bytea[],
    p_indexed text[], p_terms text[]
) RETURNS void LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
    IF cardinality(p_set) > 0 THEN
        INSERT INTO sessions.field AS f (name, key, incarnation, field, value, term)
        SELECT p_name, p_key, p_incarnation, s.field, s.value, p_terms[array_position(p_indexed, s.field)]
        FROM unnest(p_set, p_values) AS s (field, value)
        ON CONFLICT (name, key, incarnation, field) DO UPDATE SET value = excluded.value, term = excluded.term;
    END IF;
    IF p_small <> '{}' THEN
        INSERT INTO sessions.field AS f (name, key, incarnation, field, value, term)
        SELECT p_name, p_key, p_incarnation, s.key,
            CASE WHEN starts_with(s.value, '#') THEN decode(substr(s.value, 2), 'hex') ELSE convert_to(s.value, 'UTF8') END,
            NULL
        FROM jsonb_each_text(p_small) s
        ON CONFLICT (name, key, incarnation, field) DO UPDATE SET value = excluded.value, term = excluded.term;
    END IF;
END
$body$;

-- Whether a header can keep these fields: so that what a commit logs stays small.
CREATE OR REPLACE FUNCTION sessions.fit(p_fields jsonb) RETURNS boolean LANGUAGE sql STABLE AS $body$
    SELECT pg_column_size(p_fields) <= 256
$body$;

-- The header h with the fields that it keeps after some were set and unset, all others gone if p_clear. p_gone are those
-- that are unset or get rows. p_small, with the names p_small_names, are kept here if there is room for all of them and
-- none has a row.
CREATE OR REPLACE FUNCTION sessions.keep_small(
    h sessions.header, p_clear boolean, p_gone text[], p_small jsonb, p_small_names text[]
) RETURNS sessions.header LANGUAGE plpgsql STABLE AS $body$
BEGIN
    IF p_clear THEN
        h.fields := '{}';
        h.has_rows := false;
    ELSE
        h.fields := h.fields - p_gone;
    END IF;
    IF sessions.fit(h.fields || p_small)
        AND (NOT h.has_rows OR h.fields ?& p_small_names
            OR NOT sessions.have_rows(h.name, h.key, h.incarnation, p_small_names))
    THEN
        h.fields := h.fields || p_small;
    ELSE
        h.fields := h.fields - p_small_names;
    END IF;
    RETURN h;
END
$body$;

-- Changes the rows of one life of a key whose header is locked, and tells whether any is left. p_clear drops those of
-- every life first; p_had says whether there are any.
CREATE OR REPLACE FUNCTION sessions.change_rows(
    p_name text, p_key bytea, p_incarnation bigint, p_had boolean, p_clear boolean, p_unset text[],
    p_small jsonb, p_set text[], p_values bytea[], p_indexed text[], p_terms text[]
) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
    IF p_clear THEN
        DELETE FROM sessions.field f WHERE f.name = p_name AND f.key = p_key;
    ELSIF p_had THEN
        DELETE FROM sessions.field f
        WHERE f.name = p_name AND f.key = p_key AND f.incarnation = p_incarnation AND f.field = ANY (p_unset);
    END IF;
    IF p_small <> '{}' OR cardinality(p_set) > 0 THEN
        PERFORM sessions.put_rows(p_name, p_key, p_incarnation, p_small, p_set, p_values, p_indexed, p_terms);
        RETURN true;
    END IF;
    RETURN p_had AND NOT p_clear AND EXISTS (
        SELECT FROM sessions.field f WHERE f.name = p_name AND f.key = p_key AND f.incarnation = p_incarnation
    );
END
$body$;

-- The header of the commit's key after it was applied to h, with the state p_state.
CREATE OR REPLACE FUNCTION sessions.next(
    h sessions.header, p_name text, p_key bytea, p_state smallint, p_id bigint, p_saw bigint, p_creates bigint,
    p_version bigint, p_registration bigint, p_inactivity bigint, p_creation bigint, p_retention bigint,
    p_changes_end boolean, p_fixed_end bigint, p_sliding bigint, p_now bigint
) RETURNS sessions.header LANGUAGE plpgsql IMMUTABLE AS $body$
DECLARE
    n sessions.header := h;
BEGIN
    n.commits := (p_id || h.commits)[1:8];
    IF sessions.live(h, p_now) THEN
        n.revision := sessions.plus(h.revision, 1);
        n.retention := greatest(h.retention, p_retention);
    ELSE
        n.name := p_name;
        n.key := p_key;
        n.incarnation := p_creates;
        n.origin := p_saw;
        n.created_at := p_now;
        n.fixed_end := NULL;
        n.sliding := NULL;
        n.revision := 1;
        n.retention := p_retention;
    END IF;
    n.state := p_state;
    IF p_state <> 2 THEN -- A destroyed header keeps what it says about the record that it ended.
        IF p_changes_end THEN
            n.fixed_end := p_fixed_end;
            n.sliding := p_sliding;
        END IF;
        n.version := p_version;
        n.registration := p_registration;
        n.expires_at := sessions.expires_at(n.created_at, n.fixed_end, n.sliding, p_now, p_inactivity, p_creation);
    END IF;
    n.retained_until := sessions.retained_until(p_state, n.expires_at, p_now, n.retention);
    n.due := least(h.due, n.retained_until);
    RETURN n;
END
$body$;

-- Stores a header in place of the one that is locked.
CREATE OR REPLACE FUNCTION sessions.put_header(n sessions.header) RETURNS void LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
    UPDATE sessions.header t
    SET incarnation = n.incarnation, origin = n.origin, created_at = n.created_at, version = n.version,
        registration = n.registration, fixed_end = n.fixed_end, sliding = n.sliding, retention = n.retention, due = n.due, state = n.state,
        revision = n.revision, expires_at = n.expires_at, retained_until = n.retained_until, commits = n.commits,
        has_rows = n.has_rows, fields = n.fields
    WHERE t.name = n.name AND t.key = n.key;
END
$body$;

-- Reads a session without a lock, header and fields of one moment, and moves its expiry if that is due.
CREATE OR REPLACE FUNCTION sessions.touch(
    p_name text, p_key bytea, p_inactivity bigint, p_creation bigint, p_touch_after bigint, p_offset bigint,
    OUT now bigint, OUT touched boolean, OUT header sessions.header, OUT field_rows bytea[]
) LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    r record;
    wrong text;
    expires bigint;
BEGIN
    touched := false;
    LOOP
        now := sessions.clock(p_offset);
        SELECT t AS header, CASE WHEN t.has_rows THEN sessions.rows_of(t.name, t.key, t.incarnation) END AS field_rows
        INTO r
        FROM sessions.header t
        WHERE t.name = p_name AND t.key = p_key;
        IF NOT FOUND THEN
            RETURN;
        END IF;
        header := r.header;
        wrong := sessions.malformed(header);
        IF wrong IS NOT NULL THEN
            RAISE EXCEPTION 'the header of a session is not as the session store writes it'
                USING ERRCODE = 'SSC01', COLUMN = wrong;
        END IF;
        IF NOT sessions.live(header, now) THEN
            RETURN;
        END IF;
        field_rows := r.field_rows;
        expires := sessions.expires_at(header.created_at, header.fixed_end, header.sliding, now, p_inactivity, p_creation);
        IF header.expires_at IS NULL OR expires - header.expires_at < p_touch_after THEN
            RETURN;
        END IF;
        -- Only what was read is touched; when a commit or another load came in between, it is read again. An end that
        -- moves away needs no sooner look.
        UPDATE sessions.header t
        SET expires_at = expires, retained_until = sessions.retained_until(t.state, expires, now, t.retention)
        WHERE t.name = p_name AND t.key = p_key AND t.commits = header.commits AND t.expires_at = header.expires_at;
        IF FOUND THEN
            touched := true;
            header.expires_at := expires;
            RETURN;
        END IF;
    END LOOP;
END
$body$;

-- Ends a commit of the common kind that is none: the whole rule is to judge it.
CREATE OR REPLACE FUNCTION sessions.leave_to_rule() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
    RAISE EXCEPTION 'a commit is not of the common kind' USING ERRCODE = 'SSR02';
END
$body$;

-- Applies a write or a removal if its base is current, and else answers with what is there. A removal creates no life
-- and changes no field.
CREATE OR REPLACE FUNCTION sessions.commit(
    p_name text, p_key bytea, p_id bigint, p_incarnation bigint, p_revision bigint, p_last_commit bigint,
    p_saw bigint, p_valid_until bigint, p_small jsonb, p_small_names text[], p_set text[], p_values bytea[],
    p_indexed text[], p_terms text[], p_unset text[], p_replace boolean,
    p_creates bigint, p_version bigint, p_registration bigint, p_keep_empty boolean, p_inactivity bigint,
    p_creation bigint, p_retention bigint, p_changes_end boolean, p_fixed_end bigint, p_sliding bigint, p_offset bigint, p_destroy boolean,
    OUT answer text, OUT was_stored boolean, OUT now bigint, OUT header sessions.header, OUT field_rows bytea[]
) LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    h sessions.header; -- what the key holds
    c sessions.header; -- that with the fields of the commit
    n sessions.header; -- what the key is left with
    outside jsonb; -- small fields that get rows
    is_live boolean;
    clears boolean;
BEGIN
    LOOP
        h := sessions.lock_header(p_name, p_key);
        now := sessions.clock(p_offset);
        answer := sessions.decide(
            h, p_id, p_incarnation, p_revision, p_last_commit, p_saw, p_valid_until, p_creates, p_destroy, now);
        IF answer = 'apply' AND NOT p_destroy AND NOT sessions.is_registered(p_name, p_version, p_registration) THEN
            answer := 'unregistered';
        END IF;
        IF answer <> 'apply' THEN
            header := h;
            IF answer = 'conflict' THEN
                field_rows := sessions.rows_of(p_name, p_key, h.incarnation);
            END IF;
            RETURN;
        END IF;

        is_live := coalesce(sessions.live(h, now), false);
        was_stored := is_live AND h.state = 0;
        clears := p_replace OR p_destroy OR NOT is_live;
        c := sessions.keep_small(h, clears, p_unset || p_set, p_small, p_small_names);
        outside := CASE WHEN c.fields ?& p_small_names THEN '{}' ELSE p_small END;
        IF h.incarnation IS NULL THEN
            c.has_rows := outside <> '{}' OR cardinality(p_set) > 0;
        ELSE
            c.has_rows := sessions.change_rows(
                p_name, p_key, CASE WHEN is_live THEN h.incarnation ELSE p_creates END, h.has_rows, clears, p_unset,
                outside, p_set, p_values, p_indexed, p_terms);
        END IF;
        n := sessions.next(
            c, p_name, p_key,
            CASE WHEN p_destroy THEN 2 WHEN c.fields = '{}' AND NOT c.has_rows AND NOT p_keep_empty THEN 1 ELSE 0 END::smallint,
            p_id, p_saw, p_creates, p_version, p_registration, p_inactivity, p_creation, p_retention,
            p_changes_end, p_fixed_end, p_sliding, now);
        IF h.incarnation IS NOT NULL THEN
            PERFORM sessions.put_header(n);
        ELSE
            INSERT INTO sessions.header SELECT n.* ON CONFLICT DO NOTHING;
            IF NOT FOUND THEN
                CONTINUE; -- Another commit created it first, and the loser is told nothing about it: look again.
            END IF;
            PERFORM sessions.put_rows(p_name, p_key, n.incarnation, outside, p_set, p_values, p_indexed, p_terms);
        END IF;
        header := n;
        RETURN;
    END LOOP;
END
$body$;

-- Applies a change and moves the session to a free key in one step. Headers are locked, and missing ones inserted, in
-- the order of their keys and before anything else is changed, so two renewals never wait for each other.
CREATE OR REPLACE FUNCTION sessions.renew(
    p_name text, p_key bytea, p_id bigint, p_incarnation bigint, p_revision bigint, p_last_commit bigint,
    p_saw bigint, p_valid_until bigint, p_small jsonb, p_small_names text[], p_set text[], p_values bytea[],
    p_indexed text[], p_terms text[], p_unset text[], p_replace boolean,
    p_creates bigint, p_version bigint, p_registration bigint, p_keep_empty boolean, p_inactivity bigint,
    p_creation bigint, p_retention bigint, p_changes_end boolean, p_fixed_end bigint, p_sliding bigint, p_offset bigint,
    p_to_name text, p_to_key bytea,
    OUT answer text, OUT was_stored boolean, OUT now bigint, OUT header sessions.header, OUT field_rows bytea[]
) LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    own_first boolean := (p_name COLLATE "C", p_key) <= (p_to_name COLLATE "C", p_to_key);
    same boolean := p_name = p_to_name AND p_key = p_to_key;
    h sessions.header; -- what the key holds
    t sessions.header; -- what the new key holds
    c sessions.header; -- what the key holds, with the fields of the commit
    n sessions.header; -- what the key is left with
    m sessions.header; -- what the new key gets
    outside jsonb; -- small fields that get rows
    is_live boolean;
    clears boolean;
BEGIN
    LOOP
        BEGIN
            IF own_first THEN
                h := sessions.lock_header(p_name, p_key);
                t := sessions.lock_header(p_to_name, p_to_key);
            ELSE
                t := sessions.lock_header(p_to_name, p_to_key);
                h := sessions.lock_header(p_name, p_key);
            END IF;
            now := sessions.clock(p_offset);
            answer := sessions.decide(
                h, p_id, p_incarnation, p_revision, p_last_commit, p_saw, p_valid_until, NULL, false, now);
            IF answer = 'apply' AND NOT sessions.is_registered(p_name, p_version, p_registration) THEN
                answer := 'unregistered';
            ELSIF answer = 'apply' AND t.state = 0 AND sessions.live(t, now) THEN
                answer := 'occupied';
            END IF;
            IF answer <> 'apply' THEN
                header := h;
                IF answer = 'conflict' THEN
                    field_rows := sessions.rows_of(p_name, p_key, h.incarnation);
                END IF;
                RETURN;
            END IF;

            is_live := coalesce(sessions.live(h, now), false);
            was_stored := is_live AND h.state = 0;
            clears := p_replace OR NOT is_live;
            c := sessions.keep_small(h, clears, p_unset || p_set, p_small, p_small_names);
            outside := CASE WHEN c.fields ?& p_small_names THEN '{}' ELSE p_small END || (
                -- What an index finds from now on.
                SELECT coalesce(jsonb_object_agg(s.key, s.value), '{}') FROM jsonb_each(c.fields) s
                WHERE s.key = ANY (p_indexed)
            );
            n := sessions.next(
                c, p_name, p_key, 3::smallint, p_id, p_saw, p_creates, p_version, p_registration, p_inactivity,
                p_creation, p_retention, p_changes_end, p_fixed_end, p_sliding, now);
            m := n;
            m.fields := n.fields - p_indexed;
            n.fields := '{}';
            n.has_rows := false;
            m.name := p_to_name;
            m.key := p_to_key;
            m.incarnation := p_creates;
            m.origin := p_creates; -- a life that nobody saw
            m.revision := 1;
            m.commits := (p_id || t.commits)[1:8];
            FOR place IN 1..2 LOOP
                IF h.incarnation IS NULL AND own_first = (place = 1) THEN
                    INSERT INTO sessions.header SELECT n.* ON CONFLICT DO NOTHING;
                ELSIF t.incarnation IS NULL AND NOT same AND own_first = (place = 2) THEN
                    INSERT INTO sessions.header SELECT m.* ON CONFLICT DO NOTHING;
                ELSE
                    CONTINUE;
                END IF;
                IF NOT FOUND THEN
                    RAISE EXCEPTION USING ERRCODE = 'SSR01';
                END IF;
            END LOOP;

            DELETE FROM sessions.field f WHERE f.name = p_to_name AND f.key = p_to_key;
            m.has_rows := sessions.change_rows(
                p_name, p_key, CASE WHEN same THEN p_creates ELSE n.incarnation END, coalesce(h.has_rows, false), clears,
                p_unset, outside, p_set, p_values, p_indexed, p_terms);
            IF m.has_rows AND NOT same THEN
                -- Not an update of the key, which fails for those who wait when it moves a row between partitions.
                INSERT INTO sessions.field (name, key, incarnation, field, value, term)
                SELECT p_to_name, p_to_key, p_creates, f.field, f.value,
                    coalesce(p_terms[array_position(p_indexed, f.field)], f.term)
                FROM sessions.field f
                WHERE f.name = p_name AND f.key = p_key AND f.incarnation = n.incarnation;
                DELETE FROM sessions.field f WHERE f.name = p_name AND f.key = p_key;
            END IF;
            m.state := CASE WHEN m.fields = '{}' AND NOT m.has_rows AND NOT p_keep_empty THEN 1 ELSE 0 END;
            m.retained_until := sessions.retained_until(m.state, m.expires_at, now, m.retention);
            m.due := least(t.due, m.retained_until);
            PERFORM sessions.put_header(n);
            PERFORM sessions.put_header(m);
            header := m;
            RETURN;
        EXCEPTION WHEN SQLSTATE 'SSR01' THEN
            -- Another commit created one of the keys first; the locks taken so far are released, and all is read again.
            NULL;
        END;
    END LOOP;
END
$body$;

-- Registers initial values; what is registered already stays as it is.
CREATE OR REPLACE FUNCTION sessions.register(
    p_name text, p_version bigint, p_id bigint, p_codec text, p_fields text[], p_initials bytea[],
    p_sensitive boolean[]
) RETURNS void LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
    LOOP
        PERFORM FROM sessions.registration r WHERE r.name = p_name AND r.version = p_version FOR UPDATE;
        EXIT WHEN FOUND;
        INSERT INTO sessions.registration (name, version, id, codec)
        VALUES (p_name, p_version, p_id, p_codec) ON CONFLICT DO NOTHING;
    END LOOP;
    INSERT INTO sessions.registered_field (name, version, field, position, initial, sensitive)
    SELECT p_name, p_version, s.field, s.position + (
        SELECT coalesce(max(f.position), 0) FROM sessions.registered_field f
        WHERE f.name = p_name AND f.version = p_version
    ), s.initial, s.sensitive
    FROM unnest(p_fields, p_initials, p_sensitive) WITH ORDINALITY AS s (field, initial, sensitive, position)
    ON CONFLICT DO NOTHING;
END
$body$;

-- Removes a registration, and tells whether there was one.
CREATE OR REPLACE FUNCTION sessions.withdraw(p_name text, p_version bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
    PERFORM FROM sessions.registration r WHERE r.name = p_name AND r.version = p_version FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM sessions.registered_field f WHERE f.name = p_name AND f.version = p_version;
    DELETE FROM sessions.registration r WHERE r.name = p_name AND r.version = p_version;
    RETURN true;
END
$body$;

-- Looks at the keys whose time may be over, a batch at most, passing by those that are locked, and removes those whose
-- time is over.
CREATE OR REPLACE FUNCTION sessions.purge(
    p_batch bigint, p_offset bigint, OUT looked_at bigint, OUT removed bigint
) LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    p_now bigint := sessions.clock(p_offset);
    names text[];
    keys bytea[];
BEGIN
    SELECT array_agg(b.name), array_agg(b.key), count(*) INTO names, keys, looked_at
    FROM (
        SELECT t.name, t.key FROM sessions.header t
        WHERE t.due <= p_now ORDER BY t.due LIMIT p_batch FOR UPDATE SKIP LOCKED
    ) b;
    removed := 0;
    IF looked_at = 0 THEN
        RETURN;
    END IF;
    DELETE FROM sessions.field f
    USING sessions.header t, unnest(names, keys) AS b (name, key)
    WHERE t.name = b.name AND t.key = b.key AND t.retained_until <= p_now AND f.name = b.name AND f.key = b.key;
    DELETE FROM sessions.header t
    USING unnest(names, keys) AS b (name, key)
    WHERE t.name = b.name AND t.key = b.key AND t.retained_until <= p_now;
    GET DIAGNOSTICS removed = ROW_COUNT;
    UPDATE sessions.header t SET due = t.retained_until
    FROM unnest(names, keys) AS b (name, key)
    WHERE t.name = b.name AND t.key = b.key;
END
$body$;

CREATE TABLE sessions.schema_version (version integer NOT NULL);
INSERT INTO sessions.schema_version VALUES (1);
