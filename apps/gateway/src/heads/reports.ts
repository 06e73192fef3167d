import type { Head } from '@sekali/core/head'
import type { KnownHeads } from './known-heads.ts'
import type { Watchers } from './watchers.ts'

/** Passes heads on: each only if it has moved, and only to the watchers of its topic. */
export interface Reports {
  readonly known: KnownHeads
  readonly watchers: Watchers
  /** A consumer has announced this head. */
  onAnnounced(head: Head): void
  /** PostgreSQL has this head. */
  onRead(head: Head): void
  /** Forgets heads of topics without watchers: nobody keeps them up to date. */
  forgetUnwatched(): void
}

export function createReports(known: KnownHeads, watchers: Watchers): Reports {
  function report(head: Head, note: (head: Head) => boolean): void {
    const concerned = watchers.of(head.topic)
    if (concerned.length === 0)
      known.forget(head.topic) // a later watcher would get an old state
    else if (note(head)) for (const onHead of concerned) onHead(head)
  }

  return {
    known,
    watchers,
    onAnnounced: (head) => report(head, known.announce),
    onRead: (head) => report(head, known.confirm),
    forgetUnwatched() {
      for (const topic of known.topics()) if (watchers.of(topic).length === 0) known.forget(topic)
    },
  }
}
