import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import type { Member } from './fleet.ts'

/** What runs now. A `pid` is null while the process is being restarted, and for a server that is not ours. */
export interface RunFile {
  readonly gateway: {
    readonly pid: number | null
    readonly url: string
    /** Where it answers /healthz and /readyz, however full its door is. */
    readonly health: string
    /** Where it serves its metrics, and the system's; null until it does. */
    readonly metrics: string | null
  }
  readonly consumers: readonly Member[]
  readonly projectors: readonly Member[]
  readonly dispatchers: readonly Member[]
  readonly redis: { readonly pid: number | null; readonly url: string }
  /**
   * Of one of our own the owner's URL: with it people read the tables and mend them, and no more. The superuser's password
   * is in the file `postgres/password`.
   */
  readonly postgres: { readonly pid: number | null; readonly url: string }
}

/**
 * `run.json` in a data directory, and beside it `prometheus.json`, which Prometheus reads to find the apps (file_sd_configs).
 * They are there from the first `show` on; disposing removes them.
 */
export interface PublishedRunFile extends Disposable {
  show(running: () => RunFile): void
  /** Something has changed. */
  refresh(): void
}

export function publishRunFile(dir: string, onTrouble: (error: unknown) => void): PublishedRunFile {
  const file = join(dir, 'run.json')
  const targetsFile = join(dir, 'prometheus.json')
  let running: (() => RunFile) | undefined
  const remove = () => {
    for (const one of [file, targetsFile]) rmSync(one, { force: true })
  }
  // What runs goes on running when it cannot be written down, on a full disk for instance.
  const refresh = () => {
    try {
      if (running === undefined) return
      const now = running()
      replace(file, now, 0o600)
      replace(targetsFile, targetsOf(now), 0o644)
    } catch (error) {
      onTrouble(Object.assign(error as Error, { path: file })) // Node names none when a write fails
    }
  }
  remove() // one that a killed process left is out of date
  process.once('exit', remove) // a forced end
  return {
    refresh,
    show: (what) => {
      running = what
      refresh()
    },
    [Symbol.dispose]: () => {
      running = undefined
      process.off('exit', remove)
      remove()
    },
  }
}

// Readers see the old text or the new one, never half of one. Synchronous, so that two changes in a row
// cannot overtake each other. URLs of servers hold passwords, hence the mode.
function replace(file: string, content: unknown, mode: number): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(content, undefined, 2)}\n`, { mode })
  renameSync(`${file}.new`, file)
}

/**
 * What there is to scrape, as Prometheus reads it. A process has another port after each start, and is the same instance.
 * https://prometheus.io/docs/prometheus/latest/configuration/configuration/#file_sd_config
 */
function targetsOf({ gateway, consumers, projectors, dispatchers }: RunFile) {
  const all = [
    { app: 'gateway', name: 'gateway', metrics: gateway.metrics },
    ...consumers.map((one) => ({ app: 'consumer', ...one })),
    ...projectors.map((one) => ({ app: 'projector', ...one })),
    ...dispatchers.map((one) => ({ app: 'dispatcher', ...one })),
  ]
  return all.flatMap(({ app, name, metrics }) =>
    metrics === null ? [] : [{ targets: [new URL(metrics).host], labels: { app, instance: name } }],
  )
}
