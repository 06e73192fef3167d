import type { NotLoaded } from '@sekali/core/not-loaded'
import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { notLoaded } from '../postgres/projections-schema.ts'
import { orphanedMs } from './announce.ts'
import { selectRows } from './read.ts'

const isCurrent = sql`reported_at > now() - ${orphanedMs} * interval '1 ms'`

/**
 * Says which files of definitions a projector cannot load now: these and no others. To be said again at each announcement,
 * because what a projector has not said for a while is forgotten: the projector may be gone. Rejects with
 * `StoreUnavailable`.
 */
export async function reportNotLoaded(
  store: Store,
  projector: string,
  files: readonly NotLoaded[],
): Promise<void> {
  // As JSON, because a message may hold anything that an error's text can.
  const rows = JSON.stringify(files)
  await store.db
    .execute(sql`
      WITH files AS (
        SELECT * FROM json_to_recordset(${rows}::json) AS f (file text, line integer, message text)
      ), mended AS (
        DELETE FROM ${notLoaded}
        WHERE projector = ${projector} AND file NOT IN (SELECT file FROM files) OR NOT ${isCurrent}
      )
      INSERT INTO ${notLoaded} (projector, file, line, message)
      SELECT ${projector}, file, line, message FROM files ORDER BY file
      ON CONFLICT (projector, file) DO UPDATE
      SET line = excluded.line, message = excluded.message, reported_at = excluded.reported_at`)
    .catch((error: unknown) => {
      throw asStoreError(error, 'report of files that do not load')
    })
}

/** The files that do not load, by name; of one that several projectors report, the newest word. Rejects with `StoreUnavailable`. */
export const readNotLoaded = (store: Store): Promise<NotLoaded[]> =>
  selectRows<{ file: string; line: number | null; message: string }>(
    store,
    sql`
      SELECT DISTINCT ON (file) file, line, message FROM ${notLoaded} WHERE ${isCurrent}
      ORDER BY file, reported_at DESC`,
  )
