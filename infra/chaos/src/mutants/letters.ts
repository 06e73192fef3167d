// Ways to redrive dead letters twice, not at all, or without end.
import type { Mutant } from './mutant.ts'

const file = 'packages/store/src/operations/lease.ts'

export const letterMutants: readonly Mutant[] = [
  {
    name: 'redrive-forgets-as-of',
    breaks: 'what becomes a dead letter during a redrive is redriven as well, without end',
    edits: [{ file, find: 'checkpoint, asOf, limit', replace: 'checkpoint, Math.max(asOf, 1e12), limit' }],
    test: { project: 'store', file: 'redrives', name: 'a step marks what it appends' },
  },
  {
    name: 'settles-before-append',
    breaks: 'letters are marked as redriven although nothing was appended',
    edits: [
      {
        file,
        find: 'await append(new Set(taken.map(Number)))',
        replace: 'await append(new Set(taken.map(Number))).catch(() => undefined)',
      },
    ],
    test: { project: 'store', file: 'redrives', name: 'a step marks what it appends' },
  },
  {
    name: 'redrives-overlap',
    breaks: 'two redrives at once both append the same letters',
    edits: [
      {
        file,
        find: 'await append(new Set(taken.map(Number)))',
        replace: 'await append(new Set(letters))',
      },
      { file, find: 'if (taken.length > 0) await', replace: 'if (letters.length > 0) await' },
    ],
    test: { project: 'store', file: 'redrives', name: 'two redrives of one letter' },
  },
  {
    name: 'lease-unchecked',
    breaks: 'who was paused, and has lost its redrive to another gateway, goes on with it',
    edits: [
      {
        file,
        find: "if (stepped !== 'ours') return stepped",
        replace: "if (stepped === 'actor_ended') return stepped",
      },
    ],
    test: { project: 'store', file: 'redrives', name: 'a lease has one holder' },
  },
  {
    name: 'operations-outlive-keys',
    breaks: 'a redrive goes on although the key that began it was revoked',
    edits: [{ file, find: "if (stepped !== 'ours')", replace: "if (stepped === 'lost')" }],
    test: { project: 'store', file: 'redrives', name: 'a redrive stops at its next step' },
  },
]
