import type { DeadDelivery, Evidence, FloorSample, GroupEvidence } from '../../src/check/evidence.ts'
import type { LogRow } from '../../src/clients/log.ts'
import type { Note } from '../../src/workers/notes.ts'
import { fact, rowOf, soundRun, topic } from '../evidence.ts'
import { askedAt, gotNote, groupsOf, refusedNumber, settleNotes, stepMs, tokenOf } from '../groups.ts'
import { type Breach, broke, withLog } from './broken.ts'

function withGroups(
  change: (groups: GroupEvidence, log: readonly LogRow[]) => Partial<GroupEvidence>,
): Evidence {
  const { log } = soundRun()
  const groups = groupsOf(topic, log)
  return broke({ groups: { ...groups, ...change(groups, log) } })
}

/** The notes of the worker, changed; and those of another one. */
const withNotes = (
  change: (notes: Note[], log: readonly LogRow[]) => Note[],
  others: (log: readonly LogRow[]) => Note[] = () => [],
): Evidence =>
  withGroups(({ notes }, log) => ({
    notes: new Map([
      ['worker-1', change([...(notes.get('worker-1') ?? [])], log)],
      ['worker-2', others(log)],
    ]),
  }))

const isOf = (note: Note, subscription: string, seq: number): boolean =>
  (note.kind === 'got' || note.kind === 'asked') &&
  note.subscription === subscription &&
  note.items.some(({ token }) => token === tokenOf(subscription, seq))

const withFloor = (floor: Omit<FloorSample, 'topic' | 'subscription'>): Evidence =>
  withGroups(() => ({ floors: [{ subscription: 'unordered', topic, ...floor }] }))

const withDead = (...dead: DeadDelivery[]): Evidence =>
  withGroups(() => ({ dead: new Map([['unordered', dead]]) }))

const row = (log: readonly LogRow[], seq: number): LogRow => log[seq - 1] as LogRow

const settled = 'every event was settled by a worker'
const stored = 'workers got what the log has'
const refused = 'nothing is dead for a group'
const floors = 'the floor of a group'
const tokens = 'a token is good once'
const ordered = 'workers got the events of a source one at a time'

/** Runs whose workers were passed over, given something else, too early, or believed too late. */
export const ofGroups: readonly Breach[] = [
  [
    'a group passes over an event that a worker had and did not settle',
    settled,
    /^unordered: orders seq 6 \(b-3\) is settled, and no worker did that: it was delivered 1 times/,
    () => withNotes((notes) => notes.filter((note) => note.kind !== 'asked' || !isOf(note, 'unordered', 6))),
  ],
  [
    'a group never gets an event',
    settled,
    /^ordered: orders seq 6 .*: nobody ever got it/,
    () => withNotes((notes) => notes.filter((note) => !isOf(note, 'ordered', 6))),
  ],
  [
    'a worker gets another content',
    stored,
    /^unordered: orders seq 2 \(b-1\) was delivered, and the log has b-1/,
    () =>
      withNotes(
        (notes) => notes,
        (log) => [gotNote(topic, 'unordered', row(log, 2), { digest: 'another' })],
      ),
  ],
  [
    'a worker gets what is not in the log',
    stored,
    /seq 9 \(c-1\) was delivered, and the log has nothing/,
    () =>
      withNotes(
        (notes) => notes,
        () => [gotNote(topic, 'unordered', rowOf(fact('c', 1), 9))],
      ),
  ],
  [
    'a worker gets what its group did not ask for',
    stored,
    /^refusing: orders seq 2 \(b-1\) of b was delivered, and does not match/,
    () =>
      withNotes(
        (notes) => notes,
        (log) => [gotNote(topic, 'refusing', row(log, 2))],
      ),
  ],
  [
    'an event is given up that nobody refused',
    refused,
    /seq 3 \(a-2\) is a dead letter, and nobody refused it/,
    () => withDead({ topic, seq: 3 }),
  ],
  [
    'an event that is always refused is never given up',
    refused,
    new RegExp(`^refusing: orders seq 7 \\(a-${refusedNumber}\\) was always refused, and is no dead letter`),
    () => {
      const evidence = withLog((log) => [...log, rowOf(fact('a', refusedNumber), 7)])
      return { ...evidence, groups: { ...(evidence.groups as GroupEvidence), dead: new Map() } }
    },
  ],
  [
    'a floor is past an exception',
    floors,
    /floor of orders was 4, and the first unsettled event 4/,
    () => withFloor({ at: 1e6, floor: 4, firstUnsettled: 4 }),
  ],
  [
    'a floor stays behind',
    floors,
    /floor of orders was 2, and the first unsettled event 6/,
    () => withFloor({ at: 1e6, floor: 2, firstUnsettled: 6 }),
  ],
  [
    'a floor is past an event that no worker had settled yet, and nothing in PostgreSQL says so',
    floors,
    /floor of orders was 5 before all up to there was settled/,
    () => withFloor({ at: askedAt(5) - 1, floor: 5, firstUnsettled: 6 }),
  ],
  [
    'two workers acknowledge one event, and both are told that it is done',
    tokens,
    /seq 2 \(b-1\) was acknowledged twice/,
    () =>
      withNotes(
        (notes) => notes,
        (log) => [
          gotNote(topic, 'unordered', row(log, 2), { attempt: 2 }),
          ...settleNotes('unordered', tokenOf('unordered', 2, 2), 1_000),
        ],
      ),
  ],
  [
    'a late acknowledgement is good although another worker has the event',
    tokens,
    /seq 2 \(b-1\): a token of attempt 1 was good after attempt 2 had begun/,
    () =>
      withNotes(
        (notes) => notes,
        (log) => [gotNote(topic, 'unordered', row(log, 2), { attempt: 2, at: askedAt(2) - 1 })],
      ),
  ],
  [
    'an event comes before the one before it in its source is settled',
    ordered,
    /seq 3 \(a-2\) was delivered before a-1 was settled/,
    () =>
      withNotes(
        (notes) => notes,
        (log) => [gotNote(topic, 'ordered', row(log, 3), { at: askedAt(1) - 1 })],
      ),
  ],
  [
    'an event comes together with the one before it in its source',
    ordered,
    /seq 3 \(a-2\) was delivered before a-1 was settled/,
    () =>
      withNotes(
        (notes) => notes,
        (log) => [gotNote(topic, 'ordered', row(log, 3), { at: stepMs })],
      ),
  ],
  [
    'a group never comes to its end',
    'worker groups came back',
    /3 of unordered/,
    () => withGroups(() => ({ drain: { ms: undefined, msMax: 15_000, left: '3 of unordered' } })),
  ],
]
