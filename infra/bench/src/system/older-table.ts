/** The log as d25da9c had it, in the place of ours: with a unique index of topic and event id as text, and without keys. */
export const olderTable = `
  DROP TABLE events;
  CREATE TABLE events (
    seq bigint NOT NULL,
    "timestamp" timestamp(6) with time zone NOT NULL,
    received_at timestamp(6) with time zone NOT NULL,
    stored_at timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
    topic_id integer NOT NULL,
    event_id text NOT NULL,
    source text NOT NULL,
    payload json NOT NULL,
    CONSTRAINT events_topic_id_seq_pk PRIMARY KEY (topic_id, seq),
    CONSTRAINT events_topic_id_event_id_unique UNIQUE (topic_id, event_id)
  );
  ALTER TABLE events SET (autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.1);
  ALTER TABLE events ALTER COLUMN topic_id SET STATISTICS 0, ALTER COLUMN seq SET STATISTICS 0,
    ALTER COLUMN event_id SET STATISTICS 0`
