import type { EndpointEvidence, Evidence } from '../../src/check/evidence.ts'
import type { LogRow } from '../../src/clients/log.ts'
import type { ReceiverNote } from '../../src/receivers/notes.ts'
import { arrayNotes, attemptOf, endpointsOf, refusedHookNumber, sentAt, sentNotes } from '../endpoints.ts'
import { fact, rowOf, soundRun, topic } from '../evidence.ts'
import { type Breach, broke, withLog } from './broken.ts'

function withEndpoints(
  change: (endpoints: EndpointEvidence, log: readonly LogRow[]) => Partial<EndpointEvidence>,
): Evidence {
  const { log } = soundRun()
  const endpoints = endpointsOf(topic, log)
  return broke({ endpoints: { ...endpoints, ...change(endpoints, log) } })
}

/** The notes of the receiver, changed; and those of another one, which followed it. */
const withNotes = (
  change: (notes: readonly ReceiverNote[], log: readonly LogRow[]) => readonly ReceiverNote[],
  others: (log: readonly LogRow[]) => readonly ReceiverNote[] = () => [],
): Evidence => withEndpoints(({ notes: [notes = []] }, log) => ({ notes: [change(notes, log), others(log)] }))

const same = (notes: readonly ReceiverNote[]): readonly ReceiverNote[] => notes
const isSent = (note: ReceiverNote, plan: string, seq: number): boolean =>
  note.kind === 'sent' && note.plan === plan && note.seq === seq
const without = (plan: string, seq: number) =>
  withNotes((notes) => notes.filter((note) => !isSent(note, plan, seq)))

/** An endpoint's attempts, changed. */
const withAttempts = (
  name: string,
  change: (all: readonly ReturnType<typeof attemptOf>[]) => readonly ReturnType<typeof attemptOf>[],
): Evidence =>
  withEndpoints(({ attempts }) => ({
    attempts: new Map([...attempts, [name, change(attempts.get(name) ?? [])]]),
  }))

const row = (log: readonly LogRow[], seq: number): LogRow => log[seq - 1] as LogRow
const settles = (seq: number) => ({ topic, seq })

const taken = 'every event was taken by the receiver'
const stored = 'receivers were sent what the log has'
const ordered = 'receivers were sent the events of a source'
const accounted = 'delivered, dead and unsettled were all'
const attempts = 'attempts are those that were made'
const dead = 'nothing is dead for an endpoint'
const strayed = 'nothing was sent where nothing may go'
const shown = 'no secret is in a log'

/** Runs whose receivers were passed over, sent something else, or out of order; and dispatchers that went where they may not. */
export const ofEndpoints: readonly Breach[] = [
  [
    'an endpoint is never sent an event',
    taken,
    /^any: orders seq 6 \(b-3\) is settled, .*never sent/,
    () => without('any', 6),
  ],
  [
    'what failed is settled',
    taken,
    /^any: orders seq 6 \(b-3\) is settled, and no receiver has taken it: it was sent 1 times/,
    () =>
      withNotes((notes, log) => [
        ...notes.filter((note) => !isSent(note, 'any', 6)),
        ...sentNotes(topic, 'any', row(log, 6), { status: 302 }),
      ]),
  ],
  [
    'an event never goes out',
    taken,
    /^source: orders seq 5 \(a-3\) is still unsettled/,
    () => {
      const evidence = without('source', 5)
      const unsettled = new Map([['source', [settles(5)]]])
      return { ...evidence, endpoints: { ...(evidence.endpoints as EndpointEvidence), unsettled } }
    },
  ],
  [
    'a receiver is sent another content',
    stored,
    /^any: orders seq 2 \(b-1\) was sent as evt_\S+, and that is not what the log has/,
    () => withNotes(same, (log) => sentNotes(topic, 'any', row(log, 2), { digest: 'another' })),
  ],
  [
    'a receiver is sent what is not in the log',
    stored,
    /^any: orders seq 9 \(nothing\) was sent/,
    () => withNotes(same, () => sentNotes(topic, 'any', rowOf(fact('a', 9), 9))),
  ],
  [
    'a request is not signed',
    stored,
    /^any: orders seq 2 \(b-1\): the signature is not ours/,
    () =>
      withNotes(same, (log) => sentNotes(topic, 'any', row(log, 2), { wrong: 'the signature is not ours' })),
  ],
  [
    'a receiver is sent what it did not ask for',
    stored,
    /^source: orders seq 2 \(b-1\) of b was sent, and does not match/,
    () => withNotes(same, (log) => sentNotes(topic, 'source', row(log, 2))),
  ],
  [
    'an event is sent before the one before it in its source is taken',
    ordered,
    /^source: orders seq 3 \(a-2\) was sent before a-1 was taken/,
    () => withNotes(same, (log) => sentNotes(topic, 'source', row(log, 3), { at: sentAt(1) + 1 })),
  ],
  [
    'an event is sent before the one before it in its topic is taken',
    ordered,
    /^topic: orders seq 4 \(b-2\) was sent before a-2 was taken/,
    () => withNotes(same, (log) => sentNotes(topic, 'topic', row(log, 4), { at: sentAt(3) + 1 })),
  ],
  [
    'what came together goes on alone before the one before it is taken',
    ordered,
    /^topic: orders seq 4 \(b-2\) was sent before a-2 was taken/,
    () =>
      withNotes(same, (log) => [
        ...arrayNotes(topic, 'topic', log.slice(2, 4), { at: sentAt(2) + 3, status: 500 }),
        ...sentNotes(topic, 'topic', row(log, 4), { at: sentAt(3) + 1, attempt: 2 }),
      ]),
  ],
  [
    'two events of a source come together',
    ordered,
    /^source: orders seq 3 \(a-2\) was sent before a-1 was taken/,
    () =>
      withNotes(same, (log) =>
        arrayNotes(topic, 'source', [row(log, 1), row(log, 3)], { at: sentAt(0), status: 200 }),
      ),
  ],
  [
    'at some moment an event was settled without anything',
    accounted,
    /^any orders 4 was neither delivered nor dead nor unsettled, and 0 more/,
    () => withEndpoints(() => ({ looks: [{ unaccounted: ['any orders 4'], events: 6, attempts: 6 }] })),
  ],
  [
    'attempts vanish',
    accounted,
    /of 6 attempts 5 were left/,
    () =>
      withEndpoints(() => ({
        looks: [6, 5].map((many) => ({ unaccounted: [], events: 6, attempts: many })),
      })),
  ],
  [
    'an attempt is not written down',
    attempts,
    /^any: orders seq 1 \(a-1\) is settled, and no attempt of it is written down/,
    () => withAttempts('any', (all) => all.slice(1)),
  ],
  [
    'an attempt is written down that nobody made',
    attempts,
    /^any: orders 2 \(b-1\): attempt 2 was answered 500, and never made/,
    () =>
      withAttempts('any', (all) => [
        ...all,
        attemptOf(topic, 2, { attempt: 2, isDelivered: false, status: 500 }),
      ]),
  ],
  [
    'an event is given up before it was tried as often as it may be',
    attempts,
    /^any: orders seq 3 \(a-2\) is dead after 1 attempts/,
    () => withEndpoints(({ dead }) => ({ dead: new Map([...dead, ['any', [settles(3)]]]) })),
  ],
  [
    'an event is given up that nobody refused',
    dead,
    /^any: orders seq 3 \(a-2\) is dead, and nobody refused it/,
    () => withEndpoints(({ dead }) => ({ dead: new Map([...dead, ['any', [settles(3)]]]) })),
  ],
  [
    'an event that is always refused is never given up',
    dead,
    /^refusing: orders seq 7 \(a-\d+\) was refused 2 times, and is no dead letter/,
    () => {
      const evidence = withLog((log) => [...log, rowOf(fact('a', refusedHookNumber(topic)), 7)])
      return { ...evidence, endpoints: { ...(evidence.endpoints as EndpointEvidence), dead: new Map() } }
    },
  ],
  [
    'a dispatcher makes a connection to where nothing may go',
    strayed,
    /there was a connection to 127\.0\.0\.2/,
    () => withNotes(same, () => [{ kind: 'strayed', at: 1, what: 'a connection to 127.0.0.2' }]),
  ],
  [
    'an attempt to send inside is not denied',
    strayed,
    /orders 2 was sent inside, and came to: connection_refused/,
    () =>
      withAttempts('inside', () => [
        attemptOf(topic, 2, { isDelivered: false, status: null, error: 'connection_refused' }),
      ]),
  ],
  [
    'a secret is logged',
    shown,
    /a log has a secret: it is s3cret/,
    () => withEndpoints(() => ({ lines: ['it is s3cret'] })),
  ],
  ['an attempt shows a secret', shown, /2 attempts show a secret/, () => withEndpoints(() => ({ shown: 2 }))],
  [
    'an endpoint never comes to its end',
    'endpoints came back',
    /3 of any/,
    () => withEndpoints(() => ({ drain: { ms: undefined, msMax: 26_000, left: '3 of any' } })),
  ],
]
