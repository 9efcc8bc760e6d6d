-- A PAM host whose reply was lost asks again with the same request id, and gets the outcome that was recorded instead of
-- being told that its code was used.  For that the use of a code remembers the request that it was for.
SET LOCAL search_path = counterfoil, pg_temp;

ALTER TABLE factor ADD COLUMN last_request uuid;                -- of a host; NULL: used by somebody else
ALTER TABLE recovery_code ADD COLUMN used_request uuid;
