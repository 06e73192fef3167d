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
   * Keeps the process for `work` alone: while `work` has a transaction open, it must not wait for the import of another
   * file.
   */
  hold<T>(work: (process: HeldProcess) => Promise<T>): Promise<T>
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
  const process = createHeldProcess(limits, createStarter({ dir, memoryMb }, log), late)
  let last: Promise<unknown> = Promise.resolve()

  /** One at a time, so that no definition is blamed for the time of another. */
  function hold<T>(work: (process: HeldProcess) => Promise<T>): Promise<T> {
    const done = last.then(() => work(process))
    last = done.catch(() => undefined)
    return done
  }

  return {
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
