/** Each check of a run is shown to hold and to fail. */
import { expect, test } from 'vitest'
import { checks } from '../src/check/check.ts'
import type { ReceiverNote } from '../src/receivers/notes.ts'
import { ofEndpoints } from './breaches/endpoints.ts'
import { ofFigures } from './breaches/figures.ts'
import { ofGroups } from './breaches/groups.ts'
import { ofLog } from './breaches/log.ts'
import { ofLosses } from './breaches/losses.ts'
import { ofReaders } from './breaches/readers.ts'
import { ofReceipts } from './breaches/receipts.ts'
import { ofService } from './breaches/service.ts'
import { arrayNotes, endpointsOf, sentAt, sentNotes } from './endpoints.ts'
import { evidenceOf, fact, rowOf, soundRun, topic } from './evidence.ts'
import { violations } from './violations.ts'

test('a sound run violates nothing', () => {
  expect(violations(soundRun().evidence)).toEqual({})
})

test('an event that nobody answered may be in the log', () => {
  const { books, log } = soundRun()
  expect(violations(evidenceOf(books, [...log, rowOf(fact('b', 4), 7)]))).toEqual({})
})

test('events of a topic may come together, and then one by one', () => {
  const { log, evidence } = soundRun()
  const sound = endpointsOf(topic, log)
  const first = arrayNotes(topic, 'topic', log.slice(0, 4), { at: sentAt(0), status: 500 })
  const last = arrayNotes(topic, 'topic', log.slice(4), { at: sentAt(7), status: 200 })
  const isOther = (note: ReceiverNote) => note.kind !== 'sent' || note.plan !== 'topic'
  const alone = log.slice(0, 4).flatMap((row) => sentNotes(topic, 'topic', row, { attempt: 2, status: 200 }))
  const notes = [[...first, ...(sound.notes[0] ?? []).filter(isOther), ...alone, ...last]]
  expect(violations({ ...evidence, endpoints: { ...sound, notes } })).toEqual({})
})

const ofLogs = [...ofLog, ...ofFigures, ...ofReaders, ...ofReceipts, ...ofService, ...ofLosses]
const broken = [...ofLogs, ...ofGroups, ...ofEndpoints]

test.each(broken)('%s', (_, promise, says, run) => {
  const found = violations(run())
  const name = Object.keys(checks).find((one) => one.startsWith(promise))
  expect(found[name ?? 'no such check']).toMatch(says)
})

test('every check is shown to fail', () => {
  const shown = Object.keys(checks).filter((name) => broken.some(([, promise]) => name.startsWith(promise)))
  expect(shown).toEqual(Object.keys(checks))
})
