DROP INDEX "conflicts_topic_id_event_id_index";--> statement-breakpoint
CREATE INDEX "conflicts_topic_id_received_at_index" ON "conflicts" USING btree ("topic_id","received_at");