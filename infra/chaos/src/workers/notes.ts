/**
 * What a worker writes down before and after each step. It goes to a file at once, so that it is there also when the worker
 * is killed in the next instruction: an acknowledgement that nobody noted could not be told from an event that was passed
 * over. Times are of the machine's monotonic clock, in milliseconds, which all processes share.
 */
import { closeSync, existsSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import process from 'node:process'

export interface Delivered {
  readonly topic: string
  readonly epoch: number
  readonly seq: number
  readonly id: string
  readonly source: string
  /** As in {@link Seen}. */
  readonly digest: string
  readonly attempt: number
  readonly token: string
}

interface Got {
  readonly kind: 'got'
  readonly at: number
  readonly subscription: string
  /** The token of them all. */
  readonly grant: string
  readonly items: readonly Delivered[]
}

interface Asked {
  readonly kind: 'asked'
  readonly at: number
  readonly subscription: string
  /** Of this worker: what is told has the same. */
  readonly number: number
  readonly items: readonly { readonly token: string; readonly do: string }[]
}

interface Told {
  readonly kind: 'told'
  readonly at: number
  readonly number: number
  readonly items: readonly { readonly token: string; readonly result: string }[]
}

/** An answer that no request of a worker deserves. */
interface Surprised {
  readonly kind: 'surprised'
  readonly at: number
  readonly what: string
}

export type Note = Got | Asked | Told | Surprised

export const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6

export function openNotes<One = Note>(path: string): Disposable & { write(note: One): void } {
  const file = openSync(path, 'a')
  return {
    write: (note) => {
      writeSync(file, `${JSON.stringify(note)}\n`)
    },
    [Symbol.dispose]: () => closeSync(file),
  }
}

/** How many bytes of notes there are: it grows with each. */
export const sizeOfNotes = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

/** All notes of a worker, or of a receiver, in their order; none when it has not begun to write. */
export function readNotes<One = Note>(path: string): One[] {
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n')
  lines.pop() // behind the last line's end there is nothing, or half of a line
  return lines.map((line) => JSON.parse(line) as One)
}
