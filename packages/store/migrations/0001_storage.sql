-- A topic's row is updated once a turn. Room in its page keeps those updates HOT (no index is touched), and an early
-- vacuum keeps the few pages few.
ALTER TABLE "topics" SET (fillfactor = 20, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
--> statement-breakpoint
-- The log only grows. Vacuum by inserts, so that its pages become all-visible and later vacuums pass over them;
-- analyze by a share of the table, because its statistics hardly change.
ALTER TABLE "events" SET (autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.1);
--> statement-breakpoint
-- Plans for the log must not hang on what was in it when it was last analyzed: taking a topic that has grown since for
-- a small one, the planner would look an event id up by reading the whole topic. Without statistics of these columns
-- it always takes the index that the question fits.
ALTER TABLE "events" ALTER COLUMN "topic_id" SET STATISTICS 0, ALTER COLUMN "seq" SET STATISTICS 0, ALTER COLUMN "event_id" SET STATISTICS 0;
