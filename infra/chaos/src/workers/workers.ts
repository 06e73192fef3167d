// The workers of a run, which are kept up as an orchestrator would: who is killed is followed by another.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import type { KeyNow } from '../clients/door.ts'
import type { Random } from '../random.ts'
import { type Note, readNotes, sizeOfNotes } from './notes.ts'
import type { Plan } from './plan.ts'
import type { WorkerOptions } from './worker.ts'

export interface Worker {
  readonly name: string
  readonly exited: Promise<unknown>
  /** Of what it has done so far. */
  notes(): readonly Note[]
  /** Grows whenever it does something. */
  progress(): number
  signal(name: NodeJS.Signals): void
  /** It takes nothing more; resolves once it has settled what it has, and has ended. */
  finish(): Promise<void>
}

export interface Workers extends AsyncDisposable {
  /** Those that run now. */
  members(): readonly Worker[]
  /** One beside those that are kept up; it may end. */
  start(options: Pick<WorkerOptions, 'plans' | 'workMs'>): Worker
  /** All end as by kill -9, and nobody follows until `resume`. */
  cut(): Promise<void>
  resume(): void
  /** Those that are kept up take nothing more, and end; then come the notes of all there ever were, by worker. */
  finish(): Promise<ReadonlyMap<string, readonly Note[]>>
  /** Those that ended by themselves, in words. */
  ended(): readonly string[]
}

export interface WorkersOptions {
  readonly size: number
  readonly url: string
  readonly seed: number
  readonly plans: readonly Plan[]
  readonly keyNow?: KeyNow | undefined
  /** Where they keep their notes. */
  readonly dir: string
}

const program = fileURLToPath(new URL('worker.ts', import.meta.url))
const keyEveryMs = 300
const workMs = [0, 60] as const

export function startWorkers(options: WorkersOptions): Workers {
  const { size, plans, url, seed, dir, keyNow = () => undefined } = options
  const all: Started[] = []
  const members = new Set<Started>()
  const ended: string[] = []
  let isKeptUp = true

  function start(more: Pick<WorkerOptions, 'plans' | 'workMs'>): Started {
    const name = `worker-${all.length + 1}`
    const worker = startWorker({ ...more, name, url, seed, notes: join(dir, `${name}.jsonl`) }, keyNow())
    all.push(worker)
    return worker
  }

  function keepUp(): void {
    const worker = start({ plans, workMs })
    members.add(worker)
    void worker.exited.then(() => {
      members.delete(worker)
      if (!worker.isMeantToEnd()) ended.push(`${worker.name} ended by itself`)
      if (isKeptUp) keepUp()
    })
  }

  const renewing = setInterval(() => {
    for (const worker of all) worker.renew(keyNow())
  }, keyEveryMs)
  for (let count = 0; count < size; count++) keepUp()
  const end = async () => {
    isKeptUp = false
    for (const worker of all) worker.signal('SIGKILL')
    await Promise.all(all.map(({ exited }) => exited))
  }
  return {
    members: () => [...members],
    start,
    cut: end,
    resume: () => {
      isKeptUp = true
      for (let count = 0; count < size; count++) keepUp()
    },
    finish: async () => {
      isKeptUp = false
      await Promise.all([...members].map((worker) => worker.finish()))
      return new Map(all.map((worker) => [worker.name, worker.notes()]))
    },
    ended: () => ended,
    [Symbol.asyncDispose]: async () => {
      clearInterval(renewing)
      await end()
    },
  }
}

interface Started extends Worker {
  renew(key: string | undefined): void
  isMeantToEnd(): boolean
}

function startWorker(options: WorkerOptions, firstKey: string | undefined): Started {
  const env = { PATH: process.env.PATH, SEKALI_TOKEN: firstKey }
  const child = fork(program, [], { execArgv: [], env })
  const exited = once(child, 'exit')
  let isMeantToEnd = false
  let key = firstKey
  send(child, options)
  return {
    name: options.name,
    exited,
    notes: () => readNotes(options.notes),
    progress: () => sizeOfNotes(options.notes),
    signal: (name) => {
      if (name !== 'SIGSTOP' && name !== 'SIGCONT') isMeantToEnd = true
      child.kill(name)
    },
    finish: async () => {
      isMeantToEnd = true
      send(child, 'finish')
      await exited
    },
    renew: (now) => {
      if (now === key || now === undefined) return
      key = now
      send(child, { key })
    },
    isMeantToEnd: () => isMeantToEnd,
  }
}

function send(child: ChildProcess, message: object | string): void {
  // It may just have been killed.
  if (child.connected) child.send(message, () => undefined)
}

/** One of those that are kept up. Throws when there is none now: then the fault cannot be injected. */
export function pickWorker({ members }: Pick<Workers, 'members'>, random: Random): Worker {
  const all = members()
  if (all.length === 0) throw new Error('there is no worker')
  return random.pick(all)
}
