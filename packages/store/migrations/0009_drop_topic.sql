-- Forgets a topic that has no event, nothing in flight and no dead letter. Its row's lock is a consumer's turn, and is
-- held until the transaction ends, so that the caller can see meanwhile that Redis has nothing of it either.
-- A function with its owner's rights, as projections.drop_projection() is: the gateway's role may read only.
CREATE FUNCTION "drop_topic"(unwanted text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
	topic public.topics;
BEGIN
	SELECT * INTO topic FROM public.topics WHERE name = unwanted FOR UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		RETURN CASE WHEN EXISTS (SELECT FROM public.topics WHERE name = unwanted) THEN 'in_use' ELSE 'unknown' END;
	END IF;
	IF topic.head > 0 OR topic.seen > topic.accounted
		OR EXISTS (SELECT FROM public.dead_letters WHERE topic_id = topic.id) THEN
		RETURN 'in_use';
	END IF;
	DELETE FROM public.topics WHERE id = topic.id;
	RETURN 'dropped';
END $$;
