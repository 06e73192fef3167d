-- Small keys for event ids, and tags for what events say (ADR 36). This makes the columns and what fills them, and nothing
-- here takes longer the more events there are. What does, `migrate --keys` does while consumers go on.
-- Whoever asks for a lock on the log blocks all who come later. It is given up after a moment, and asked for again.
SET LOCAL lock_timeout = '3s';--> statement-breakpoint
-- In the order in which a turn takes them. In the other one a turn that is under way and this would wait for each other.
LOCK TABLE "topics", "events" IN ACCESS EXCLUSIVE MODE;--> statement-breakpoint
-- Which events of before have no key yet: of a topic those with the seqs after `seq` up to `up_to`. Empty in the end.
CREATE TABLE "key_upgrade" (
	"seq" bigint NOT NULL,
	"up_to" bigint NOT NULL,
	"topic_id" integer PRIMARY KEY NOT NULL
);
--> statement-breakpoint
-- A key tells nothing of an id to who has not the pepper, which is the same in all databases of an installation.
CREATE TABLE "installation" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"pepper" bytea NOT NULL,
	CONSTRAINT "installation_only" CHECK ("only"),
	CONSTRAINT "installation_pepper" CHECK (octet_length("pepper") = 32)
);
--> statement-breakpoint
-- Two random UUIDs have 244 random bits.
INSERT INTO "installation" ("pepper") SELECT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));--> statement-breakpoint
-- Not `key`: gateways of the version before read ranges of the log with a column of their own of that name beside all of
-- the log's.
ALTER TABLE "events" ADD COLUMN "event_key" uuid, ADD COLUMN "content_tag" uuid;--> statement-breakpoint
-- As for the other columns that are looked up: see 0001_storage.sql.
ALTER TABLE "events" ALTER COLUMN "event_key" SET STATISTICS 0, ALTER COLUMN "content_tag" SET STATISTICS 0;--> statement-breakpoint
ALTER TABLE "topics" ADD COLUMN "keyed" boolean DEFAULT false NOT NULL;--> statement-breakpoint
-- As eventKey() in src/keys/event-key.ts, which says why.
CREATE FUNCTION "event_key"(pepper bytea, topic_id integer, event_id text) RETURNS uuid
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
DECLARE
	seed CONSTANT bytea := pepper || int4send(topic_id);
	digest bytea := sha256(seed || convert_to(event_id, 'UTF8'));
	prefix text;
BEGIN
	IF event_id ~ '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$' THEN
		digest := overlay(digest PLACING decode(substr(event_id, 1, 8) || substr(event_id, 10, 4), 'hex') FROM 1);
	ELSIF event_id ~ '[0-9]{3}$' THEN
		prefix := encode(sha256(seed || convert_to(left(event_id, -3), 'UTF8') || '\x00'), 'hex');
		digest := overlay(digest PLACING decode(left(prefix, 9) || lpad(to_hex(
			(('x' || substr(prefix, 10, 1))::bit(4)::integer >> 2 << 10) | right(event_id, 3)::integer
		), 3, '0'), 'hex') FROM 1);
	END IF;
	digest := set_byte(digest, 6, get_byte(digest, 6) & 15 | 128);
	digest := set_byte(digest, 8, get_byte(digest, 8) & 63 | 128);
	RETURN encode(substr(digest, 1, 16), 'hex')::uuid;
END $$;--> statement-breakpoint
-- As contentTag() in src/keys/content-tag.ts. `kind` is bytes or json; of the latter the payload is in its canonical form.
CREATE FUNCTION "content_tag"(pepper bytea, kind text, source text, payload text) RETURNS uuid
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
DECLARE
	bit CONSTANT integer := CASE kind WHEN 'bytes' THEN 0 WHEN 'json' THEN 1 END;
BEGIN
	RETURN encode(substr(set_bit(sha256(
		pepper || set_byte('\x00'::bytea, 0, bit) || convert_to(source, 'UTF8') || '\x00' || convert_to(payload, 'UTF8')
	), 120, bit), 1, 16), 'hex')::uuid;
END $$;--> statement-breakpoint
-- The same with the pepper of this database. Without one it fails, with a class of errors of which consumers make no dead
-- letter: a key of NULL would be no key.
CREATE FUNCTION "event_key"(topic_id integer, event_id text) RETURNS uuid
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
DECLARE
	found CONSTANT bytea := (SELECT i.pepper FROM public.installation i);
BEGIN
	IF found IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = 'the table installation has lost its row: restore it from a backup';
	END IF;
	RETURN public.event_key(found, topic_id, event_id);
END $$;--> statement-breakpoint
CREATE FUNCTION "content_tag"(source text, payload text) RETURNS uuid
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
DECLARE
	found CONSTANT bytea := (SELECT i.pepper FROM public.installation i);
BEGIN
	IF found IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = 'the table installation has lost its row: restore it from a backup';
	END IF;
	RETURN public.content_tag(found, 'bytes', source, payload);
END $$;--> statement-breakpoint
-- For consumers of the previous version, which leave both columns out, until the log is upgraded.
CREATE FUNCTION "fill_event_key"() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
	NEW.event_key := public.event_key(NEW.topic_id, NEW.event_id);
	NEW.content_tag := coalesce(NEW.content_tag, public.content_tag(NEW.source, NEW.payload::text));
	RETURN NEW;
END $$;--> statement-breakpoint
-- The default of the key in a log that is upgraded: it is asked for when a row comes without one. A class of errors of which
-- consumers of any version make no dead letter. As a trigger it would cost every row something, as a default none.
CREATE FUNCTION "refuse_older_consumer"() RETURNS uuid
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
		MESSAGE = 'this log takes events with their keys only, which this consumer does not send: it is of an older '
			'version of Sekali, upgrade it';
END $$;--> statement-breakpoint
-- From now on ids are looked up by key, in all topics. Every event must have its key, and the unique index must be there.
CREATE FUNCTION "use_event_keys"() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	-- First: it waits for the turns that are under way, and holds off new ones.
	ALTER TABLE public.topics ALTER COLUMN keyed SET DEFAULT true;
	UPDATE public.topics SET keyed = true WHERE NOT keyed;
END $$;--> statement-breakpoint
-- From now on no event comes without its key, and the index of the ids' texts is gone.
CREATE FUNCTION "require_event_keys"() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	-- NOT NULL is taken from the constraint that was validated before, without a look at the rows.
	ALTER TABLE public.events ALTER COLUMN event_key SET NOT NULL, ALTER COLUMN content_tag SET NOT NULL,
		ALTER COLUMN event_key SET DEFAULT public.refuse_older_consumer();
	ALTER TABLE public.events DROP CONSTRAINT IF EXISTS events_have_keys,
		DROP CONSTRAINT IF EXISTS events_topic_id_event_id_unique;
	DROP TRIGGER IF EXISTS fill_event_key ON public.events;
END $$;--> statement-breakpoint
DO $$
DECLARE
	writer text;
BEGIN
	-- An installation that has stored nothing yet has nothing to upgrade, unless processes of the previous version use it.
	IF EXISTS (SELECT FROM public.events) OR EXISTS (SELECT FROM pg_stat_activity
		WHERE datname = current_database() AND application_name LIKE 'sekali-%') THEN
		-- Exact, because nobody stores anything while the tables are altered.
		INSERT INTO public.key_upgrade (topic_id, seq, up_to) SELECT id, 0, head FROM public.topics WHERE head > 0;
		CREATE TRIGGER fill_event_key BEFORE INSERT ON public.events FOR EACH ROW WHEN (NEW.event_key IS NULL)
			EXECUTE FUNCTION public.fill_event_key();
	ELSE
		CREATE UNIQUE INDEX events_key_unique ON public.events (event_key);
		PERFORM public.use_event_keys();
		PERFORM public.require_event_keys();
	END IF;
	REVOKE EXECUTE ON FUNCTION public.event_key(bytea, integer, text), public.event_key(integer, text),
		public.content_tag(bytea, text, text, text), public.content_tag(text, text), public.fill_event_key(),
		public.refuse_older_consumer(), public.use_event_keys(), public.require_event_keys() FROM PUBLIC;
	-- The pepper is for who stores events and for who looks them up by their ids: consumers and gateways.
	FOR writer IN
		SELECT r.rolname FROM pg_roles r
		WHERE r.rolname IN ('sekali_consumer', 'sekali_gateway') OR r.oid IN (
			SELECT a.grantee FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
			WHERE c.oid = 'public.events'::regclass AND a.privilege_type = 'INSERT' AND a.grantee <> c.relowner
			UNION ALL
			SELECT a.grantee FROM pg_proc f CROSS JOIN LATERAL aclexplode(f.proacl) a
			WHERE f.oid = 'public.drop_topic(text)'::regprocedure AND a.privilege_type = 'EXECUTE'
				AND a.grantee <> f.proowner
		)
	LOOP
		EXECUTE format('REVOKE ALL ON public.installation, public.key_upgrade FROM %I', writer);
		EXECUTE format('GRANT SELECT ON public.installation, public.key_upgrade TO %I', writer);
		EXECUTE format('GRANT EXECUTE ON FUNCTION public.event_key(bytea, integer, text),
			public.event_key(integer, text), public.content_tag(bytea, text, text, text), public.content_tag(text, text),
			public.refuse_older_consumer() TO %I', writer);
	END LOOP;
	IF to_regrole('sekali_projector') IS NOT NULL THEN
		REVOKE ALL ON public.installation, public.key_upgrade FROM sekali_projector;
	END IF;
	IF to_regrole('sekali_consumer') IS NOT NULL THEN REVOKE ALL ON public.key_upgrade FROM sekali_consumer; END IF;
	IF to_regrole('sekali_gateway') IS NOT NULL THEN
		REVOKE EXECUTE ON FUNCTION public.fill_event_key(), public.use_event_keys(), public.require_event_keys()
			FROM sekali_gateway;
	END IF;
END $$;
