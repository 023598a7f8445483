-- The ways in which a role may write: each with the SQL that takes it away.
WITH reader AS (
    SELECT r.oid, r.rolname, r.rolsuper, r.rolcreaterole, r.rolcreatedb, r.rolreplication
    FROM pg_catalog.pg_roles r
    WHERE r.rolname = {role}
),
-- Itself and the roles that it may become.
itself AS (
    SELECT other.oid, other.rolname, other.rolsuper
    FROM reader, pg_catalog.pg_roles other
    -- The owner of the database is one of these without being a member; that is asked below.
    WHERE other.oid = reader.oid
    OR (other.rolname <> 'pg_database_owner' AND NOT reader.rolsuper AND pg_catalog.pg_has_role(reader.oid, other.oid, 'MEMBER'))
),
-- System views whose changes the server takes as statements of their own, such as pg_settings,
-- change no table.
relation AS (
    SELECT c.oid, c.relkind, c.relowner, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    AND NOT (c.relname = 'pg_settings' AND n.nspname = 'pg_catalog')
    AND NOT (n.nspname LIKE 'pg\_temp\_%' OR n.nspname LIKE 'pg\_toast%')
),
callable AS (
    SELECT p.oid, p.prolang,
           -- Of an aggregate, who calls it needs no privilege on the functions that it is made of.
           p.prosecdef OR EXISTS (
               SELECT FROM pg_catalog.pg_aggregate a
               JOIN pg_catalog.pg_proc part
               ON part.oid IN (a.aggtransfn, a.aggfinalfn, a.aggmtransfn, a.aggminvtransfn,
                               a.aggmfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn)
               WHERE a.aggfnoid = p.oid AND part.prosecdef) AS prosecdef,
           pg_catalog.format('%I.%I(%s)', n.nspname, p.proname,
                             pg_catalog.pg_get_function_identity_arguments(p.oid)) AS name,
           CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS kind
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE p.prorettype NOT IN ('pg_catalog.trigger'::pg_catalog.regtype,
                               'pg_catalog.event_trigger'::pg_catalog.regtype)
    AND n.nspname NOT LIKE 'pg\_temp\_%'
    AND EXISTS (SELECT FROM itself WHERE NOT itself.rolsuper
                AND pg_catalog.has_function_privilege(itself.oid, p.oid, 'EXECUTE'))
)
-- One row fails the question where there is no such role.
SELECT CASE WHEN reader.rolsuper THEN 'it is a superuser'
            WHEN reader.rolcreaterole THEN 'it may make roles, and give itself others'
            WHEN reader.rolcreatedb THEN 'it may make databases, and write in them'
            ELSE 'it may read the write-ahead log, and make replication slots' END AS what,
       pg_catalog.format('ALTER ROLE %I NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION;',
                         reader.rolname) AS remedy
FROM reader
WHERE reader.rolsuper OR reader.rolcreaterole OR reader.rolcreatedb OR reader.rolreplication

UNION ALL
SELECT pg_catalog.format('it is a member of %I', itself.rolname),
       pg_catalog.format('REVOKE %I FROM %I;', itself.rolname, reader.rolname)
FROM reader, itself
WHERE itself.oid <> reader.oid AND NOT reader.rolsuper
AND (itself.rolsuper
     OR itself.rolname IN ('pg_write_all_data', 'pg_write_server_files',
                           'pg_execute_server_program', 'pg_maintain')
     OR (SELECT r.rolcreaterole OR r.rolcreatedb OR r.rolreplication
         FROM pg_catalog.pg_roles r WHERE r.oid = itself.oid))

UNION ALL
SELECT pg_catalog.format('it may write to %s', relation.name),
       pg_catalog.format('REVOKE ALL ON %s FROM %I, PUBLIC; GRANT SELECT ON %s TO %I;',
                         relation.name, itself.rolname, relation.name, reader.rolname)
FROM reader, itself, relation
WHERE NOT itself.rolsuper
AND CASE relation.relkind
    WHEN 'S' THEN pg_catalog.has_sequence_privilege(itself.oid, relation.oid, 'USAGE, UPDATE')
    ELSE pg_catalog.has_table_privilege(itself.oid, relation.oid,
                                        'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')
      OR pg_catalog.has_any_column_privilege(itself.oid, relation.oid, 'INSERT, UPDATE')
    END

UNION ALL
SELECT pg_catalog.format('it owns %s', relation.name),
       pg_catalog.format('ALTER TABLE %s OWNER TO CURRENT_USER;', relation.name)
FROM reader, itself, relation
WHERE NOT itself.rolsuper AND relation.relowner = itself.oid

UNION ALL
SELECT pg_catalog.format('it may make tables in schema %I', n.nspname),
       pg_catalog.format(CASE n.nspowner WHEN itself.oid THEN 'ALTER SCHEMA %I OWNER TO CURRENT_USER;'
                         ELSE 'REVOKE CREATE ON SCHEMA %I FROM %I, PUBLIC;' END,
                         n.nspname, itself.rolname)
FROM itself, pg_catalog.pg_namespace n
WHERE NOT itself.rolsuper
AND n.nspname NOT LIKE 'pg\_temp\_%' AND n.nspname NOT LIKE 'pg\_toast%'
AND (pg_catalog.has_schema_privilege(itself.oid, n.oid, 'CREATE') OR n.nspowner = itself.oid)

UNION ALL
SELECT pg_catalog.format('it may make schemas in database %I', d.datname),
       pg_catalog.format(CASE d.datdba WHEN itself.oid THEN 'ALTER DATABASE %I OWNER TO CURRENT_USER;'
                         ELSE 'REVOKE CREATE ON DATABASE %I FROM %I, PUBLIC;' END,
                         d.datname, itself.rolname)
FROM itself, pg_catalog.pg_database d
WHERE NOT itself.rolsuper AND d.datname = pg_catalog.current_database()
AND (pg_catalog.has_database_privilege(itself.oid, d.oid, 'CREATE') OR d.datdba = itself.oid)

UNION ALL
SELECT pg_catalog.format('it may call %s, which runs as its owner', callable.name),
       pg_catalog.format('REVOKE EXECUTE ON %s %s FROM %I, PUBLIC;', callable.kind, callable.name,
                         reader.rolname)
FROM reader, callable
WHERE callable.prosecdef AND NOT reader.rolsuper

UNION ALL
SELECT pg_catalog.format('it may call %s, which can open another connection', callable.name),
       pg_catalog.format('REVOKE EXECUTE ON %s %s FROM %I, PUBLIC;', callable.kind, callable.name,
                         reader.rolname)
FROM reader, callable
JOIN pg_catalog.pg_language l ON l.oid = callable.prolang
WHERE NOT reader.rolsuper AND NOT callable.prosecdef
AND (EXISTS (SELECT FROM pg_catalog.pg_depend d
             JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
             WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
             AND d.objid = callable.oid AND d.deptype = 'e'
             AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
             AND e.extname = 'dblink')
     OR (NOT l.lanpltrusted AND l.lanname NOT IN ('internal', 'c')))

UNION ALL
SELECT 'there is no such role', 'make it first'
WHERE NOT EXISTS (SELECT FROM reader)

ORDER BY 1
