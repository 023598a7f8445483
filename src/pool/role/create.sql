-- Makes a login role that may read these schemas and write nothing, or makes an existing role
-- one. What it reads is all that it is granted: privileges that everybody has (PUBLIC), and
-- memberships in other roles, are for the administrator to take away. ReadOnlyRole::ways_to_write
-- lists those that are left, each with the SQL that takes it away.
CREATE OR REPLACE FUNCTION ebbline_read_only_role(reader text, schemas text[])
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $function$
DECLARE
    place text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = reader) THEN
        EXECUTE format('CREATE ROLE %I', reader);
    END IF;
    EXECUTE format('ALTER ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT '
                   'NOREPLICATION NOBYPASSRLS', reader);
    EXECUTE format('ALTER ROLE %I SET default_transaction_read_only = on', reader);
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), reader);
    FOREACH place IN ARRAY schemas LOOP
        EXECUTE format('REVOKE ALL ON SCHEMA %I FROM %I', place, reader);
        EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %I FROM %I', place, reader);
        EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA %I FROM %I', place, reader);
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', place, reader);
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO %I', place, reader);
        EXECUTE format('GRANT SELECT ON ALL SEQUENCES IN SCHEMA %I TO %I', place, reader);
        -- Tables that the caller makes there later.
        EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT ON TABLES TO %I',
                       place, reader);
    END LOOP;
END
$function$;
