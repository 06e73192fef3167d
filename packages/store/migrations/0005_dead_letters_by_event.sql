ALTER TABLE "dead_letters" ADD COLUMN "event_id" text;--> statement-breakpoint
CREATE INDEX "dead_letters_topic_id_entry_id_index" ON "dead_letters" USING btree ("topic_id","entry_id");--> statement-breakpoint
CREATE INDEX "dead_letters_topic_id_event_id_index" ON "dead_letters" USING btree ("topic_id","event_id");