-- What counts as the same content under one event id, for each topic (ADR 37): the same bytes of the payload, or JSON that
-- means the same. In the topic's row, because a turn locks it: a turn obeys one setting from its beginning to its end.
ALTER TABLE "topics" ADD COLUMN "same_content" text DEFAULT 'bytes' NOT NULL;--> statement-breakpoint
ALTER TABLE "topics" ADD CONSTRAINT "topics_same_content" CHECK ("topics"."same_content" IN ('bytes', 'json'));--> statement-breakpoint
-- With its owner's rights, as drop_topic() is: the gateway's role may read only. It makes the topic if there is none, waits
-- for a turn that is under way, and writes the entry of the audit log itself, so that nobody can do the one without the
-- other. `busy`: somebody has the row for longer than a turn takes.
CREATE FUNCTION "set_topic_settings"(topic text, same_content text, actor text, client text, until timestamptz)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	was text;
	usual CONSTANT text := current_setting('lock_timeout');
BEGIN
	IF access.hold(set_topic_settings.actor, set_topic_settings.until, NULL) IS NULL THEN RETURN 'actor_ended'; END IF;
	-- Those that are there are left out first, because a conflict uses up an id.
	INSERT INTO public.topics (name)
	SELECT set_topic_settings.topic
	WHERE NOT EXISTS (SELECT FROM public.topics t WHERE t.name = set_topic_settings.topic)
	ON CONFLICT (name) DO NOTHING;
	BEGIN
		PERFORM set_config('lock_timeout', '2s', true);
		SELECT t.same_content INTO was FROM public.topics t WHERE t.name = set_topic_settings.topic FOR UPDATE;
		PERFORM set_config('lock_timeout', usual, true);
	EXCEPTION WHEN lock_not_available THEN RETURN 'busy';
	END;
	IF was IS NULL THEN RETURN 'busy'; END IF; -- dropped meanwhile
	IF was = set_topic_settings.same_content THEN RETURN 'set'; END IF;
	UPDATE public.topics t SET same_content = set_topic_settings.same_content WHERE t.name = set_topic_settings.topic;
	PERFORM audit.append(set_topic_settings.actor, set_topic_settings.client, 'topic_settings', set_topic_settings.topic,
		jsonb_build_object('same_content', set_topic_settings.same_content, 'was', was));
	RETURN 'set';
END $$;--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION "set_topic_settings"(text, text, text, text, timestamptz) FROM PUBLIC;--> statement-breakpoint
DO $$
DECLARE
	gateway text;
BEGIN
	-- Whatever role gateways have: who may drop a topic may also say what holds for it.
	FOR gateway IN
		SELECT DISTINCT r.rolname
		FROM pg_proc f CROSS JOIN LATERAL aclexplode(f.proacl) a JOIN pg_roles r ON r.oid = a.grantee
		WHERE f.oid = 'public.drop_topic(text)'::regprocedure AND a.privilege_type = 'EXECUTE' AND a.grantee <> f.proowner
	LOOP
		EXECUTE format('GRANT EXECUTE ON FUNCTION public.set_topic_settings(text, text, text, text, timestamptz) TO %I', gateway);
	END LOOP;
END $$;
