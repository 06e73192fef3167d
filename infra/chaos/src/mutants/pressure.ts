// Ways to take more than a topic or Redis may hold, or nothing any more.
import type { Mutant } from './mutant.ts'

export const pressureMutants: readonly Mutant[] = [
  {
    name: 'backlog-unbounded',
    breaks: 'events of a topic that nobody stores are taken until Redis is full',
    edits: [
      {
        file: 'apps/gateway/src/pressure/pressure.ts',
        find: 'if (full.size === 0) return',
        replace: 'if (full.size >= 0) return',
      },
    ],
    test: { project: 'gateway', file: 'backlog', name: 'a topic that nobody stores' },
  },
  {
    name: 'backlog-in-packs',
    breaks: 'what a topic has in flight is counted as Redis counts: 32 events are one',
    edits: [
      {
        file: 'packages/broker/src/operate/loads.ts',
        find: "field(info, 'entries-added') or false",
        replace: "field(info, 'length') or false",
      },
    ],
    test: { project: 'gateway', file: 'backlog', name: 'events count, and not what Redis' },
  },
  {
    name: 'bytes-from-a-sample',
    breaks: 'what a stream weighs is told from its first five nodes',
    edits: [
      {
        file: 'packages/broker/src/operate/loads.ts',
        find: "'SAMPLES', '0')",
        replace: "'SAMPLES', '5')",
      },
    ],
    test: { project: 'gateway', file: 'backlog', name: 'large events behind many small ones' },
  },
  {
    name: 'full-for-ever',
    breaks: 'a topic that was full takes nothing any more, although consumers have made room',
    edits: [
      {
        file: 'apps/gateway/src/pressure/holds.ts',
        find: '(held.isGuess ? 1 : reopenAt)',
        replace: '(held.isGuess ? 1 : 0)',
      },
    ],
    test: { project: 'gateway', file: 'backlog', name: 'a topic that nobody stores' },
  },
  {
    name: 'shed-never-ends',
    breaks: 'once Redis was nearly full, nothing is taken any more',
    edits: [
      {
        file: 'apps/gateway/src/pressure/memory-load.ts',
        find: 'percent < shedUntil',
        replace: 'percent < 0',
      },
    ],
    test: { project: 'gateway', file: 'shedding', name: 'refused from 85 %' },
  },
  {
    name: 'shed-without-hysteresis',
    breaks: 'publishing is taken again as soon as Redis is a little below where it was refused',
    edits: [
      {
        file: 'apps/gateway/src/pressure/memory-load.ts',
        find: 'percent < shedUntil',
        replace: 'percent < shedAt',
      },
    ],
    test: { project: 'gateway', file: 'shedding', name: 'refused from 85 %' },
  },
]
