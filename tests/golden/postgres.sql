-- What a build stored, for later ones to read. Written by scripts/golden.
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
CREATE TABLE IF NOT EXISTS "golden".header (
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

CREATE INDEX ON "golden".header (due) WHERE due IS NOT NULL;

-- One row for each other field that differs from its initial value: large ones, those that an index finds, and small
-- ones that found no room in the header. A row belongs to one life of the key: what another life left is never seen.
CREATE TABLE IF NOT EXISTS "golden".field (
    name        text COLLATE "C" NOT NULL,
    key         bytea            NOT NULL,
    incarnation bigint           NOT NULL,
    field       text COLLATE "C" NOT NULL,
    value       bytea            NOT NULL,
    term        text COLLATE "C", -- what an indexed value is found by
    PRIMARY KEY (name, key, incarnation, field)
);

CREATE INDEX ON "golden".field (name, field, term) WHERE term IS NOT NULL;

CREATE TABLE IF NOT EXISTS "golden".registration (
    name    text COLLATE "C" NOT NULL,
    version bigint           NOT NULL,
    id      bigint           NOT NULL,
    codec   text             NOT NULL,
    PRIMARY KEY (name, version)
);

CREATE TABLE IF NOT EXISTS "golden".registered_field (
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
    IF (SELECT relkind FROM pg_class WHERE oid = '"golden".header'::regclass) = 'r' THEN
        ALTER TABLE "golden".header SET (fillfactor = 70);
    END IF;
    IF (SELECT relkind FROM pg_class WHERE oid = '"golden".field'::regclass) = 'r' THEN
        ALTER TABLE "golden".field SET (fillfactor = 80);
    END IF;
END
$body$;

-- The clock itself, because now() is the time at which the transaction began: before it waited for a lock.
CREATE OR REPLACE FUNCTION "golden".clock(p_offset bigint) RETURNS bigint LANGUAGE sql VOLATILE AS $body$
    SELECT floor(date_part('epoch', clock_timestamp()) * 1000)::bigint + p_offset
$body$;

CREATE OR REPLACE FUNCTION "golden".plus(a bigint, b bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $body$
    SELECT CASE
        WHEN b > 0 AND a > 9223372036854775807 - b THEN 9223372036854775807
        ELSE a + b
    END
$body$;

CREATE OR REPLACE FUNCTION "golden".expires_at(
    p_created_at bigint, p_fixed_end bigint, p_sliding bigint, p_now bigint, p_inactivity bigint, p_creation bigint
) RETURNS bigint LANGUAGE sql IMMUTABLE AS $body$
    SELECT coalesce(p_fixed_end,
        least("golden".plus(p_now, coalesce(p_sliding, p_inactivity)), "golden".plus(p_created_at, p_creation)))
$body$;

CREATE OR REPLACE FUNCTION "golden".retained_until(
    p_state smallint, p_expires_at bigint, p_now bigint, p_retention bigint
) RETURNS bigint LANGUAGE sql IMMUTABLE AS $body$
    SELECT "golden".plus(CASE WHEN p_state = 0 THEN p_expires_at ELSE p_now END, p_retention)
$body$;

CREATE OR REPLACE FUNCTION "golden".live(h "golden".header, p_now bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS $body$
    SELECT h.state IN (0, 1) AND (h.expires_at IS NULL OR h.expires_at > p_now)
$body$;

-- The first column that holds what this store never writes.
CREATE OR REPLACE FUNCTION "golden".malformed(h "golden".header) RETURNS text LANGUAGE sql IMMUTABLE AS $body$
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
CREATE OR REPLACE FUNCTION "golden".lock_header(p_name text, p_key bytea) RETURNS "golden".header
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    h "golden".header;
    wrong text;
BEGIN
    SELECT t.* INTO h FROM "golden".header t WHERE t.name = p_name AND t.key = p_key FOR UPDATE;
    wrong := "golden".malformed(h);
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
CREATE OR REPLACE FUNCTION "golden".decide(
    h "golden".header, p_id bigint, p_incarnation bigint, p_revision bigint, p_last_commit bigint, p_saw bigint,
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
            WHEN NOT "golden".live(h, p_now) THEN 'expired'
            WHEN p_destroy OR (h.revision = p_revision AND h.commits[1] = p_last_commit) THEN 'apply'
            ELSE 'conflict'
        END
        WHEN h.incarnation IS NOT NULL AND ("golden".live(h, p_now) OR h.incarnation IS DISTINCT FROM p_saw) THEN CASE
            WHEN p_valid_until <= h.created_at THEN 'expired'
            WHEN h.origin IS DISTINCT FROM p_saw THEN 'replaced'
            WHEN h.state = 2 THEN 'destroyed'
            WHEN h.state = 3 THEN 'renewed'
            WHEN NOT "golden".live(h, p_now) THEN 'expired'
            ELSE 'conflict'
        END
        WHEN p_valid_until <= p_now THEN 'expired'
        WHEN p_destroy THEN 'nothing'
        ELSE 'apply'
    END
$body$;

-- Whether the registration that a commit names is there. A record that was set aside has the name of its session and an
-- ending.
CREATE OR REPLACE FUNCTION "golden".is_registered(p_name text, p_version bigint, p_registration bigint) RETURNS boolean
LANGUAGE sql STABLE AS $body$
    SELECT EXISTS (
        SELECT FROM "golden".registration r
        WHERE r.name = split_part(p_name, '#', 1) AND r.version = p_version AND r.id = p_registration
    )
$body$;

-- The fields of one life of a key that have rows: the name of each, and its value behind it. In a statement that reads a
-- header, a function takes time only where there are rows, and a join always.
CREATE OR REPLACE FUNCTION "golden".rows_of(p_name text, p_key bytea, p_incarnation bigint) RETURNS bytea[]
LANGUAGE plpgsql STABLE AS $body$
BEGIN
    RETURN (
        SELECT array_agg(x.part)
        FROM "golden".field f, LATERAL (VALUES (convert_to(f.field, 'UTF8')), (f.value)) AS x (part)
        WHERE f.name = p_name AND f.key = p_key AND f.incarnation = p_incarnation
    );
END
$body$;

-- Whether one of these fields has a row.
CREATE OR REPLACE FUNCTION "golden".have_rows(p_name text, p_key bytea, p_incarnation bigint, p_fields text[])
RETURNS boolean LANGUAGE plpgsql STABLE AS $body$
BEGIN
    RETURN EXISTS (
        SELECT FROM "golden".field f
        WHERE f.name = p_name AND f.key = p_key AND f.incarnation = p_incarnation AND f.field = ANY (p_fields)
    );
END
$body$;

-- Gives fields rows, or changes those that they have: small ones, and others, of which those in p_indexed are found by
-- the terms in p_terms.
CREATE OR REPLACE FUNCTION "golden".put_rows(
    p_name text, p_key bytea, p_incarnation bigint, p_small jsonb, p_set text[], p_values bytea[],
    p_indexed text[], p_terms text[]
) RETURNS void LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
    IF cardinality(p_set) > 0 THEN
        INSERT INTO "golden".field AS f (name, key, incarnation, field, value, term)
        SELECT p_name, p_key, p_incarnation, s.field, s.value, p_terms[array_position(p_indexed, s.field)]
        FROM unnest(p_set, p_values) AS s (field, value)
        ON CONFLICT (name, key, incarnation, field) DO UPDATE SET value = excluded.value, term = excluded.term;
    END IF;
    IF p_small <> '{}' THEN
        INSERT INTO "golden".field AS f (name, key, incarnation, field, value, term)
        SELECT p_name, p_key, p_incarnation, s.key,
            CASE WHEN starts_with(s.value, '#') THEN decode(substr(s.value, 2), 'hex') ELSE convert_to(s.value, 'UTF8') END,
            NULL
        FROM jsonb_each_text(p_small) s
        ON CONFLICT (name, key, incarnation, field) DO UPDATE SET value = excluded.value, term = excluded.term;
    END IF;
END
$body$;

-- Whether a header can keep these fields: so that what a commit logs stays small.
CREATE OR REPLACE FUNCTION "golden".fit(p_fields jsonb) RETURNS boolean LANGUAGE sql STABLE AS $body$
    SELECT pg_column_size(p_fields) <= 256
$body$;

-- The header h with the fields that it keeps after some were set and unset, all others gone if p_clear. p_gone are those
-- that are unset or get rows. p_small, with the names p_small_names, are kept here if there is room for all of them and
-- none has a row.
CREATE OR REPLACE FUNCTION "golden".keep_small(
    h "golden".header, p_clear boolean, p_gone text[], p_small jsonb, p_small_names text[]
) RETURNS "golden".header LANGUAGE plpgsql STABLE AS $body$
BEGIN
    IF p_clear THEN
        h.fields := '{}';
        h.has_rows := false;
    ELSE
        h.fields := h.fields - p_gone;
    END IF;
    IF "golden".fit(h.fields || p_small)
        AND (NOT h.has_rows OR h.fields ?& p_small_names
            OR NOT "golden".have_rows(h.name, h.key, h.incarnation, p_small_names))
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
CREATE OR REPLACE FUNCTION "golden".change_rows(
    p_name text, p_key bytea, p_incarnation bigint, p_had boolean, p_clear boolean, p_unset text[],
    p_small jsonb, p_set text[], p_values bytea[], p_indexed text[], p_terms text[]
) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
    IF p_clear THEN
        DELETE FROM "golden".field f WHERE f.name = p_name AND f.key = p_key;
    ELSIF p_had THEN
        DELETE FROM "golden".field f
        WHERE f.name = p_name AND f.key = p_key AND f.incarnation = p_incarnation AND f.field = ANY (p_unset);
    END IF;
    IF p_small <> '{}' OR cardinality(p_set) > 0 THEN
        PERFORM "golden".put_rows(p_name, p_key, p_incarnation, p_small, p_set, p_values, p_indexed, p_terms);
        RETURN true;
    END IF;
    RETURN p_had AND NOT p_clear AND EXISTS (
        SELECT FROM "golden".field f WHERE f.name = p_name AND f.key = p_key AND f.incarnation = p_incarnation
    );
END
$body$;

-- The header of the commit's key after it was applied to h, with the state p_state.
CREATE OR REPLACE FUNCTION "golden".next(
    h "golden".header, p_name text, p_key bytea, p_state smallint, p_id bigint, p_saw bigint, p_creates bigint,
    p_version bigint, p_registration bigint, p_inactivity bigint, p_creation bigint, p_retention bigint,
    p_changes_end boolean, p_fixed_end bigint, p_sliding bigint, p_now bigint
) RETURNS "golden".header LANGUAGE plpgsql IMMUTABLE AS $body$
DECLARE
    n "golden".header := h;
BEGIN
    n.commits := (p_id || h.commits)[1:8];
    IF "golden".live(h, p_now) THEN
        n.revision := "golden".plus(h.revision, 1);
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
        n.expires_at := "golden".expires_at(n.created_at, n.fixed_end, n.sliding, p_now, p_inactivity, p_creation);
    END IF;
    n.retained_until := "golden".retained_until(p_state, n.expires_at, p_now, n.retention);
    n.due := least(h.due, n.retained_until);
    RETURN n;
END
$body$;

-- Stores a header in place of the one that is locked.
CREATE OR REPLACE FUNCTION "golden".put_header(n "golden".header) RETURNS void LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
    UPDATE "golden".header t
    SET incarnation = n.incarnation, origin = n.origin, created_at = n.created_at, version = n.version,
        registration = n.registration, fixed_end = n.fixed_end, sliding = n.sliding, retention = n.retention, due = n.due, state = n.state,
        revision = n.revision, expires_at = n.expires_at, retained_until = n.retained_until, commits = n.commits,
        has_rows = n.has_rows, fields = n.fields
    WHERE t.name = n.name AND t.key = n.key;
END
$body$;

-- Reads a session without a lock, header and fields of one moment, and moves its expiry if that is due.
CREATE OR REPLACE FUNCTION "golden".touch(
    p_name text, p_key bytea, p_inactivity bigint, p_creation bigint, p_touch_after bigint, p_offset bigint,
    OUT now bigint, OUT touched boolean, OUT header "golden".header, OUT field_rows bytea[]
) LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    r record;
    wrong text;
    expires bigint;
BEGIN
    touched := false;
    LOOP
        now := "golden".clock(p_offset);
        SELECT t AS header, CASE WHEN t.has_rows THEN "golden".rows_of(t.name, t.key, t.incarnation) END AS field_rows
        INTO r
        FROM "golden".header t
        WHERE t.name = p_name AND t.key = p_key;
        IF NOT FOUND THEN
            RETURN;
        END IF;
        header := r.header;
        wrong := "golden".malformed(header);
        IF wrong IS NOT NULL THEN
            RAISE EXCEPTION 'the header of a session is not as the session store writes it'
                USING ERRCODE = 'SSC01', COLUMN = wrong;
        END IF;
        IF NOT "golden".live(header, now) THEN
            RETURN;
        END IF;
        field_rows := r.field_rows;
        expires := "golden".expires_at(header.created_at, header.fixed_end, header.sliding, now, p_inactivity, p_creation);
        IF header.expires_at IS NULL OR expires - header.expires_at < p_touch_after THEN
            RETURN;
        END IF;
        -- Only what was read is touched; when a commit or another load came in between, it is read again. An end that
        -- moves away needs no sooner look.
        UPDATE "golden".header t
        SET expires_at = expires, retained_until = "golden".retained_until(t.state, expires, now, t.retention)
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
CREATE OR REPLACE FUNCTION "golden".leave_to_rule() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
    RAISE EXCEPTION 'a commit is not of the common kind' USING ERRCODE = 'SSR02';
END
$body$;

-- Applies a write or a removal if its base is current, and else answers with what is there. A removal creates no life
-- and changes no field.
CREATE OR REPLACE FUNCTION "golden".commit(
    p_name text, p_key bytea, p_id bigint, p_incarnation bigint, p_revision bigint, p_last_commit bigint,
    p_saw bigint, p_valid_until bigint, p_small jsonb, p_small_names text[], p_set text[], p_values bytea[],
    p_indexed text[], p_terms text[], p_unset text[], p_replace boolean,
    p_creates bigint, p_version bigint, p_registration bigint, p_keep_empty boolean, p_inactivity bigint,
    p_creation bigint, p_retention bigint, p_changes_end boolean, p_fixed_end bigint, p_sliding bigint, p_offset bigint, p_destroy boolean,
    OUT answer text, OUT was_stored boolean, OUT now bigint, OUT header "golden".header, OUT field_rows bytea[]
) LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    h "golden".header; -- what the key holds
    c "golden".header; -- that with the fields of the commit
    n "golden".header; -- what the key is left with
    outside jsonb; -- small fields that get rows
    is_live boolean;
    clears boolean;
BEGIN
    LOOP
        h := "golden".lock_header(p_name, p_key);
        now := "golden".clock(p_offset);
        answer := "golden".decide(
            h, p_id, p_incarnation, p_revision, p_last_commit, p_saw, p_valid_until, p_creates, p_destroy, now);
        IF answer = 'apply' AND NOT p_destroy AND NOT "golden".is_registered(p_name, p_version, p_registration) THEN
            answer := 'unregistered';
        END IF;
        IF answer <> 'apply' THEN
            header := h;
            IF answer = 'conflict' THEN
                field_rows := "golden".rows_of(p_name, p_key, h.incarnation);
            END IF;
            RETURN;
        END IF;

        is_live := coalesce("golden".live(h, now), false);
        was_stored := is_live AND h.state = 0;
        clears := p_replace OR p_destroy OR NOT is_live;
        c := "golden".keep_small(h, clears, p_unset || p_set, p_small, p_small_names);
        outside := CASE WHEN c.fields ?& p_small_names THEN '{}' ELSE p_small END;
        IF h.incarnation IS NULL THEN
            c.has_rows := outside <> '{}' OR cardinality(p_set) > 0;
        ELSE
            c.has_rows := "golden".change_rows(
                p_name, p_key, CASE WHEN is_live THEN h.incarnation ELSE p_creates END, h.has_rows, clears, p_unset,
                outside, p_set, p_values, p_indexed, p_terms);
        END IF;
        n := "golden".next(
            c, p_name, p_key,
            CASE WHEN p_destroy THEN 2 WHEN c.fields = '{}' AND NOT c.has_rows AND NOT p_keep_empty THEN 1 ELSE 0 END::smallint,
            p_id, p_saw, p_creates, p_version, p_registration, p_inactivity, p_creation, p_retention,
            p_changes_end, p_fixed_end, p_sliding, now);
        IF h.incarnation IS NOT NULL THEN
            PERFORM "golden".put_header(n);
        ELSE
            INSERT INTO "golden".header SELECT n.* ON CONFLICT DO NOTHING;
            IF NOT FOUND THEN
                CONTINUE; -- Another commit created it first, and the loser is told nothing about it: look again.
            END IF;
            PERFORM "golden".put_rows(p_name, p_key, n.incarnation, outside, p_set, p_values, p_indexed, p_terms);
        END IF;
        header := n;
        RETURN;
    END LOOP;
END
$body$;

-- Applies a change and moves the session to a free key in one step. Headers are locked, and missing ones inserted, in
-- the order of their keys and before anything else is changed, so two renewals never wait for each other.
CREATE OR REPLACE FUNCTION "golden".renew(
    p_name text, p_key bytea, p_id bigint, p_incarnation bigint, p_revision bigint, p_last_commit bigint,
    p_saw bigint, p_valid_until bigint, p_small jsonb, p_small_names text[], p_set text[], p_values bytea[],
    p_indexed text[], p_terms text[], p_unset text[], p_replace boolean,
    p_creates bigint, p_version bigint, p_registration bigint, p_keep_empty boolean, p_inactivity bigint,
    p_creation bigint, p_retention bigint, p_changes_end boolean, p_fixed_end bigint, p_sliding bigint, p_offset bigint,
    p_to_name text, p_to_key bytea,
    OUT answer text, OUT was_stored boolean, OUT now bigint, OUT header "golden".header, OUT field_rows bytea[]
) LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    own_first boolean := (p_name COLLATE "C", p_key) <= (p_to_name COLLATE "C", p_to_key);
    same boolean := p_name = p_to_name AND p_key = p_to_key;
    h "golden".header; -- what the key holds
    t "golden".header; -- what the new key holds
    c "golden".header; -- what the key holds, with the fields of the commit
    n "golden".header; -- what the key is left with
    m "golden".header; -- what the new key gets
    outside jsonb; -- small fields that get rows
    is_live boolean;
    clears boolean;
BEGIN
    LOOP
        BEGIN
            IF own_first THEN
                h := "golden".lock_header(p_name, p_key);
                t := "golden".lock_header(p_to_name, p_to_key);
            ELSE
                t := "golden".lock_header(p_to_name, p_to_key);
                h := "golden".lock_header(p_name, p_key);
            END IF;
            now := "golden".clock(p_offset);
            answer := "golden".decide(
                h, p_id, p_incarnation, p_revision, p_last_commit, p_saw, p_valid_until, NULL, false, now);
            IF answer = 'apply' AND NOT "golden".is_registered(p_name, p_version, p_registration) THEN
                answer := 'unregistered';
            ELSIF answer = 'apply' AND t.state = 0 AND "golden".live(t, now) THEN
                answer := 'occupied';
            END IF;
            IF answer <> 'apply' THEN
                header := h;
                IF answer = 'conflict' THEN
                    field_rows := "golden".rows_of(p_name, p_key, h.incarnation);
                END IF;
                RETURN;
            END IF;

            is_live := coalesce("golden".live(h, now), false);
            was_stored := is_live AND h.state = 0;
            clears := p_replace OR NOT is_live;
            c := "golden".keep_small(h, clears, p_unset || p_set, p_small, p_small_names);
            outside := CASE WHEN c.fields ?& p_small_names THEN '{}' ELSE p_small END || (
                -- What an index finds from now on.
                SELECT coalesce(jsonb_object_agg(s.key, s.value), '{}') FROM jsonb_each(c.fields) s
                WHERE s.key = ANY (p_indexed)
            );
            n := "golden".next(
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
                    INSERT INTO "golden".header SELECT n.* ON CONFLICT DO NOTHING;
                ELSIF t.incarnation IS NULL AND NOT same AND own_first = (place = 2) THEN
                    INSERT INTO "golden".header SELECT m.* ON CONFLICT DO NOTHING;
                ELSE
                    CONTINUE;
                END IF;
                IF NOT FOUND THEN
                    RAISE EXCEPTION USING ERRCODE = 'SSR01';
                END IF;
            END LOOP;

            DELETE FROM "golden".field f WHERE f.name = p_to_name AND f.key = p_to_key;
            m.has_rows := "golden".change_rows(
                p_name, p_key, CASE WHEN same THEN p_creates ELSE n.incarnation END, coalesce(h.has_rows, false), clears,
                p_unset, outside, p_set, p_values, p_indexed, p_terms);
            IF m.has_rows AND NOT same THEN
                -- Not an update of the key, which fails for those who wait when it moves a row between partitions.
                INSERT INTO "golden".field (name, key, incarnation, field, value, term)
                SELECT p_to_name, p_to_key, p_creates, f.field, f.value,
                    coalesce(p_terms[array_position(p_indexed, f.field)], f.term)
                FROM "golden".field f
                WHERE f.name = p_name AND f.key = p_key AND f.incarnation = n.incarnation;
                DELETE FROM "golden".field f WHERE f.name = p_name AND f.key = p_key;
            END IF;
            m.state := CASE WHEN m.fields = '{}' AND NOT m.has_rows AND NOT p_keep_empty THEN 1 ELSE 0 END;
            m.retained_until := "golden".retained_until(m.state, m.expires_at, now, m.retention);
            m.due := least(t.due, m.retained_until);
            PERFORM "golden".put_header(n);
            PERFORM "golden".put_header(m);
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
CREATE OR REPLACE FUNCTION "golden".register(
    p_name text, p_version bigint, p_id bigint, p_codec text, p_fields text[], p_initials bytea[],
    p_sensitive boolean[]
) RETURNS void LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
    LOOP
        PERFORM FROM "golden".registration r WHERE r.name = p_name AND r.version = p_version FOR UPDATE;
        EXIT WHEN FOUND;
        INSERT INTO "golden".registration (name, version, id, codec)
        VALUES (p_name, p_version, p_id, p_codec) ON CONFLICT DO NOTHING;
    END LOOP;
    INSERT INTO "golden".registered_field (name, version, field, position, initial, sensitive)
    SELECT p_name, p_version, s.field, s.position + (
        SELECT coalesce(max(f.position), 0) FROM "golden".registered_field f
        WHERE f.name = p_name AND f.version = p_version
    ), s.initial, s.sensitive
    FROM unnest(p_fields, p_initials, p_sensitive) WITH ORDINALITY AS s (field, initial, sensitive, position)
    ON CONFLICT DO NOTHING;
END
$body$;

-- Removes a registration, and tells whether there was one.
CREATE OR REPLACE FUNCTION "golden".withdraw(p_name text, p_version bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
    PERFORM FROM "golden".registration r WHERE r.name = p_name AND r.version = p_version FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM "golden".registered_field f WHERE f.name = p_name AND f.version = p_version;
    DELETE FROM "golden".registration r WHERE r.name = p_name AND r.version = p_version;
    RETURN true;
END
$body$;

-- Looks at the keys whose time may be over, a batch at most, passing by those that are locked, and removes those whose
-- time is over.
CREATE OR REPLACE FUNCTION "golden".purge(
    p_batch bigint, p_offset bigint, OUT looked_at bigint, OUT removed bigint
) LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    p_now bigint := "golden".clock(p_offset);
    names text[];
    keys bytea[];
BEGIN
    SELECT array_agg(b.name), array_agg(b.key), count(*) INTO names, keys, looked_at
    FROM (
        SELECT t.name, t.key FROM "golden".header t
        WHERE t.due <= p_now ORDER BY t.due LIMIT p_batch FOR UPDATE SKIP LOCKED
    ) b;
    removed := 0;
    IF looked_at = 0 THEN
        RETURN;
    END IF;
    DELETE FROM "golden".field f
    USING "golden".header t, unnest(names, keys) AS b (name, key)
    WHERE t.name = b.name AND t.key = b.key AND t.retained_until <= p_now AND f.name = b.name AND f.key = b.key;
    DELETE FROM "golden".header t
    USING unnest(names, keys) AS b (name, key)
    WHERE t.name = b.name AND t.key = b.key AND t.retained_until <= p_now;
    GET DIAGNOSTICS removed = ROW_COUNT;
    UPDATE "golden".header t SET due = t.retained_until
    FROM unnest(names, keys) AS b (name, key)
    WHERE t.name = b.name AND t.key = b.key;
END
$body$;

CREATE TABLE "golden".schema_version (version integer NOT NULL);
INSERT INTO "golden".schema_version VALUES (1);

INSERT INTO "golden".header (name, key, incarnation, origin, created_at, version, registration, fixed_end, sliding, retention, due, has_rows, state, revision, expires_at, retained_until, commits, fields) VALUES ('Visitor', E'\\x3432', '-281474976710655', NULL, '1795816810331', '3', '-81985529216486896', NULL, NULL, '3155760000000', NULL, 'true', '0', '2', NULL, NULL, '{-9223372036854775790,17}', E'{"photo": "#00ff8027225c0d0a", "visits": "7", "address.city": "\\"Köln\\""}');
INSERT INTO "golden".header (name, key, incarnation, origin, created_at, version, registration, fixed_end, sliding, retention, due, has_rows, state, revision, expires_at, retained_until, commits, fields) VALUES ('Visitor', E'\\x616c776179732073746f726564', '2', NULL, '1795816810335', '3', '-81985529216486896', NULL, NULL, '3155760000000', NULL, 'false', '0', '1', NULL, NULL, '{33}', '{}');
INSERT INTO "golden".header (name, key, incarnation, origin, created_at, version, registration, fixed_end, sliding, retention, due, has_rows, state, revision, expires_at, retained_until, commits, fields) VALUES ('Visitor', E'\\x62757379', '11', NULL, '1795816810345', '3', '-81985529216486896', NULL, NULL, '3155760000000', NULL, 'false', '0', '10', NULL, NULL, '{186,185,184,183,182,181,180,179}', '{"visits": "10"}');
INSERT INTO "golden".header (name, key, incarnation, origin, created_at, version, registration, fixed_end, sliding, retention, due, has_rows, state, revision, expires_at, retained_until, commits, fields) VALUES ('Visitor', E'\\x636861743a7b377d25c3a927', '8', '8', '1795816810339', '3', '-81985529216486896', NULL, NULL, '3155760000000', NULL, 'false', '0', '1', NULL, NULL, '{114}', E'{"theme": "\\"dark\\"", "visits": "2"}');
INSERT INTO "golden".header (name, key, incarnation, origin, created_at, version, registration, fixed_end, sliding, retention, due, has_rows, state, revision, expires_at, retained_until, commits, fields) VALUES ('Visitor', E'\\x6372656174656420616e6577', '6', '5', '1795816810339', '3', '-81985529216486896', NULL, NULL, '3155760000000', '4951576810338', 'false', '0', '1', NULL, NULL, '{83,82,81}', '{"visits": "1"}');
INSERT INTO "golden".header (name, key, incarnation, origin, created_at, version, registration, fixed_end, sliding, retention, due, has_rows, state, revision, expires_at, retained_until, commits, fields) VALUES ('Visitor', E'\\x64657374726f796564', '4', NULL, '1795816810337', '3', '-81985529216486896', NULL, NULL, '3155760000000', '4951576810337', 'false', '2', '2', NULL, '4951576810337', '{66,65}', '{}');
INSERT INTO "golden".header (name, key, incarnation, origin, created_at, version, registration, fixed_end, sliding, retention, due, has_rows, state, revision, expires_at, retained_until, commits, fields) VALUES ('Visitor', E'\\x656d7074696564', '3', NULL, '1795816810335', '3', '-81985529216486896', NULL, NULL, '3155760000000', '4951576810336', 'false', '1', '2', NULL, '4951576810336', '{50,49}', '{}');
INSERT INTO "golden".header (name, key, incarnation, origin, created_at, version, registration, fixed_end, sliding, retention, due, has_rows, state, revision, expires_at, retained_until, commits, fields) VALUES ('Visitor', E'\\x736c6964696e67', '10', NULL, '1795816810344', '3', '-81985529216486896', NULL, NULL, '3155760000000', '8107336810344', 'false', '0', '1', '4951576810344', '8107336810344', '{161}', '{"visits": "1"}');
INSERT INTO "golden".header (name, key, incarnation, origin, created_at, version, registration, fixed_end, sliding, retention, due, has_rows, state, revision, expires_at, retained_until, commits, fields) VALUES ('Visitor', E'\\x746f2062652072656e65776564', '7', NULL, '1795816810339', '3', '-81985529216486896', NULL, NULL, '3155760000000', '4951576810342', 'false', '3', '2', NULL, '4951576810342', '{114,113}', '{}');
INSERT INTO "golden".header (name, key, incarnation, origin, created_at, version, registration, fixed_end, sliding, retention, due, has_rows, state, revision, expires_at, retained_until, commits, fields) VALUES ('Visitor', E'\\x77697468206120666978656420656e64', '9', NULL, '1795816810343', '3', '-81985529216486896', '4102444800000', NULL, '3155760000000', '7258204800000', 'false', '0', '1', '4102444800000', '7258204800000', '{145}', '{"visits": "1"}');
INSERT INTO "golden".field (name, key, incarnation, field, value, term) VALUES ('Visitor', E'\\x3432', '-281474976710655', 'essay', E'\\x656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565656565', NULL);
INSERT INTO "golden".registration (name, version, id, codec) VALUES ('Visitor', '3', '-81985529216486896', 'json');
INSERT INTO "golden".registered_field (name, version, field, position, initial, sensitive) VALUES ('Visitor', '3', 'address.city', '3', E'\\x2222', 'false');
INSERT INTO "golden".registered_field (name, version, field, position, initial, sensitive) VALUES ('Visitor', '3', 'joined_at', '5', NULL, 'false');
INSERT INTO "golden".registered_field (name, version, field, position, initial, sensitive) VALUES ('Visitor', '3', 'photo', '4', E'\\x00ff8027225c0d0a', 'true');
INSERT INTO "golden".registered_field (name, version, field, position, initial, sensitive) VALUES ('Visitor', '3', 'theme', '2', E'\\x226c6967687422', 'false');
INSERT INTO "golden".registered_field (name, version, field, position, initial, sensitive) VALUES ('Visitor', '3', 'visits', '1', E'\\x30', 'false');
