/**
 * A process for definitions, seen from outside: it answers a request in time, or is killed. fold-main.ts is what runs
 * inside, and confinement.ts the walls around it.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { SekaliError } from '@sekali/core/errors'
import { placeOf } from '@sekali/core/place'
import type { Logger } from '@sekali/process/log'
import { nodeFlags, type Walls, wallsFor } from './confinement.ts'
import type { Answer, Call, Hello, Request } from './fold-protocol.ts'
import { type Notes, openNotes } from './notes.ts'
import type { Place } from './place-of-error.ts'

/** A definition gave no answer in time, or ended its process. */
export class Stuck extends SekaliError {
  readonly code = 'definition_stuck'
  readonly retryable = true
  /** The index in the batch of the first of the events that it had then, if that was noted. */
  readonly at: number | undefined

  constructor(message: string, at?: number) {
    super(message)
    this.at = at
  }
}

/** What the process could not do, in its words; of an import also where. */
export class Refusal extends Error {
  readonly place: Place | undefined

  constructor(message: string, place: Place | undefined) {
    super(message)
    this.place = place
  }
}

/** A file was not imported in time. */
class Late extends SekaliError {
  readonly code = 'definition_late'
  readonly retryable = true
}

export interface FoldProcess {
  /** One request at a time. Throws {@link Stuck} when the process has ended, {@link Late}, or {@link Refusal}. */
  call<T>(request: Request, ms: number): Promise<T>
  isEnded(): boolean
  end(): Promise<void>
}

interface FoldProcessOptions {
  readonly dir: string | undefined
  readonly memoryMb: number
}

/** Time is counted in ticks: while a projector is stopped itself there are none, and no definition is blamed for it. */
const tickMs = 25
/** Between two log lines about stray errors: a definition may make one at each event. */
const strayLogMs = 60_000
const endedItsProcess = 'the definition ended its process'
/** What V8 says before it ends. */
const saidCharsMax = 4_096
const outOfMemory = /out of memory|heap limit|Allocation failed/i
const program = fileURLToPath(placeOf(import.meta.url, './fold-main.ts', './confined/fold-main.mjs'))

/** Returns a function that starts processes with the best walls that this machine has; the first start finds them. */
export function createStarter(options: FoldProcessOptions, log: Logger): () => Promise<FoldProcess> {
  let left = wallsFor(options.memoryMb)
  let isLogged = false
  let loggedAt = -Infinity
  const onStray = (error: string) => {
    if (performance.now() - loggedAt < strayLogMs) return
    loggedAt = performance.now()
    log.error(
      { error },
      'a definition left something behind that failed; key and apply must be pure and wait for nothing',
    )
  }
  return async () => {
    for (;;) {
      const [walls, ...others] = left
      if (walls === undefined) throw new Error('there is a way without walls')
      try {
        const started = await start(walls, options, onStray)
        if (!isLogged) log.info({ ...walls, command: undefined }, 'definitions have a process of their own')
        isLogged = true
        return started
      } catch (error) {
        // Once a process has started behind these walls, they are not to blame.
        if (isLogged || others.length === 0) throw error
        left = others
      }
    }
  }
}

/** Resolves when the process listens. No limit of a fold counts for that: no definition is to blame for a slow start. */
async function start(
  walls: Walls,
  { dir, memoryMb }: FoldProcessOptions,
  onStray: (error: string) => void,
): Promise<FoldProcess> {
  const node = [process.execPath, ...nodeFlags(memoryMb, dir), program, ...(dir === undefined ? [] : [dir])]
  const [command = '', ...args] = [...walls.command, ...node]
  const notes = openNotes()
  const child = spawn(command, args, {
    // Without a PATH, setpriv and its kind are looked for where the system has its own programs.
    env: {},
    stdio: ['ignore', 'ignore', 'pipe', 'ipc', notes.fd],
    serialization: 'advanced',
    // A Ctrl-C in a terminal is for the projector: it drains, and needs this process for it.
    detached: true,
  })
  const ending = watch(child, notes)
  const ready = Promise.withResolvers<void>()
  child.on('message', (answer: Answer) => {
    if ('isReady' in answer) ready.resolve()
    if ('stray' in answer) onStray(answer.stray)
  })
  const key = randomUUID()
  child.send({ key } satisfies Hello, () => undefined) // if it cannot be sent, the process has ended
  void ending.ended.then(() =>
    ready.reject(new Stuck(`the process for definitions did not start${ending.lastError()}`)),
  )
  await ready.promise
  const end = async () => {
    child.kill('SIGKILL')
    await ending.ended
  }
  return {
    call: (request, ms) => call({ child, key, ending, end }, request, ms),
    isEnded: ending.isEnded,
    end,
  }
}

interface Ending {
  readonly ended: Promise<void>
  isEnded(): boolean
  /** Why it has ended, in words. */
  readonly reason: () => string
  /** The error that it has printed last, behind a colon; nothing if it has printed none. */
  readonly lastError: () => string
  /** The index in the batch of the event that the definition got last, if it was noted. */
  readonly noted: () => number | undefined
  forget(): void
}

function watch(child: ChildProcess, notes: Notes): Ending {
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  let isEnded = false
  let isMemory = false
  let said = ''
  let noted: number | undefined
  const onEnd = () => {
    if (isEnded) return
    isEnded = true
    noted = notes.read()
    notes.close()
    resolve()
  }
  // After its pipes have been read to the end. A command that does not exist has no such end.
  child.on('close', onEnd)
  child.on('error', () => child.pid === undefined && onEnd())
  child.stderr?.on('data', (text: Buffer) => {
    isMemory ||= outOfMemory.test(text.toString())
    said = `${said}${text}`.slice(-saidCharsMax)
  })
  return {
    ended,
    isEnded: () => isEnded,
    reason: () => (isMemory ? 'the definition took all memory there is' : endedItsProcess),
    lastError: () => {
      const error = said.match(/^(?:\w*Error\b.*|\S+: .*)$/gm)?.at(-1)
      return error === undefined ? '' : `: ${error}`
    },
    noted: () => noted,
    forget: () => {
      if (!isEnded) notes.forget()
    },
  }
}

interface Running {
  readonly child: ChildProcess
  readonly key: string
  readonly ending: Ending
  readonly end: () => Promise<void>
}

async function call<T>({ child, key, ending, end }: Running, request: Request, ms: number): Promise<T> {
  if (ending.isEnded()) throw new Stuck(endedItsProcess)
  if (request.do === 'prepare') ending.forget()
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const id = randomUUID()
  const onMessage = (answer: Answer) => {
    if (!('id' in answer) || answer.id !== id) return
    if ('result' in answer) resolve(answer.result as T)
    else if ('refusal' in answer) {
      const { refusal, isLate, place } = answer
      reject(isLate ? new Late(refusal) : new Refusal(refusal, place))
    }
  }
  let ticks = 0
  const timer = setInterval(() => {
    ticks += 1
    if (ticks * tickMs >= ms) reject(new Stuck(`the definition gave no answer within ${ms} ms`))
  }, tickMs)
  const onEnd = () => reject(new Stuck(ending.reason()))
  child.on('message', onMessage).on('close', onEnd)
  child.send({ key, id, request } satisfies Call, () => undefined) // if it cannot be sent, the process has ended
  try {
    return await promise
  } catch (error) {
    if (!(error instanceof Stuck)) throw error
    await end()
    throw new Stuck(error.message, ending.noted())
  } finally {
    clearInterval(timer)
    child.off('message', onMessage).off('close', onEnd)
  }
}
