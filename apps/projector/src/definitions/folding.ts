/**
 * Runs definitions in a process of their own, for one holder at a time. A definition that blocks or ends the process does
 * not keep the others from being folded: the process is replaced. The process notes which events it is at before a
 * definition gets them; folding these one by one finds the one that is to blame.
 */
import type { Logger } from '@sekali/process/log'
import { createStarter } from '../confined/fold-process.ts'
import type { Source } from '../confined/source.ts'
import { createHeldProcess, type HeldProcess } from './held-process.ts'
import { createLateTexts } from './late-texts.ts'

export interface Folding extends AsyncDisposable {
  /** As {@link HeldProcess} does it. A text that is left alone because it was late is refused at once. */
  readonly load: HeldProcess['load']
  isLeftAlone(source: Source): boolean
  /**
   * Another process, for files that have failed. Node keeps the failure of a module, also of one that a definition imports,
   * for as long as a process lives: in the old one a file that was mended elsewhere fails for ever.
   */
  startAfresh(): Afresh
  /**
   * Keeps the process for `work` alone: while `work` has a transaction open, it must not wait for the import of another
   * file.
   */
  hold<T>(work: (process: HeldProcess) => Promise<T>): Promise<T>
}

/** It imports nothing that has not failed before, so no other definition waits for it. */
export interface Afresh {
  readonly load: HeldProcess['load']
  /** Ends it. If it could import what the process in use cannot, it takes the place of that one. */
  settle(): Promise<void>
}

export interface FoldingConfig {
  readonly foldMs: number
  readonly importMs: number
  /** The folder that definitions are read from. */
  readonly dir?: string | undefined
  /** Memory of the process for JavaScript. */
  readonly memoryMb: number
}

export function startFolding({ dir, memoryMb, ...limits }: FoldingConfig, log: Logger): Folding {
  const late = createLateTexts(limits.importMs)
  const start = createStarter({ dir, memoryMb }, log)
  const create = () => createHeldProcess(limits, start, late)
  let process = create()
  let last: Promise<unknown> = Promise.resolve()

  /** One at a time, so that no definition is blamed for the time of another. */
  function hold<T>(work: (process: HeldProcess) => Promise<T>): Promise<T> {
    const done = last.then(() => work(process))
    last = done.catch(() => undefined)
    return done
  }

  function startAfresh(): Afresh {
    const fresh = create()
    const loaded = new Map<Source, number>()
    return {
      async load(source) {
        const definitions = await fresh.load(source)
        loaded.set(source, definitions.length)
        return definitions
      },
      async settle() {
        if (loaded.size === 0) return await fresh.end()
        await hold(async () => {
          const left = (await hasAll(process, loaded)) ? fresh : process
          if (left === process) process = fresh
          await left.end()
        })
      },
    }
  }

  return {
    startAfresh,
    async load(source) {
      late.refuse(source)
      return await hold(() => process.load(source))
    },
    isLeftAlone: late.isLeftAlone,
    hold,
    [Symbol.asyncDispose]: async () => {
      await last
      await process.end()
    },
  }
}

/** Whether a process can import these sources too, and finds as many definitions in each. */
async function hasAll(process: HeldProcess, sources: ReadonlyMap<Source, number>): Promise<boolean> {
  for (const [source, count] of sources) {
    const definitions = await process.load(source).catch(() => undefined)
    if (definitions?.length !== count) return false
  }
  return true
}
