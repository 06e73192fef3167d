import { TooManyTopics } from '@sekali/core/errors'
import type { TopicName } from '@sekali/core/event'
import type { Head } from '@sekali/core/head'
import { limits } from '@sekali/core/limits'
import type { TopicPattern } from '@sekali/core/pattern'
import type { Heads } from '../heads/heads.ts'
import type { Progress } from './progress.ts'

/** Follows the heads of a feed's topics, reported or read, and keeps its progress up to date. */
export interface Targets extends Disposable {
  /** Where the topics are now. Rejects with `TooManyTopics` or `StoreUnavailable`. */
  read(): Promise<readonly Head[]>
}

export interface TargetsDeps {
  readonly pattern: TopicPattern
  readonly heads: Heads
  readonly progress: Progress
  /** There may be something new to read. */
  readonly onMoved: () => void
  /** A topic is reported to be in another epoch than the feed reads: the report is late, or the log has forked. */
  readonly onOther: () => void
}

export function followHeads({ pattern, heads, progress, onMoved, onOther }: TargetsDeps): Targets {
  const which = pattern.isPattern ? pattern : (pattern.text as string as TopicName)
  const onHead = (head: Head) => {
    if (progress.isOther(head)) return onOther()
    progress.aim(head)
    onMoved()
  }
  const watch = heads.watch(which, onHead, 'changes')
  return {
    async read() {
      const found = await heads.read(pattern)
      if (found.length > limits.patternTopicsMax)
        throw new TooManyTopics(`more than ${limits.patternTopicsMax}`)
      for (const head of found) if (!progress.isOther(head)) progress.aim(head)
      onMoved()
      return found
    },
    [Symbol.dispose]: () => watch[Symbol.dispose](),
  }
}
