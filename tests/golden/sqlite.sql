-- What a build stored, for later ones to read. Written by scripts/golden.
CREATE TABLE session_runtime_schema (
    version INTEGER NOT NULL
) STRICT;
CREATE TABLE session_runtime_sessions (
    id             INTEGER PRIMARY KEY,
    name           TEXT    NOT NULL,
    key            TEXT    NOT NULL,
    state          TEXT    NOT NULL,
    incarnation    INTEGER NOT NULL,
    revision       INTEGER NOT NULL,
    version        INTEGER NOT NULL,
    registration   INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    fixed_end      INTEGER,
    sliding        INTEGER,
    expires_at     INTEGER,
    retained_until INTEGER,
    retention      INTEGER NOT NULL,
    origin         INTEGER,
    commits        BLOB    NOT NULL,
    UNIQUE (name, key)
) STRICT;
CREATE INDEX session_runtime_retained ON session_runtime_sessions (retained_until) WHERE retained_until IS NOT NULL;
CREATE TABLE session_runtime_fields (
    session INTEGER NOT NULL,
    name    TEXT    NOT NULL,
    value   TEXT    NOT NULL,
    term    TEXT,
    PRIMARY KEY (session, name)
) WITHOUT ROWID;
CREATE INDEX session_runtime_terms ON session_runtime_fields (term, name) WHERE term IS NOT NULL;
CREATE TABLE session_runtime_registrations (
    name    TEXT    NOT NULL,
    version INTEGER NOT NULL,
    id      INTEGER NOT NULL,
    codec   TEXT    NOT NULL,
    PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE session_runtime_registered_fields (
    name      TEXT    NOT NULL,
    version   INTEGER NOT NULL,
    field     TEXT    NOT NULL,
    position  INTEGER NOT NULL,
    initial   TEXT,
    sensitive INTEGER NOT NULL,
    PRIMARY KEY (name, version, field)
) WITHOUT ROWID;
INSERT INTO session_runtime_schema (version) VALUES (1);
INSERT INTO session_runtime_sessions (id, name, key, state, incarnation, revision, version, registration, created_at, fixed_end, sliding, expires_at, retained_until, retention, origin, commits) VALUES (1, 'Visitor', '42', 'stored', -281474976710655, 2, 3, -81985529216486896, 1795816810322, NULL, NULL, NULL, NULL, 3155760000000, NULL, X'80000000000000120000000000000011');
INSERT INTO session_runtime_sessions (id, name, key, state, incarnation, revision, version, registration, created_at, fixed_end, sliding, expires_at, retained_until, retention, origin, commits) VALUES (10, 'Visitor', 'busy', 'stored', 11, 10, 3, -81985529216486896, 1795816810333, NULL, NULL, NULL, NULL, 3155760000000, NULL, X'00000000000000BA00000000000000B900000000000000B800000000000000B700000000000000B600000000000000B500000000000000B400000000000000B3');
INSERT INTO session_runtime_sessions (id, name, key, state, incarnation, revision, version, registration, created_at, fixed_end, sliding, expires_at, retained_until, retention, origin, commits) VALUES (2, 'Visitor', 'always stored', 'stored', 2, 1, 3, -81985529216486896, 1795816810323, NULL, NULL, NULL, NULL, 3155760000000, NULL, X'0000000000000021');
INSERT INTO session_runtime_sessions (id, name, key, state, incarnation, revision, version, registration, created_at, fixed_end, sliding, expires_at, retained_until, retention, origin, commits) VALUES (3, 'Visitor', 'emptied', 'emptied', 3, 2, 3, -81985529216486896, 1795816810323, NULL, NULL, NULL, 4951576810324, 3155760000000, NULL, X'00000000000000320000000000000031');
INSERT INTO session_runtime_sessions (id, name, key, state, incarnation, revision, version, registration, created_at, fixed_end, sliding, expires_at, retained_until, retention, origin, commits) VALUES (4, 'Visitor', 'destroyed', 'destroyed', 4, 1, 3, -81985529216486896, 1795816810327, NULL, NULL, NULL, 4951576810328, 3155760000000, NULL, X'00000000000000420000000000000041');
INSERT INTO session_runtime_sessions (id, name, key, state, incarnation, revision, version, registration, created_at, fixed_end, sliding, expires_at, retained_until, retention, origin, commits) VALUES (5, 'Visitor', 'created anew', 'stored', 6, 1, 3, -81985529216486896, 1795816810330, NULL, NULL, NULL, NULL, 3155760000000, 5, X'000000000000005300000000000000520000000000000051');
INSERT INTO session_runtime_sessions (id, name, key, state, incarnation, revision, version, registration, created_at, fixed_end, sliding, expires_at, retained_until, retention, origin, commits) VALUES (6, 'Visitor', 'chat:{7}%é''', 'stored', 8, 1, 3, -81985529216486896, 1795816810332, NULL, NULL, NULL, NULL, 3155760000000, 8, X'0000000000000072');
INSERT INTO session_runtime_sessions (id, name, key, state, incarnation, revision, version, registration, created_at, fixed_end, sliding, expires_at, retained_until, retention, origin, commits) VALUES (7, 'Visitor', 'to be renewed', 'renewed', 7, 2, 3, -81985529216486896, 1795816810332, NULL, NULL, NULL, 4951576810332, 3155760000000, NULL, X'00000000000000720000000000000071');
INSERT INTO session_runtime_sessions (id, name, key, state, incarnation, revision, version, registration, created_at, fixed_end, sliding, expires_at, retained_until, retention, origin, commits) VALUES (8, 'Visitor', 'with a fixed end', 'stored', 9, 1, 3, -81985529216486896, 1795816810333, 4102444800000, NULL, 4102444800000, 7258204800000, 3155760000000, NULL, X'0000000000000091');
INSERT INTO session_runtime_sessions (id, name, key, state, incarnation, revision, version, registration, created_at, fixed_end, sliding, expires_at, retained_until, retention, origin, commits) VALUES (9, 'Visitor', 'sliding', 'stored', 10, 1, 3, -81985529216486896, 1795816810333, NULL, NULL, 4951576810333, 8107336810333, 3155760000000, NULL, X'00000000000000A1');
INSERT INTO session_runtime_fields (session, name, value, term) VALUES (1, 'address.city', '"Köln"', NULL);
INSERT INTO session_runtime_fields (session, name, value, term) VALUES (1, 'essay', 'eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee', NULL);
INSERT INTO session_runtime_fields (session, name, value, term) VALUES (1, 'photo', X'00FF8027225C0D0A', NULL);
INSERT INTO session_runtime_fields (session, name, value, term) VALUES (1, 'visits', '7', NULL);
INSERT INTO session_runtime_fields (session, name, value, term) VALUES (10, 'visits', '10', NULL);
INSERT INTO session_runtime_fields (session, name, value, term) VALUES (5, 'visits', '1', NULL);
INSERT INTO session_runtime_fields (session, name, value, term) VALUES (6, 'theme', '"dark"', NULL);
INSERT INTO session_runtime_fields (session, name, value, term) VALUES (6, 'visits', '2', NULL);
INSERT INTO session_runtime_fields (session, name, value, term) VALUES (8, 'visits', '1', NULL);
INSERT INTO session_runtime_fields (session, name, value, term) VALUES (9, 'visits', '1', NULL);
INSERT INTO session_runtime_registrations (name, version, id, codec) VALUES ('Visitor', 3, -81985529216486896, 'json');
INSERT INTO session_runtime_registered_fields (name, version, field, position, initial, sensitive) VALUES ('Visitor', 3, 'address.city', 2, '""', 0);
INSERT INTO session_runtime_registered_fields (name, version, field, position, initial, sensitive) VALUES ('Visitor', 3, 'joined_at', 4, NULL, 0);
INSERT INTO session_runtime_registered_fields (name, version, field, position, initial, sensitive) VALUES ('Visitor', 3, 'photo', 3, X'00FF8027225C0D0A', 1);
INSERT INTO session_runtime_registered_fields (name, version, field, position, initial, sensitive) VALUES ('Visitor', 3, 'theme', 1, '"light"', 0);
INSERT INTO session_runtime_registered_fields (name, version, field, position, initial, sensitive) VALUES ('Visitor', 3, 'visits', 0, '0', 0);
