/**
 * Once a second a projector looks at the definitions and at every projection: hints about what is stored are lossy, and
 * a projector that died in a turn leaves news that nobody has. PostgreSQL is not asked more often while nothing happens.
 */
import { pause } from '@sekali/process/backoff'
import type { Logger } from '@sekali/process/log'
import type { WorkQueue } from '@sekali/process/work-queue'
import { announceMs, announceProjections } from '@sekali/store/announce-projections'
import type { Store } from '@sekali/store/connect'
import { forgetRetired } from '@sekali/store/forget-retired'
import { registerProjection } from '@sekali/store/register-projection'
import type { LoadedDefinition } from './definitions/folding.ts'

const lookMs = 1_000
/** Chunks of old states that are deleted at one look, so that turns come in between. */
const chunksMax = 10

interface LookContext {
  readonly store: Store
  readonly log: Logger
  readonly load: () => Promise<LoadedDefinition[]>
  /** Hears of the definitions that are registered, whenever they have changed. */
  readonly onDefinitions: (definitions: readonly LoadedDefinition[]) => void
}

/** Looks until `signal` is aborted. Never rejects. */
export async function runSweeps(
  { store, log, load, onDefinitions }: LookContext,
  queue: WorkQueue<string>,
  signal: AbortSignal,
): Promise<void> {
  const registered = new Map<string, LoadedDefinition>()
  let announcedAt = -Infinity
  while (!signal.aborted) {
    try {
      const definitions = await load()
      // A file may come back after it was gone, and its projection may have been dropped meanwhile.
      for (const name of registered.keys()) {
        if (!definitions.some((definition) => definition.name === name)) registered.delete(name)
      }
      for (const definition of definitions) {
        const { name } = definition
        if (registered.get(name) === definition) continue
        try {
          await register(definition)
          registered.set(name, definition)
        } catch (error) {
          log.warn({ projection: name, err: error }, 'projection cannot be registered, will be tried again')
        }
      }
      // What is not registered waits for the next look, and keeps nobody else waiting.
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
    await pause(lookMs, signal)
  }

  async function register(definition: LoadedDefinition): Promise<void> {
    const { name, version, source } = definition
    const registration = await registerProjection(store, { ...definition, hash: source.hash })
    const about = { projection: name, version }
    if (registration === 'building') log.info(about, 'projection is being built')
    if (registration === 'superseded') {
      log.warn(about, 'a later version is registered: to go back, raise the version of this one')
    }
  }
}
