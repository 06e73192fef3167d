/**
 * The attackers: a process of their own, so that what they need is not the judge's, and of low priority, because in
 * truth they would bring machines of their own. `node attack-worker.ts ATTACK URL ADDRESS SECONDS`.
 */
import { setMaxListeners } from 'node:events'
import { setPriority } from 'node:os'
import process from 'node:process'
import type { Attack } from './attack.ts'
import { publishingAttacks } from './publishing.ts'
import { readingAttacks } from './reading.ts'

const attacks: Readonly<Record<string, Attack>> = { ...publishingAttacks, ...readingAttacks }
const lowPriority = 5

process.once('disconnect', () => process.exit(0))
const [name = '', url = '', localAddress = '', seconds = ''] = process.argv.slice(2)
const answers: Record<string, number> = {}
process.send?.('begun')
setPriority(lowPriority)
const signal = AbortSignal.timeout(Number(seconds) * 1_000)
setMaxListeners(0, signal)
await attacks[name]?.({
  url: new URL(url),
  localAddress,
  signal,
  note: (answer) => {
    answers[answer] = (answers[answer] ?? 0) + 1
  },
})
process.send?.(answers, () => process.exit(0))
