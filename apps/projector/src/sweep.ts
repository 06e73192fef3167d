/**
 * Once a second a projector reads the definitions and queues every projection: hints about what is stored are lossy, and
 * a projector that died in a turn leaves work that no queue has. PostgreSQL is not asked more often while nothing happens.
 */
import { pause } from '@sekali/process/backoff'
import type { Logger } from '@sekali/process/log'
import type { WorkQueue } from '@sekali/process/work-queue'
import { announceMs, announceProjections } from '@sekali/store/announce-projections'
import type { Store } from '@sekali/store/connect'
import { forgetRetired } from '@sekali/store/forget-retired'
import { registerProjection } from '@sekali/store/register-projection'
import type { LoadedDefinition } from './definitions/held-process.ts'

const sweepMs = 1_000
/** Chunks of old states that one sweep deletes, so that turns come in between. */
const chunksMax = 10

interface SweepContext {
  readonly store: Store
  readonly log: Logger
  /** Rejects where PostgreSQL is an old primary. */
  readonly requireNewest: () => Promise<void>
  readonly load: () => Promise<LoadedDefinition[]>
  /** Says which files do not load. Rejects when PostgreSQL is away. */
  readonly report: () => Promise<void>
  /** Gets the definitions that are registered, at each sweep. */
  readonly onDefinitions: (definitions: readonly LoadedDefinition[]) => void
}

/** Sweeps until `signal` is aborted. Never rejects. */
export async function runSweeps(
  context: SweepContext,
  queue: WorkQueue<string>,
  signal: AbortSignal,
): Promise<void> {
  const { store, log, load, report, onDefinitions } = context
  const registered = new Map<string, LoadedDefinition>()
  let announcedAt = -Infinity
  while (!signal.aborted) {
    try {
      await context.requireNewest()
      // What cannot be reported keeps nothing from being folded. What keeps all from being loaded is reported, too.
      const definitions = await load().finally(() =>
        report().catch((error: unknown) =>
          log.warn({ err: error }, 'files that do not load cannot be reported'),
        ),
      )
      await registerAll(context, definitions, registered)
      // A definition that is not registered waits for the next sweep, and keeps no other waiting.
      const ready = definitions.filter((definition) => registered.get(definition.name) === definition)
      onDefinitions(ready)
      if (performance.now() - announcedAt >= announceMs) {
        const dropped = await announceProjections(store, [...registered.keys()])
        for (const name of dropped) registered.delete(name)
        announcedAt = performance.now()
      }
      for (const { name } of ready) queue.add(name)
      for (let chunk = 0; chunk < chunksMax && !signal.aborted; chunk++) {
        if (!(await forgetRetired(store))) break
      }
    } catch (error) {
      log.warn({ err: error }, 'sweep failed')
    }
    await pause(sweepMs, signal)
  }
}

/** Registers the definitions that have changed since they were, and notes them in `registered`. */
async function registerAll(
  context: SweepContext,
  definitions: readonly LoadedDefinition[],
  registered: Map<string, LoadedDefinition>,
): Promise<void> {
  // A file may come back after it was gone, and its projection may have been dropped meanwhile.
  for (const name of registered.keys()) {
    if (!definitions.some((definition) => definition.name === name)) registered.delete(name)
  }
  for (const definition of definitions) {
    const { name } = definition
    if (registered.get(name) === definition) continue
    try {
      await register(context, definition)
      registered.set(name, definition)
    } catch (error) {
      context.log.warn(
        { projection: name, err: error },
        'projection cannot be registered, will be tried again',
      )
    }
  }
}

async function register({ store, log }: SweepContext, definition: LoadedDefinition): Promise<void> {
  const { name, version, source } = definition
  const registration = await registerProjection(store, { ...definition, hash: source.hash })
  const about = { projection: name, version }
  if (registration === 'building') log.info(about, 'projection is being built')
  if (registration === 'superseded') {
    log.warn(about, 'a later version is registered: to go back, raise the version of this one')
  }
}
