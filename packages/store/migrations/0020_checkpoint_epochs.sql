-- A checkpoint is a place in a log, and so has an epoch: a restore may have taken away what was folded. A projector of the
-- version before writes none. In a log that has forked that looks like the first epoch, and the projection is folded anew.
ALTER TABLE "projections"."checkpoints" ADD COLUMN "epoch" integer DEFAULT 1 NOT NULL;
